//! A text query in one language: the runs of stems that must stand in a ticket, and those
//! that must not; and the plain walk that says whether they do.

use super::text::TicketText;
use crate::full::question::stem;
use crate::language::{Analyzer, Piece, pieces};
use helpdesk_core::search_query::TextQuery;

/// One piece of a text: as it is written, folded, and as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) folded: String,
    pub(crate) stem: String,
}

/// Words that follow each other.
pub(crate) type Run = Vec<Word>;

/// A text query in one language.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) all: Vec<Run>,
    pub(crate) none: Vec<Run>,
}

impl Wanted {
    /// What the query means in the analyzer's language. A single word that says nothing by
    /// itself need not be there, unless there are no others.
    pub(crate) fn of(query: &TextQuery, analyzer: &Analyzer) -> Self {
        let runs = |texts: &[String]| -> Vec<Run> {
            let runs = texts.iter().map(|text| run(text, analyzer));
            runs.filter(|run| !run.is_empty()).collect()
        };
        let (mut all, none) = (runs(&query.all), runs(&query.none));
        let says_nothing = |run: &Run| run.len() == 1 && analyzer.is_stop_word(&run[0].folded);
        if !all.iter().all(says_nothing) {
            all.retain(|run| !says_nothing(run));
        }
        Self { all, none }
    }

    fn holds(&self, lines: &[Vec<String>]) -> bool {
        let has = |run: &Run| {
            let is_here = |at: &[String]| at.iter().zip(run).all(|(stem, word)| *stem == word.stem);
            lines.iter().any(|line| line.windows(run.len()).any(is_here))
        };
        self.all.iter().all(has) && !self.none.iter().any(has)
    }
}

fn run(text: &str, analyzer: &Analyzer) -> Run {
    let mut run = Vec::new();
    pieces(text, |piece| {
        let (folded, is_word) = match piece {
            Piece::Word { folded, .. } => (folded, true),
            Piece::Gram { text, .. } => (text, false),
        };
        run.push(Word { folded: folded.to_owned(), stem: stem(analyzer, folded, is_word) });
    });
    run
}

/// Whether the ticket has what the query asks for, in what of it the asker may read. The
/// plain form of [`TicketIndex::matching`](super::TicketIndex::matching), without an index:
/// both say the same of every ticket.
///
/// ```
/// use helpdesk_core::access::scope::ScopeFacts;
/// use helpdesk_core::id::{ContactId, TicketId};
/// use helpdesk_core::search_query::TextQuery;
/// use helpdesk_search::{MessageText, TicketText, ticket_has};
/// use uuid::Uuid;
/// let requester = ContactId(Uuid::from_u128(1));
/// let message = |is_internal, text: &str| MessageText { is_internal, text: text.to_owned() };
/// let ticket = TicketText {
///     id: TicketId(Uuid::from_u128(2)),
///     language: Some("en".to_owned()),
///     subject: "Invoices".to_owned(),
///     messages: vec![message(false, "Two are\nmissing."), message(true, "A bad payer.")],
///     scope: ScopeFacts {
///         requester, on_copy: vec![], organization: None, group: None, assignee: None,
///     },
/// };
/// let query = |text: &str| TextQuery { all: vec![text.to_owned()], none: vec![] };
/// assert!(ticket_has(&ticket, &query("invoice"), false));
/// assert!(ticket_has(&ticket, &query("are missing"), false));
/// assert!(!ticket_has(&ticket, &query("payer"), false));
/// assert!(ticket_has(&ticket, &query("payer"), true));
/// ```
#[must_use]
pub fn ticket_has(ticket: &TicketText, query: &TextQuery, reads_notes: bool) -> bool {
    let analyzer = Analyzer::of(&ticket.language());
    let wanted = Wanted::of(query, &analyzer);
    let (subject, body) = (ticket.subject.replace('\n', " "), ticket.body(reads_notes));
    let lines: Vec<Vec<String>> = [subject.as_str()]
        .into_iter()
        .chain(body.split('\n'))
        .map(|line| analyzer.words(line))
        .collect();
    wanted.holds(&lines)
}
