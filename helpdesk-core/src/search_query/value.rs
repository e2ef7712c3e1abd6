//! What a name, a sign and values ask, as the operators of conditions.

use super::SearchTerms;
use super::error::{QueryError, QueryErrorKind};
use super::term::{Piece, Sign};
use crate::calendar::start_of_day;
use crate::condition::{ClockState, Field, FieldKind};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// Nothing is set, or anything, where no quotes stand around it.
pub(super) const NONE: &str = "none";
pub(super) const ANY: &str = "any";
/// The one who asks.
pub(super) const ME: &str = "me";
/// The clock's target was passed.
pub(super) const BREACHED: &str = "breached";
/// Between the ends of a range.
pub(super) const RANGE: &str = "..";
/// Seconds of the units of a length, greatest first.
pub(super) const UNITS: &[(char, i64)] =
    &[('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// Choices that have an order, and the order.
const RANKED: &[(Field, &[&str])] = &[(Field::Priority, &["low", "normal", "high", "urgent"])];

/// What is asked of a field.
pub(super) struct Asked<'a> {
    pub(super) field: &'a Field,
    pub(super) kind: FieldKind,
    /// The operator of conditions, where one is named.
    pub(super) operator: Option<&'a str>,
    pub(super) sign: Sign,
    pub(super) values: &'a [Piece],
    pub(super) column: usize,
}

/// One operator of a condition and its value.
pub(super) struct Operation {
    pub(super) operator: &'static str,
    pub(super) value: Value,
}

type Tests = Result<Vec<Operation>, QueryError>;

fn one(operator: &'static str, value: Value) -> Tests {
    Ok(vec![Operation { operator, value }])
}

pub(super) fn tests_of(asked: &Asked<'_>, terms: &SearchTerms<'_>) -> Tests {
    if let Some(operator) = asked.operator {
        return named(asked, operator, terms);
    }
    let first = asked.first()?;
    let is_word = |word| !first.is_quoted && first.text == word && asked.values.len() == 1;
    if asked.sign == Sign::Colon && asked.kind != FieldKind::Text {
        if is_word(NONE) {
            return one("unset", json!(true));
        }
        if is_word(ANY) {
            return one("set", json!(true));
        }
    }
    match (asked.kind, asked.sign) {
        (FieldKind::Choice, Sign::Colon) => asked.one_or_list(|piece| Ok(json!(piece.text))),
        (FieldKind::Choice, _) => ranked(asked),
        (FieldKind::Id, Sign::Colon) => asked.one_or_list(|piece| id(piece, terms)),
        (FieldKind::Set, Sign::Colon) => one("has_any", asked.list(|p| Ok(json!(p.text)))?),
        (FieldKind::Text, Sign::Colon) => one("has_word", asked.list(|p| Ok(json!(p.text)))?),
        (FieldKind::Number, Sign::Colon) => match first.text.split_once(RANGE) {
            Some((low, high)) => {
                let part = |text: &str| number(&Piece { text: text.to_owned(), ..first.clone() });
                one("between", json!([part(low)?, part(high)?])).and_then(|t| asked.only(t))
            }
            None => asked.one_or_list(number),
        },
        (FieldKind::Number, sign) => {
            let operator = match sign {
                Sign::Less => "lt",
                Sign::LessOrSame => "le",
                Sign::More => "gt",
                Sign::MoreOrSame | Sign::Colon => "ge",
            };
            one(operator, number(first)?).and_then(|tests| asked.only(tests))
        }
        (FieldKind::Instant, sign) => {
            instant(first, sign, terms).and_then(|tests| asked.only(tests))
        }
        (FieldKind::Boolean, Sign::Colon) => asked.only(one("is", boolean(first)?)?),
        (FieldKind::Hours, Sign::Colon) => asked.only(one("in_hours", json!(first.text))?),
        (FieldKind::Clock, Sign::Colon) => asked.only(clock(asked, first)?),
        (
            FieldKind::Id
            | FieldKind::Set
            | FieldKind::Text
            | FieldKind::Boolean
            | FieldKind::Hours
            | FieldKind::Clock,
            _,
        ) => Err(asked.no_operator()),
    }
}

impl Asked<'_> {
    fn first(&self) -> Result<&Piece, QueryError> {
        let no_value = || {
            let behind = format!("{}{}", self.field, self.sign.as_str());
            QueryErrorKind::NoValue { behind }.at(self.column)
        };
        self.values.first().ok_or_else(no_value)
    }

    /// These tests, where there is one value only.
    fn only<T>(&self, tests: T) -> Result<T, QueryError> {
        match self.values.get(1) {
            None => Ok(tests),
            Some(second) => {
                Err(QueryErrorKind::OneValue { field: self.field.to_string() }.at(second.column))
            }
        }
    }

    fn list(
        &self,
        read: impl Fn(&Piece) -> Result<Value, QueryError>,
    ) -> Result<Value, QueryError> {
        self.values.iter().map(read).collect::<Result<Vec<_>, _>>().map(Value::Array)
    }

    fn one_or_list(&self, read: impl Fn(&Piece) -> Result<Value, QueryError>) -> Tests {
        match self.values {
            [value] => one("is", read(value)?),
            _ => one("in", self.list(read)?),
        }
    }

    fn no_operator(&self) -> QueryError {
        let is_ranked = RANKED.iter().any(|(field, _)| field == self.field);
        let signs: &[&str] = match self.kind {
            FieldKind::Number | FieldKind::Instant => &[":", "<", "<=", ">", ">="],
            FieldKind::Choice if is_ranked => &[":", "<", "<=", ">", ">="],
            FieldKind::Choice
            | FieldKind::Id
            | FieldKind::Set
            | FieldKind::Text
            | FieldKind::Boolean
            | FieldKind::Hours
            | FieldKind::Clock => &[":"],
        };
        let signs = signs.iter().map(|sign| format!("`{sign}`"));
        let named = self.field.operators(self.kind).map(|operator| format!("`.{operator}:`"));
        let operator = match self.operator {
            Some(operator) => format!(".{operator}{}", self.sign.as_str()),
            None => self.sign.as_str().to_owned(),
        };
        let fitting = signs.chain(named).collect::<Vec<_>>().join(", ");
        let field = self.field.to_string();
        QueryErrorKind::Operator { field, operator, fitting }.at(self.column)
    }
}

/// `field.operator:values`, for what has no sign of its own.
fn named(asked: &Asked<'_>, operator: &str, terms: &SearchTerms<'_>) -> Tests {
    let known = asked.field.operators(asked.kind).find(|known| *known == operator);
    let (Some(operator), Sign::Colon) = (known, asked.sign) else {
        return Err(asked.no_operator());
    };
    let text = |piece: &Piece| Ok(json!(piece.text));
    let value = match (operator, asked.kind) {
        ("in" | "not_in" | "between", FieldKind::Number) => asked.list(number)?,
        ("in" | "not_in", FieldKind::Id) => asked.list(|piece| id(piece, terms))?,
        ("in" | "not_in" | "has_any" | "has_all" | "has_none", _)
        | ("has_word" | "has_all_words", _) => asked.list(text)?,
        _ => {
            let first = asked.only(asked.first()?)?;
            match (operator, asked.kind) {
                ("set" | "unset" | "breached", _) | (_, FieldKind::Boolean) => boolean(first)?,
                (_, FieldKind::Id) => id(first, terms)?,
                (_, FieldKind::Number) | ("used_ge", _) => number(first)?,
                ("before" | "after", _) => {
                    let span = span(first, terms)?;
                    let at = if operator == "after" { span.after() } else { span.start() };
                    at.ok_or_else(|| no_date(first)).map(|at| json!(instant_text(at)))?
                }
                ("older_than" | "newer_than", _) => age(first)?,
                ("within_next" | "left_lt", _) => json!(length(first, &first.text)?),
                _ => json!(first.text),
            }
        }
    };
    one(operator, value)
}

fn ranked(asked: &Asked<'_>) -> Tests {
    let ranks = RANKED.iter().find(|(field, _)| field == asked.field);
    let (_, ranks) = ranks.ok_or_else(|| asked.no_operator())?;
    let first = asked.only(asked.first()?)?;
    let Some(at) = ranks.iter().position(|rank| *rank == first.text) else {
        // The condition's own check says which values there are.
        return one("is", json!(first.text));
    };
    let fitting = match asked.sign {
        Sign::Less => &ranks[..at],
        Sign::LessOrSame => &ranks[..=at],
        Sign::More => &ranks[at + 1..],
        Sign::MoreOrSame | Sign::Colon => &ranks[at..],
    };
    match fitting {
        [only] => one("is", json!(only)),
        some => one("in", json!(some)),
    }
}

fn id(piece: &Piece, terms: &SearchTerms<'_>) -> Result<Value, QueryError> {
    if piece.is_quoted || piece.text != ME {
        return Ok(json!(piece.text));
    }
    let me = terms.me.ok_or_else(|| QueryErrorKind::NoMe.at(piece.column))?;
    Ok(json!(me.to_string()))
}

fn boolean(piece: &Piece) -> Result<Value, QueryError> {
    match piece.text.as_str() {
        "true" | "yes" => Ok(json!(true)),
        "false" | "no" => Ok(json!(false)),
        text => Err(QueryErrorKind::Boolean { text: text.to_owned() }.at(piece.column)),
    }
}

fn number(piece: &Piece) -> Result<Value, QueryError> {
    if let Ok(whole) = piece.text.parse::<i64>() {
        return Ok(json!(whole));
    }
    match piece.text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(json!(number)),
        Ok(_) | Err(_) => Err(QueryErrorKind::Number { text: piece.text.clone() }.at(piece.column)),
    }
}

fn clock(asked: &Asked<'_>, piece: &Piece) -> Tests {
    if piece.text == BREACHED {
        return one("breached", json!(true));
    }
    if ClockState::ALL.iter().any(|state| state.as_str() == piece.text) {
        return one("state", json!(piece.text));
    }
    let states: Vec<&str> = ClockState::ALL.iter().map(|state| state.as_str()).collect();
    let near = crate::condition::suggestion(&piece.text, states.into_iter().chain([BREACHED]));
    let message = format!("`{}` is no state of `{}`{near}", piece.text, asked.field);
    Err(QueryErrorKind::Value(crate::fault::Fault::invalid("", message)).at(piece.column))
}

/// `8h`, or `8h@office` for working time.
fn age(piece: &Piece) -> Result<Value, QueryError> {
    match piece.text.split_once('@') {
        None => Ok(json!(length(piece, &piece.text)?)),
        Some((text, calendar)) => {
            Ok(json!({"seconds": length(piece, text)?, "calendar": calendar}))
        }
    }
}

/// Seconds: a whole number, and its unit.
fn length(piece: &Piece, text: &str) -> Result<i64, QueryError> {
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(*unit));
    let (digits, seconds) = match unit {
        Some((unit, seconds)) => (text.trim_end_matches(*unit), *seconds),
        None => (text, 1),
    };
    let n_cut = text.len() - digits.len();
    let length = digits.parse::<i64>().ok().and_then(|n| n.checked_mul(seconds));
    length
        .filter(|_| n_cut <= 1)
        .ok_or_else(|| QueryErrorKind::Length { text: piece.text.clone() }.at(piece.column))
}

/// What a date or an instant names.
#[derive(Debug, Clone, Copy)]
enum Named {
    At(DateTime<Utc>),
    /// From the first to before the second.
    Day(DateTime<Utc>, DateTime<Utc>),
}

/// The shortest time there is.
const TICK: TimeDelta = TimeDelta::nanoseconds(1);

impl Named {
    /// What is before it is before this.
    fn start(self) -> Option<DateTime<Utc>> {
        match self {
            Self::At(at) | Self::Day(at, _) => Some(at),
        }
    }

    /// What is in it or later is after this.
    fn before(self) -> Option<DateTime<Utc>> {
        self.start()?.checked_sub_signed(TICK)
    }

    /// What is later than it is after this.
    fn after(self) -> Option<DateTime<Utc>> {
        match self {
            Self::At(at) => Some(at),
            Self::Day(_, end) => end.checked_sub_signed(TICK),
        }
    }

    /// What is in it or earlier is before this.
    fn end(self) -> Option<DateTime<Utc>> {
        match self {
            Self::At(at) => at.checked_add_signed(TICK),
            Self::Day(_, end) => Some(end),
        }
    }
}

fn instant(piece: &Piece, sign: Sign, terms: &SearchTerms<'_>) -> Tests {
    let test = |operator, at: Option<DateTime<Utc>>| {
        let at = at.ok_or_else(|| no_date(piece))?;
        Ok(Operation { operator, value: json!(instant_text(at)) })
    };
    let (first, last) = match piece.text.split_once(RANGE) {
        Some((first, last)) if sign == Sign::Colon => {
            let part = |text: &str| span(&Piece { text: text.to_owned(), ..piece.clone() }, terms);
            (part(first)?, part(last)?)
        }
        _ => {
            let named = span(piece, terms)?;
            (named, named)
        }
    };
    match sign {
        Sign::Colon => Ok(vec![test("after", first.before())?, test("before", last.end())?]),
        Sign::Less => Ok(vec![test("before", first.start())?]),
        Sign::LessOrSame => Ok(vec![test("before", first.end())?]),
        Sign::More => Ok(vec![test("after", first.after())?]),
        Sign::MoreOrSame => Ok(vec![test("after", first.before())?]),
    }
}

fn span(piece: &Piece, terms: &SearchTerms<'_>) -> Result<Named, QueryError> {
    if let Ok(at) = DateTime::parse_from_rfc3339(&piece.text) {
        return Ok(Named::At(at.to_utc()));
    }
    day(&piece.text, terms.time_zone).ok_or_else(|| no_date(piece))
}

fn day(text: &str, time_zone: &str) -> Option<Named> {
    let is_date = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date: Date = is_date.then(|| text.parse().ok()).flatten()?;
    // The configuration has checked its zone; one that is not known counts as none.
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let next = date.checked_add(Span::new().days(1)).ok()?;
    Some(Named::Day(start_of_day(date, &zone)?, start_of_day(next, &zone)?))
}

fn no_date(piece: &Piece) -> QueryError {
    QueryErrorKind::Date { text: piece.text.clone() }.at(piece.column)
}

pub(super) fn instant_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
