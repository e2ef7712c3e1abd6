//! The language in which people search tickets: tests on fields, words and an order.
//!
//! `status:open priority>=high assignee:me -tag:spam created>2026-01-01 "money back"
//! sla.first_reply:breached order:-due`. Tests become an ordinary
//! [`Condition`], checked like that of a view; the other words are looked for in
//! subjects and messages. docs/SEARCH.md has all of it for people.
//! Source: spec/search.md, "Query language for tickets".

mod error;
mod parse;
mod print;
mod term;
#[cfg(test)]
mod tests;
mod value;

pub use error::{QueryError, QueryErrorKind};

use crate::condition::{Condition, Leaf, Schema};
use crate::fault::Fault;
use crate::view::{Direction, OrderBy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A search over tickets: which, with what words, in which order.
///
/// Its `to_string` gives the canonical form: read again, it is the same search.
///
/// ```
/// use helpdesk_core::condition::Schema;
/// use helpdesk_core::search_query::{SearchQuery, SearchTerms};
///
/// let schema = Schema::default();
/// let terms = SearchTerms::new(&schema);
/// let query = SearchQuery::parse(r#"priority>=high -tag:spam "money back" order:-due"#, &terms)?;
/// assert_eq!(
///     query.condition().to_string(),
///     "priority is one of `high`, `urgent` and not (tags has any of `spam`)"
/// );
/// assert_eq!(query.text().all, ["money back"]);
/// assert_eq!(query.to_string(), r#"priority:high,urgent -tag:spam "money back" order:-due"#);
///
/// let errors = SearchQuery::parse("stat:open", &terms).err().unwrap_or_default();
/// assert_eq!(errors[0].column, 1);
/// # Ok::<(), Vec<helpdesk_core::search_query::QueryError>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SearchQuery {
    tests: Vec<Tested>,
    text: TextQuery,
    order: Option<SearchOrder>,
}

/// One test of a search.
#[derive(Debug, Clone, PartialEq)]
struct Tested {
    is_negated: bool,
    leaf: Leaf,
}

/// What is looked for in subjects and messages. Each entry is a word, or several
/// that follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextQuery {
    /// Each of these must stand in the ticket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<String>,
    /// None of these may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<String>,
}

impl TextQuery {
    /// Whether nothing is looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.none.is_empty()
    }
}

/// By what found tickets are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchOrder {
    /// What fits the words best first; without words, what changed last.
    Relevance,
    /// By a field, as lists are.
    By(OrderBy, Direction),
}

/// What a search may name, and who asks.
#[derive(Debug, Clone, Copy)]
pub struct SearchTerms<'a> {
    /// Fields and values.
    pub schema: &'a Schema,
    /// Whom `me` means; `None` where nobody in particular asks.
    pub me: Option<Uuid>,
    /// The IANA zone whose days a date names.
    pub time_zone: &'a str,
}

impl<'a> SearchTerms<'a> {
    /// For nobody in particular, in universal time.
    #[must_use]
    pub fn new(schema: &'a Schema) -> Self {
        Self { schema, me: None, time_zone: "UTC" }
    }
}

impl SearchQuery {
    /// Reads a search.
    ///
    /// # Errors
    ///
    /// All faults, each with its column: fields, operators and values that do not exist,
    /// dates that are none, quotes that do not end, and more than
    /// [`SEARCH_CHARS_MAX`](crate::limit::SEARCH_CHARS_MAX),
    /// [`SEARCH_TERMS_MAX`](crate::limit::SEARCH_TERMS_MAX) or
    /// [`SEARCH_VALUES_MAX`](crate::limit::SEARCH_VALUES_MAX).
    pub fn parse(source: &str, terms: &SearchTerms<'_>) -> Result<Self, Vec<QueryError>> {
        parse::parse(source, terms)
    }

    /// The tests, as one condition; all of them must hold.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let one = |test: &Tested| match test.is_negated {
            true => Condition::Not(Box::new(Condition::Leaf(test.leaf.clone()))),
            false => Condition::Leaf(test.leaf.clone()),
        };
        match &self.tests[..] {
            [] => Condition::Always,
            [test] => one(test),
            tests => Condition::All(tests.iter().map(one).collect()),
        }
    }

    /// What is looked for in the texts.
    #[must_use]
    pub fn text(&self) -> &TextQuery {
        &self.text
    }

    /// The order, where one is named.
    #[must_use]
    pub fn order(&self) -> Option<SearchOrder> {
        self.order
    }

    /// Condition, words and order; [`SearchOrder::Relevance`] where none is named.
    #[must_use]
    pub fn into_parts(self) -> (Condition, TextQuery, SearchOrder) {
        (self.condition(), self.text, self.order.unwrap_or(SearchOrder::Relevance))
    }
}

/// The errors of a search as faults of the input `path`.
#[must_use]
pub fn faults(errors: Vec<QueryError>, path: &str) -> Vec<Fault> {
    errors.into_iter().map(|e| Fault::new(path, e.kind.code(), e.to_string())).collect()
}
