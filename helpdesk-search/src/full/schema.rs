//! The fields of an index, and how texts get into them.
//!
//! Words of different tenants and languages never meet: each pair of a tenant and a
//! language is a *group* with a number, and every word begins with the char of its
//! group. So the statistics of a word are those of its group.

use crate::language::{Analyzer, Piece, StemCache, pieces};
use tantivy::Index;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Counts changes to the fields; an index of another format is made again.
pub(crate) const FORMAT: u32 = 1;

/// Lines do not touch: a phrase that runs over the end of one is none.
const LINE_GAP: u32 = 4;
const STEMS: &str = "helpdesk_stems";
const FORMS: &str = "helpdesk_forms";

/// Fields that words are looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Part {
    /// Title and body, stemmed.
    Both = 0,
    /// The title, stemmed.
    Title = 1,
}

/// How many of them there are.
pub(crate) const N_PARTS: usize = 2;

/// The fields by handle.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    /// Raw: what a change finds the document by.
    pub(crate) key: Field,
    /// The document's id, as two numbers: ties go by it.
    pub(crate) id_high: Field,
    pub(crate) id_low: Field,
    /// Group and visibility; all documents of one class are for the same readers.
    pub(crate) class: Field,
    pub(crate) category: Field,
    pub(crate) labels: Field,
    pub(crate) parts: [Field; N_PARTS],
    /// Title and body, words as they are written, folded: for typing errors and
    /// beginnings of words.
    pub(crate) forms: Field,
    /// The same of the title.
    pub(crate) title_forms: Field,
    /// As they are shown.
    pub(crate) title: Field,
    pub(crate) body: Field,
}

impl Fields {
    /// The schema, and its fields.
    pub(crate) fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let words = |tokenizer: &str, option| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer(tokenizer)
                .set_index_option(option)
                .set_fieldnorms(true);
            TextOptions::default().set_indexing_options(indexing)
        };
        let positions = IndexRecordOption::WithFreqsAndPositions;
        let fields = Self {
            key: schema.add_text_field("key", STRING),
            id_high: schema.add_u64_field("id_high", FAST),
            id_low: schema.add_u64_field("id_low", FAST),
            class: schema.add_text_field("class", FAST),
            category: schema.add_text_field("category", FAST),
            labels: schema.add_text_field("labels", FAST),
            parts: [
                schema.add_text_field("both_stems", words(STEMS, positions)),
                schema.add_text_field("title_stems", words(STEMS, positions)),
            ],
            forms: schema.add_text_field("forms", words(FORMS, IndexRecordOption::Basic)),
            title_forms: schema
                .add_text_field("title_forms", words(FORMS, IndexRecordOption::Basic)),
            title: schema.add_text_field("title", STORED),
            body: schema.add_text_field("body", STORED),
        };
        (schema.build(), fields)
    }

    /// Tells the index how our fields are cut into words.
    pub(crate) fn register(index: &Index) {
        index.tokenizers().register(STEMS, Words { kind: Kind::Stems, ..Words::default() });
        index.tokenizers().register(FORMS, Words { kind: Kind::Forms, ..Words::default() });
    }
}

/// The char that begins each word of a group.
pub(crate) fn group_char(group: u32) -> char {
    // Over the surrogates; a million groups is the limit of the registry.
    let code = group + 0x21;
    char::from_u32(if code >= 0xD800 { code + 0x800 } else { code }).unwrap_or('\u{10FFFF}')
}

/// Groups that an index can hold.
pub(crate) const GROUPS_MAX: usize = 1_000_000;

/// A text for a field of words: the group, the language, and the text behind.
pub(crate) fn tagged(group: u32, language: &str, parts: &[&str]) -> String {
    let n_bytes: usize = parts.iter().map(|part| part.len() + 1).sum();
    let mut text = String::with_capacity(n_bytes + language.len() + 8);
    text.push(group_char(group));
    text.push_str(language);
    for part in parts {
        text.push('\n');
        text.push_str(part);
    }
    text
}

#[derive(Clone, Copy, Default)]
enum Kind {
    #[default]
    Stems,
    Forms,
}

/// Cuts tagged texts into words.
#[derive(Default)]
struct Words {
    kind: Kind,
    analyzer: Option<Analyzer>,
    cache: StemCache,
    tokens: Tokens,
}

impl Clone for Words {
    fn clone(&self) -> Self {
        Self { kind: self.kind, ..Self::default() }
    }
}

/// The words of the text at hand: all texts of all words, and where each ends.
#[derive(Default)]
struct Tokens {
    texts: String,
    ends: Vec<(u32, u32)>,
}

impl Tokenizer for Words {
    type TokenStream<'a> = Stream<'a>;

    fn token_stream<'a>(&'a mut self, tagged: &'a str) -> Stream<'a> {
        self.tokens.texts.clear();
        self.tokens.ends.clear();
        let (head, text) = tagged.split_once('\n').unwrap_or((tagged, ""));
        let group = head.chars().next().unwrap_or('!');
        let language = &head[head.chars().next().map_or(0, char::len_utf8)..];
        if self.analyzer.as_ref().is_none_or(|a| a.language() != language) {
            self.analyzer = Some(Analyzer::of(language));
        }
        if let Some(analyzer) = &self.analyzer {
            fill(text, analyzer, self.kind, &mut self.cache, &mut self.tokens);
        }
        let mut token = Token::default();
        token.text.push(group);
        Stream { tokens: &self.tokens, token, group_bytes: group.len_utf8(), next: 0, start: 0 }
    }
}

fn fill(text: &str, analyzer: &Analyzer, kind: Kind, cache: &mut StemCache, tokens: &mut Tokens) {
    let mut position = 0;
    for line in text.split('\n') {
        let first = tokens.ends.len();
        pieces(line, |piece| {
            match (piece, kind) {
                (Piece::Word { folded, .. }, Kind::Stems) => {
                    tokens.texts.push_str(cache.stem(analyzer, folded));
                }
                (Piece::Word { folded: text, .. }, Kind::Forms) | (Piece::Gram { text, .. }, _) => {
                    tokens.texts.push_str(text);
                }
            }
            let end = u32::try_from(tokens.texts.len()).unwrap_or(u32::MAX);
            tokens.ends.push((end, position));
            position += 1;
        });
        if tokens.ends.len() > first {
            position += LINE_GAP;
        }
    }
}

struct Stream<'a> {
    tokens: &'a Tokens,
    token: Token,
    group_bytes: usize,
    next: usize,
    start: usize,
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        let Some(&(end, position)) = self.tokens.ends.get(self.next) else { return false };
        self.next += 1;
        self.token.text.truncate(self.group_bytes);
        self.token.text.push_str(&self.tokens.texts[self.start..end as usize]);
        self.start = end as usize;
        self.token.position = position as usize;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Whether the schema of an index on disk is ours.
pub(crate) fn is_ours(schema: &Schema) -> bool {
    *schema == Fields::schema().0
}
