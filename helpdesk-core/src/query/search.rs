//! Searches over tickets and articles, and what they find.

use super::articles::OneArticle;
use super::{Counted, OneTicket, TicketName};
use crate::id::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// Searches tickets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchTickets {
    /// Tests, words and an order, as [`SearchQuery`](crate::search_query::SearchQuery) reads
    /// them: `status:open assignee:me "money back" order:-created`. Without an index the
    /// order `relevance` is that of the last changes.
    pub text: String,
    /// Where the page before ended. A page after it may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Rows at most; 50 when absent, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Whether to count all that is found, which looks at each of them.
    #[serde(default)]
    pub count: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// The rows.
    pub rows: Vec<FoundTicket>,
    /// How many there are on all pages, where the search asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Counted>,
    /// What to give as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A ticket that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundTicket {
    /// The ticket.
    #[serde(flatten)]
    pub ticket: OneTicket,
    /// The part of its messages to show, of what the asker may read. Only by an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Highlight>,
    /// How well it fits, comparable inside one answer. Only by an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
}

/// A part of a text with what was found in it. Plain text: a page escapes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Highlight {
    /// The text.
    pub text: String,
    /// The words found: byte ranges of `text`, in order, without overlap.
    pub marks: Vec<Range<usize>>,
}

/// Searches the articles that are out and that the actor may read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchArticles {
    /// What is asked, in any words and any order; without a word nothing is found.
    pub text: String,
    /// Languages that the asker reads, as ISO 639 codes: articles in another come after all
    /// of these. None: all alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Only articles of this category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Key>,
    /// Only articles with this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether to count what is found by category, label and language.
    #[serde(default)]
    pub facets: bool,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Rows at most; 50 when absent, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// What articles are suggested for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuggestFor {
    /// A question as its author wrote it, before it becomes a ticket; of any length.
    Text(String),
    /// A ticket that the actor may read: its subject and its first public message.
    Ticket(TicketName),
    /// What has been typed so far of a search: ends of its last word come too.
    Beginning(String),
}

/// Suggests articles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestArticles {
    /// What for.
    #[serde(rename = "for")]
    pub about: SuggestFor,
    /// Rows at most; 5 when absent, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Articles found, best first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArticlesFound {
    /// The articles.
    pub rows: Vec<FoundArticle>,
    /// How many there are on all pages, as the index knows them. Of searches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
    /// Counts of all that was found, where the search asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<FoundFacets>,
    /// Whole words that the last one may become, the most frequent first. Of beginnings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// What to give as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An article that was found: as it stands now, without its body.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundArticle {
    /// The article, in the revision that is out.
    #[serde(flatten)]
    pub article: OneArticle,
    /// The part of its body to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Highlight>,
    /// How well it fits, comparable inside one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// What of the question was found in it, in the order of the question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<FoundWord>,
}

/// Where a word of the question stands in an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundWord {
    /// The word, folded; another form of it may stand there.
    pub word: String,
    /// Whether it stands in the title.
    pub in_title: bool,
    /// Whether it stands in the body.
    pub in_body: bool,
}

/// How many of the articles found carry what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FoundFacets {
    /// By category.
    pub categories: BTreeMap<String, usize>,
    /// By label.
    pub labels: BTreeMap<String, usize>,
    /// By language.
    pub languages: BTreeMap<String, usize>,
}
