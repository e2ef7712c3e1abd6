//! Cuts a search into terms: words, phrases, and names with values.

use super::error::{QueryError, QueryErrorKind};
use crate::limit::SEARCH_VALUES_MAX;

/// One term, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// Of its first char, its `-` not counted.
    pub(super) column: usize,
    pub(super) is_negated: bool,
    pub(super) body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// A word or a phrase.
    Text(String),
    /// A name, how it is compared, and with what.
    Named { name: String, sign: Sign, values: Vec<Piece> },
}

/// What stands between a name and its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Colon,
    Less,
    LessOrSame,
    More,
    MoreOrSame,
}

impl Sign {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Colon => ":",
            Self::Less => "<",
            Self::LessOrSame => "<=",
            Self::More => ">",
            Self::MoreOrSame => ">=",
        }
    }
}

/// One value, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) is_quoted: bool,
    pub(super) column: usize,
}

/// Goes over the chars.
pub(super) struct Cutter {
    chars: Vec<char>,
    at: usize,
}

impl Cutter {
    pub(super) fn new(source: &str) -> Self {
        Self { chars: source.chars().collect(), at: 0 }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn column(&self) -> usize {
        self.at + 1
    }

    /// The next term; `None` at the end. After an error it goes on behind the spot.
    pub(super) fn next_term(&mut self) -> Option<Result<Term, QueryError>> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        self.peek()?;
        let is_negated = self.peek() == Some('-');
        let first = self.column();
        self.at += usize::from(is_negated);
        let column = self.column();
        if self.peek().is_none_or(char::is_whitespace) {
            return Some(Err(QueryErrorKind::NoValue { behind: "-".to_owned() }.at(first)));
        }
        let body = match name_in(&self.chars[self.at..]) {
            Some((name, sign, n_chars)) => {
                self.at += n_chars;
                self.values(&name, sign).map(|values| Body::Named { name, sign, values })
            }
            None if self.peek() == Some('"') => self.quoted().map(Body::Text),
            None => Ok(Body::Text(self.bare(|c| c.is_whitespace() || c == '"'))),
        };
        Some(body.map(|body| Term { column, is_negated, body }))
    }

    /// Values between commas; none where nothing stands there.
    fn values(&mut self, name: &str, sign: Sign) -> Result<Vec<Piece>, QueryError> {
        let mut values = Vec::new();
        if self.peek().is_none_or(char::is_whitespace) {
            return Ok(values);
        }
        loop {
            let column = self.column();
            let is_quoted = self.peek() == Some('"');
            let text = match is_quoted {
                true => self.quoted()?,
                false => self.bare(|c| c.is_whitespace() || c == '"' || c == ','),
            };
            if text.is_empty() && !is_quoted {
                self.bare(char::is_whitespace);
                let behind = match values.last() {
                    Some(Piece { text, .. }) => format!("{text},"),
                    None => format!("{name}{}", sign.as_str()),
                };
                return Err(QueryErrorKind::NoValue { behind }.at(column));
            }
            values.push(Piece { text, is_quoted, column });
            if self.peek() != Some(',') {
                break;
            }
            self.at += 1;
        }
        if values.len() > SEARCH_VALUES_MAX {
            let (n, what) = (values.len(), "values");
            let limit = QueryErrorKind::OverLimit { n, what, max: SEARCH_VALUES_MAX };
            return Err(limit.at(values[0].column));
        }
        Ok(values)
    }

    fn bare(&mut self, ends: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(|char| !ends(char)) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    /// What stands between quotes; `\"` is a quote inside, `\\` a backslash.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let column = self.column();
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(char) = self.peek() else {
                return Err(QueryErrorKind::UnclosedQuote.at(column));
            };
            self.at += 1;
            match (char, self.peek()) {
                ('"', _) => return Ok(text),
                ('\\', Some(next @ ('"' | '\\'))) => {
                    text.push(next);
                    self.at += 1;
                }
                _ => text.push(char),
            }
        }
    }
}

/// A name and a sign at the beginning, and how many chars that is. A name begins with
/// a letter, so `10:30` is text.
pub(super) fn name_in(chars: &[char]) -> Option<(String, Sign, usize)> {
    let is_in_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let n_name = chars.iter().take_while(|c| is_in_name(c)).count();
    if !chars.first()?.is_ascii_alphabetic() {
        return None;
    }
    let is_followed = chars.get(n_name + 1) == Some(&'=');
    let (sign, n_sign) = match (chars.get(n_name)?, is_followed) {
        (':', _) => (Sign::Colon, 1),
        ('<', true) => (Sign::LessOrSame, 2),
        ('<', false) => (Sign::Less, 1),
        ('>', true) => (Sign::MoreOrSame, 2),
        ('>', false) => (Sign::More, 1),
        _ => return None,
    };
    let name = chars[..n_name].iter().collect::<String>().to_ascii_lowercase();
    Some((name, sign, n_name + n_sign))
}
