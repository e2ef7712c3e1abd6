//! Folding, words and where a text is cut.

use crate::condition::{FoldOptions, Phrase, TextFact, fold, words};

fn options() -> FoldOptions {
    FoldOptions::default()
}

fn split(text: &str) -> Vec<String> {
    words(&fold(text, options())).map(str::to_owned).collect()
}

fn finds(text: &str, phrase: &str) -> bool {
    TextFact::new(text, options()).has_phrase(&Phrase::new(phrase, options()).unwrap())
}

#[test]
fn folding_is_lower_case_char_by_char() {
    let table = [
        ("Straße", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("İ", "i\u{307}"),
        ("ПРИНТЕР Ё ё", "принтер ё ё"),
        ("ЀЏ ЂЋ", "ѐџ ђћ"),
        ("Ünicode", "ünicode"),
        ("e\u{301}", "e\u{301}"),
    ];
    for (text, folded) in table {
        assert_eq!(fold(text, options()), folded);
    }
    let yo = FoldOptions { fold_yo: true, ..options() };
    assert_eq!(fold("Ё ё е", yo), "е е е");
}

#[test]
fn folding_agrees_with_the_standard_on_every_char() {
    for char in '\0'..=char::MAX {
        let expected: String = char.to_lowercase().collect();
        let text = format!("é{char}");
        assert_eq!(&fold(&text, options())[2..], expected, "{char:?}");
        assert_eq!(fold(&char.to_string(), options()), expected, "{char:?}");
    }
}

#[test]
fn words_are_runs_of_letters_digits_and_marks() {
    assert_eq!(split("don't e-mail v2.0_x"), ["don", "t", "e", "mail", "v2", "0", "x"]);
    assert_eq!(split("nai\u{308}ve №5 x² हिन्दी"), ["nai\u{308}ve", "5", "x²", "हिन्दी"]);
    assert_eq!(split("東京 tower"), ["東京", "tower"]);
    assert!(split(" —…\n").is_empty());
    assert!(Phrase::new("—", options()).is_none());
}

#[test]
fn a_phrase_is_words_in_a_row() {
    let text = "Money. Money\nback, MONEY";
    assert!(finds(text, "money back"));
    assert!(finds(text, "money money back"));
    assert!(finds(text, "back money"));
    assert!(!finds(text, "money back money back"));
    assert!(!finds(text, "mone"));
    assert!(!finds("", "money"));
}

#[test]
fn yo_counts_as_e_only_where_the_desk_says_so() {
    assert!(!finds("счёт", "счет"));
    let yo = FoldOptions { fold_yo: true, ..options() };
    assert!(TextFact::new("СЧЁТ", yo).has_phrase(&Phrase::new("счет", yo).unwrap()));
    assert!(TextFact::new("счет", yo).has_phrase(&Phrase::new("счёт", yo).unwrap()));
}

#[test]
fn a_long_text_is_cut_back_to_a_char_boundary_before_folding() {
    let at = |n_bytes: usize| FoldOptions { text_bytes_max: n_bytes, ..options() };
    let text = TextFact::new("ab é", at(4));
    assert_eq!((text.seen(), text.is_cut()), ("ab ", true));
    let text = TextFact::new("ab é", at(5));
    assert_eq!((text.seen(), text.is_cut()), ("ab é", false));
    let text = TextFact::new("é", at(0));
    assert_eq!((text.seen(), text.is_cut(), text.is_empty()), ("", true, false));

    // Folding makes `İ` longer, and does not move the cut.
    let text = TextFact::new("İİİ", at(4));
    assert_eq!(text.folded(), "i\u{307}i\u{307}");

    let limit = crate::limit::CONDITION_TEXT_BYTES_MAX;
    let last = format!("{}word", " ".repeat(limit - 4));
    assert!(finds(&last, "word"));
    assert!(!finds(&format!(" {last}"), "word"));
}

#[test]
fn the_limit_of_a_message_bounds_what_is_looked_at() {
    let all = FoldOptions { text_bytes_max: usize::MAX, ..options() };
    let text = TextFact::new("a".repeat(crate::limit::TEXT_BYTES_MAX + 1), all);
    assert_eq!(text.seen().len(), crate::limit::TEXT_BYTES_MAX);
    assert!(text.is_cut());
}
