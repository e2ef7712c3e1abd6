//! Reads a search: all faults at once.

use super::error::{QueryError, QueryErrorKind};
use super::term::{Body, Cutter, Piece, Sign, Term};
use super::value::{Asked, tests_of};
use super::{SearchOrder, SearchQuery, SearchTerms, Tested, TextQuery};
use crate::condition::{Condition, Field, FieldKind, FoldOptions, Phrase, suggestion};
use crate::limit::{SEARCH_CHARS_MAX, SEARCH_TERMS_MAX};
use crate::view::{Direction, OrderBy};
use serde_json::json;

/// The name of the order among the fields.
pub(super) const ORDER: &str = "order";

/// Short names of fields; a search is written with them.
pub(super) const SHORT_NAMES: &[(&str, Field)] = &[
    ("tag", Field::Tags),
    ("skill", Field::Skills),
    ("category", Field::StatusCategory),
    ("created", Field::CreatedAt),
    ("updated", Field::UpdatedAt),
    ("assigned", Field::AssignedAt),
    ("solved", Field::SolvedAt),
    ("snoozed", Field::SnoozedUntil),
    ("due", Field::DueAt),
    ("messages", Field::MessageCount),
    ("email", Field::RequesterEmail),
];

/// Orders by name; the short names are the ones that are written.
pub(super) const ORDERS: &[(&str, &str, OrderBy)] = &[
    ("number", "number", OrderBy::Number),
    ("created", "created_at", OrderBy::CreatedAt),
    ("updated", "updated_at", OrderBy::UpdatedAt),
    ("last_requester", "last_requester_at", OrderBy::LastRequesterAt),
    ("priority", "priority", OrderBy::Priority),
    ("due", "due_at", OrderBy::DueAt),
    ("status", "status", OrderBy::Status),
];

/// What fits the words best first.
pub(super) const RELEVANCE: &str = "relevance";

pub(super) fn parse(source: &str, terms: &SearchTerms<'_>) -> Result<SearchQuery, Vec<QueryError>> {
    let over = |n, what, max| vec![QueryErrorKind::OverLimit { n, what, max }.at(max + 1)];
    let n_chars = source.chars().count();
    if n_chars > SEARCH_CHARS_MAX {
        return Err(over(n_chars, "chars", SEARCH_CHARS_MAX));
    }
    let mut reader = Reader { terms, query: SearchQuery::default(), errors: Vec::new() };
    let mut cutter = Cutter::new(source);
    let mut n_terms = 0;
    while let Some(term) = cutter.next_term() {
        n_terms += 1;
        match term {
            Ok(term) if n_terms == SEARCH_TERMS_MAX + 1 => {
                let (n, what, max) = (n_terms, "terms", SEARCH_TERMS_MAX);
                reader.errors.push(QueryErrorKind::OverLimit { n, what, max }.at(term.column));
                break;
            }
            Ok(term) => reader.term(&term),
            Err(error) => reader.errors.push(error),
        }
    }
    if reader.errors.is_empty() { Ok(reader.query) } else { Err(reader.errors) }
}

struct Reader<'a> {
    terms: &'a SearchTerms<'a>,
    query: SearchQuery,
    errors: Vec<QueryError>,
}

impl Reader<'_> {
    fn term(&mut self, term: &Term) {
        let read = match &term.body {
            Body::Text(text) => self.text(term, text),
            Body::Named { name, sign, values } if name == ORDER => self.order(term, *sign, values),
            Body::Named { name, sign, values } => self.named(term, name, *sign, values),
        };
        if let Err(error) = read {
            self.errors.push(error);
        }
    }

    fn text(&mut self, term: &Term, text: &str) -> Result<(), QueryError> {
        if Phrase::new(text, FoldOptions::default()).is_none() {
            return Err(QueryErrorKind::NoWord { text: text.to_owned() }.at(term.column));
        }
        let TextQuery { all, none } = &mut self.query.text;
        if term.is_negated { none } else { all }.push(text.to_owned());
        Ok(())
    }

    fn order(&mut self, term: &Term, sign: Sign, values: &[Piece]) -> Result<(), QueryError> {
        if term.is_negated {
            return Err(QueryErrorKind::NegatedOrder.at(term.column));
        }
        let behind = format!("{ORDER}{}", sign.as_str());
        let no_value = || QueryErrorKind::NoValue { behind: behind.clone() }.at(term.column);
        let value = values.first().ok_or_else(no_value)?;
        let (name, direction) = match value.text.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (value.text.as_str(), Direction::Ascending),
        };
        let named = ORDERS.iter().find(|(short, long, _)| *short == name || *long == name);
        let order = match named {
            Some((.., by)) => SearchOrder::By(*by, direction),
            None if value.text == RELEVANCE => SearchOrder::Relevance,
            None => {
                let known = ORDERS.iter().map(|(short, ..)| format!("`{short}`"));
                let known = known.chain([format!("`{RELEVANCE}`")]).collect::<Vec<_>>().join(", ");
                let text = value.text.clone();
                return Err(QueryErrorKind::UnknownOrder { text, known }.at(value.column));
            }
        };
        if sign != Sign::Colon || values.len() > 1 || self.query.order.is_some() {
            return Err(QueryErrorKind::SecondOrder.at(term.column));
        }
        self.query.order = Some(order);
        Ok(())
    }

    fn named(
        &mut self,
        term: &Term,
        name: &str,
        sign: Sign,
        values: &[Piece],
    ) -> Result<(), QueryError> {
        let (field, kind, operator) = self.field(name).ok_or_else(|| self.no_field(term, name))?;
        let asked = Asked { field: &field, kind, operator, sign, values, column: term.column };
        let tests = tests_of(&asked, self.terms)?;
        if tests.len() > 1 && term.is_negated {
            return Err(QueryErrorKind::NegatedRange { field: name.to_owned() }.at(term.column));
        }
        for test in tests {
            let source = json!({"field": field.to_string(), test.operator: test.value});
            let condition = Condition::parse(&source, self.terms.schema).map_err(|faults| {
                let fault = faults.into_iter().next();
                let entry = fault.as_ref().and_then(|fault| entry_of(&fault.path));
                let column = entry.and_then(|at| values.get(at)).or(values.first());
                let column = column.map_or(term.column, |value| value.column);
                fault
                    .map_or(QueryErrorKind::NoValue { behind: name.to_owned() }, |fault| {
                        QueryErrorKind::Value(fault)
                    })
                    .at(column)
            })?;
            if let Condition::Leaf(leaf) = condition {
                self.query.tests.push(Tested { is_negated: term.is_negated, leaf });
            }
        }
        Ok(())
    }

    /// The field that a name means, with what it holds, and the operator behind it.
    fn field<'n>(&self, name: &'n str) -> Option<(Field, FieldKind, Option<&'n str>)> {
        let known = |name: &str| {
            let short = SHORT_NAMES.iter().find(|(short, _)| *short == name);
            let field = short.map(|(_, field)| field.clone()).or_else(|| name.parse().ok())?;
            let kind = self.terms.schema.kind(&field)?;
            Some((field, kind))
        };
        if let Some((field, kind)) = known(name) {
            return Some((field, kind, None));
        }
        let (name, operator) = name.rsplit_once('.')?;
        known(name).map(|(field, kind)| (field, kind, Some(operator)))
    }

    fn no_field(&self, term: &Term, name: &str) -> QueryError {
        let names = self.terms.schema.field_names();
        let short = SHORT_NAMES.iter().map(|(short, _)| *short).chain([ORDER]);
        let near = suggestion(name, names.iter().map(String::as_str).chain(short));
        QueryErrorKind::UnknownField { name: name.to_owned(), near }.at(term.column)
    }
}

/// The entry of a list that a path such as `in[2]` names.
fn entry_of(path: &str) -> Option<usize> {
    path.strip_suffix(']')?.rsplit_once('[')?.1.parse().ok()
}
