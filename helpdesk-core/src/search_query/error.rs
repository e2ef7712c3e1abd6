//! What is wrong with a search.

use crate::fault::{Code, Fault};
use thiserror::Error;

/// One thing wrong with a search, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("column {column}: {kind}")]
pub struct QueryError {
    /// The char at which it stands, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub kind: QueryErrorKind,
}

/// What is wrong with a search; the message says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryErrorKind {
    /// No field has the name.
    #[error("there is no field `{name}`{near}; in quotes it is looked for as text")]
    UnknownField {
        /// The name.
        name: String,
        /// Names like it.
        near: String,
    },
    /// The field cannot be asked like this.
    #[error("`{operator}` does not fit `{field}`: take {fitting}")]
    Operator {
        /// The field.
        field: String,
        /// How it was asked.
        operator: String,
        /// How it can be.
        fitting: String,
    },
    /// The field has no such value.
    #[error("{}", .0.message)]
    Value(Fault),
    /// It is no date and no instant.
    #[error("`{text}` is no date: write `2026-01-31`, or an instant like `2026-01-31T09:00:00Z`")]
    Date {
        /// What stands there.
        text: String,
    },
    /// It is no length of time.
    #[error("`{text}` is no length of time: write `30m`, `8h`, `7d`, or `8h@calendar`")]
    Length {
        /// What stands there.
        text: String,
    },
    /// It is no number.
    #[error("`{text}` is no number; write `3`, `2.5` or, for a range, `3..5`")]
    Number {
        /// What stands there.
        text: String,
    },
    /// It is neither true nor false.
    #[error("`{text}` is neither `true` nor `false`")]
    Boolean {
        /// What stands there.
        text: String,
    },
    /// A quote begins that does not end.
    #[error("the quote does not end: add a `\"`, or write `\\\"` for one inside")]
    UnclosedQuote,
    /// A value is missing.
    #[error("a value is missing behind `{behind}`")]
    NoValue {
        /// What stands before it.
        behind: String,
    },
    /// One value is taken, and there are more.
    #[error("`{field}` takes one value here")]
    OneValue {
        /// The field.
        field: String,
    },
    /// There is nothing that could be found in a text.
    #[error("there is no word in `{text}`: leave it out")]
    NoWord {
        /// What stands there.
        text: String,
    },
    /// `me`, and nobody in particular asks.
    #[error("`me` means nobody here: write an id")]
    NoMe,
    /// A day is a range, which has no opposite in one test.
    #[error("a range has no opposite: write `{field}<…` or `{field}>…`")]
    NegatedRange {
        /// The field.
        field: String,
    },
    /// An order with a `-` before the word.
    #[error("an order has no opposite: `order:-due` is the other way round")]
    NegatedOrder,
    /// There is no such order.
    #[error("`{text}` is no order: take one of {known}, with a `-` before it for the other way")]
    UnknownOrder {
        /// What stands there.
        text: String,
        /// What could.
        known: String,
    },
    /// A second order.
    #[error("the order is named twice: leave one out")]
    SecondOrder,
    /// More than a limit.
    #[error("{n} {what}, at most {max}")]
    OverLimit {
        /// How many.
        n: usize,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
}

impl QueryErrorKind {
    /// The reason code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::UnknownField { .. } | Self::Operator { .. } => Code::UnknownField,
            Self::Value(fault) => fault.code,
            Self::OverLimit { .. } => Code::OverLimit,
            Self::Date { .. }
            | Self::Length { .. }
            | Self::Number { .. }
            | Self::Boolean { .. }
            | Self::UnclosedQuote
            | Self::NoValue { .. }
            | Self::OneValue { .. }
            | Self::NoWord { .. }
            | Self::NoMe
            | Self::NegatedRange { .. }
            | Self::NegatedOrder
            | Self::UnknownOrder { .. }
            | Self::SecondOrder => Code::Invalid,
        }
    }

    pub(super) fn at(self, column: usize) -> QueryError {
        QueryError { column, kind: self }
    }
}
