//! Cutting a text into words.

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// One thing that the index compares.
pub(crate) enum Piece<'a> {
    /// A word: folded, and where it stands in the text.
    Word { folded: &'a str, start: usize, end: usize },
    /// A char of a script without spaces, or two of them.
    Gram { text: &'a str, start: usize, end: usize },
}

/// Gives each piece of the text, in order. A text in a script without spaces gives each
/// char, and each pair of neighbors after the first of the two.
pub(crate) fn pieces(text: &str, mut each: impl FnMut(Piece<'_>)) {
    let mut folded = String::new();
    each_word(text, |start, end| {
        let word = &text[start..end];
        if word.is_ascii() {
            folded.clear();
            folded.push_str(word);
            folded.make_ascii_lowercase();
            each(Piece::Word { folded: &folded, start, end });
        } else {
            split_by_script(word, start, &mut folded, &mut each);
        }
    });
}

/// Bounds of each run of word chars.
pub(crate) fn each_word(text: &str, mut each: impl FnMut(usize, usize)) {
    let mut begun = None;
    for (at, char) in text.char_indices() {
        match (is_word_char(char), begun) {
            (true, None) => begun = Some(at),
            (false, Some(start)) => {
                each(start, at);
                begun = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    if let Some(start) = begun {
        each(start, text.len());
    }
}

/// Alphanumeric, or a mark on the char before.
fn is_word_char(char: char) -> bool {
    match char {
        '\0'..='\x7f' => char.is_ascii_alphanumeric(),
        // Most letters that are not ASCII: no table is asked.
        'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ɏ' | 'Ѐ'..='ҁ' => true,
        _ => char.is_alphanumeric() || is_combining_mark(char),
    }
}

/// Lower case, compatible forms made one, `ё` as `е`.
pub(crate) fn fold_word(word: &str, folded: &mut String) {
    folded.clear();
    let lower = |char: char| char.to_lowercase().map(|c| if c == 'ё' { 'е' } else { c });
    if is_nfkc_quick(word.chars()) == IsNormalized::Yes {
        folded.extend(word.chars().flat_map(lower));
    } else {
        folded.extend(word.nfkc().flat_map(lower).nfkc());
    }
}

fn split_by_script(
    word: &str,
    offset: usize,
    folded: &mut String,
    each: &mut impl FnMut(Piece<'_>),
) {
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let is_gram = is_gram_char(first);
        let len = rest.find(|char| is_gram_char(char) != is_gram).unwrap_or(rest.len());
        let (run, after) = rest.split_at(len);
        let start = offset + word.len() - rest.len();
        if is_gram {
            grams(run, start, folded, each);
        } else {
            fold_word(run, folded);
            each(Piece::Word { folded, start, end: start + len });
        }
        rest = after;
    }
}

fn grams(run: &str, offset: usize, folded: &mut String, each: &mut impl FnMut(Piece<'_>)) {
    let mut starts = run.char_indices().map(|(at, _)| at).chain([run.len()]);
    let (Some(mut first), Some(mut second)) = (starts.next(), starts.next()) else { return };
    loop {
        let third = starts.next();
        for end in [Some(second), third].into_iter().flatten() {
            fold_word(&run[first..end], folded);
            each(Piece::Gram { text: folded, start: offset + first, end: offset + end });
        }
        let Some(next) = third else { return };
        (first, second) = (second, next);
    }
}

/// Whether the char is of a script that writes no spaces between words, or of Hangul.
fn is_gram_char(char: char) -> bool {
    matches!(u32::from(char),
        0x0E00..=0x0E7F // Thai
        | 0x1100..=0x11FF | 0x3130..=0x318F | 0xAC00..=0xD7FF // Hangul
        | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x31F0..=0x31FF | 0xFF66..=0xFF9F // Kana
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF // Han
    )
}
