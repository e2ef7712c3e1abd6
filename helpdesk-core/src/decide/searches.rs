//! what a session of searches came to: searches, articles opened, votes, a ticket.

use super::work::{Work, not_found};
use crate::article::{Search, SearchSession};
use crate::case::record::Record;
use crate::command::{RecordSearch, RecordSearchClick};
use crate::event::StreamId;
use crate::fault::{Code, Fault, Rejection};
use crate::id::{ArticleId, SearchSessionId, TicketId};
use crate::limit::{SESSION_SEARCH_CHARS_MAX, SESSION_STEPS_MAX};

/// One more search; the first step of a session begins it.
pub(super) fn record_search(work: &mut Work<'_>, record: &RecordSearch) -> Result<(), Rejection> {
    let text = record.text.trim();
    if text.is_empty() {
        return Err(Rejection::at(Code::Invalid, "text", "a search has some text"));
    }
    let n = text.chars().count();
    if n > SESSION_SEARCH_CHARS_MAX {
        return Err(over_limit("text", n, "chars", SESSION_SEARCH_CHARS_MAX));
    }
    let mut session = begun(work, record.session);
    let n = session.searches.len();
    if n >= SESSION_STEPS_MAX {
        return Err(over_limit("session", n + 1, "searches", SESSION_STEPS_MAX));
    }
    let (text, n_found, at) = (text.to_owned(), record.n_found, work.now);
    session.searches.push(Search { text, n_found, at, clicks: Vec::new() });
    keep(work, session);
    Ok(())
}

/// An article was opened that the newest search found; a second time says nothing new.
pub(super) fn record_click(
    work: &mut Work<'_>,
    click: &RecordSearchClick,
) -> Result<(), Rejection> {
    let mut session = begun(work, click.session);
    let Some(search) = session.searches.last_mut() else {
        return Err(not_found("session", click.session));
    };
    if search.clicks.contains(&click.article) {
        return Ok(());
    }
    let n = search.clicks.len();
    if n >= SESSION_STEPS_MAX {
        return Err(over_limit("session", n + 1, "articles", SESSION_STEPS_MAX));
    }
    search.clicks.push(click.article);
    keep(work, session);
    Ok(())
}

/// What was said of an article belongs to the session in which it was read.
pub(super) fn voted(
    work: &mut Work<'_>,
    session: Option<SearchSessionId>,
    article: ArticleId,
    helpful: bool,
) {
    let Some(session) = session else { return };
    let mut session = begun(work, session);
    // Who votes on that many articles has read none of them.
    if session.votes.len() < SESSION_STEPS_MAX {
        session.vote(article, helpful);
        keep(work, session);
    }
}

/// A ticket was opened after all; the first of a session counts.
pub(super) fn ended_in(work: &mut Work<'_>, session: Option<SearchSessionId>, ticket: TicketId) {
    let Some(session) = session else { return };
    let mut session = begun(work, session);
    if session.ticket.is_none() {
        session.ticket = Some(ticket);
        keep(work, session);
    }
}

/// The session as it is stored; a new one where there is none.
fn begun(work: &Work<'_>, id: SearchSessionId) -> SearchSession {
    match work.record(StreamId::search_session(id)) {
        Some(Record::SearchSession(session)) => (**session).clone(),
        _ => SearchSession::new(id, work.now),
    }
}

fn keep(work: &mut Work<'_>, session: SearchSession) {
    let stream = StreamId::search_session(session.id);
    let version = work.loaded.stream(stream).map_or(0, |stored| stored.version);
    work.depends_on(stream, version);
    work.put_record(Record::SearchSession(Box::new(session)));
}

fn over_limit(path: &str, n: usize, what: &str, max: usize) -> Rejection {
    Fault::over_limit(path, n, what, max).into()
}
