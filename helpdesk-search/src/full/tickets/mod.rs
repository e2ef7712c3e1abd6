//! The index of tickets.

mod find;
#[cfg(test)]
mod tests;
mod text;
mod wanted;

pub use text::{MessageText, TICKET_TEXT_BYTES_MAX, TicketChange, TicketText};
pub use wanted::ticket_has;

use super::audience::{Audience, Texts};
use super::entry::Entry;
use super::generation::failed;
use super::handle::{Handle, Rebuilding};
use super::options::IndexOptions;
use super::plan::GroupPlan;
use super::show::{Marker, show};
use super::snapshot::Snapshot;
use super::weights::CANDIDATES;
use super::{Checkpoints, Status, close, question, search};
use crate::asker::Asker;
use crate::hits::{Hit, ScoreParts, Snippet, WordMatch};
use crate::index::{ArticleQuery, HITS_DEFAULT, SearchError, Seq};
use crate::synonyms::Synonyms;
use find::TicketPlan;
use helpdesk_core::access::scope::Scope;
use helpdesk_core::id::{ArticleId, TenantId, TicketId};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::search_query::TextQuery;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

/// An index of the texts of tickets: subject and messages, on disk or in memory, of one
/// tenant or of many.
///
/// It is kept like [`FullTextIndex`](super::FullTextIndex): changes in batches that become
/// visible together, checkpoints beside them, a rebuild while the old one answers. It knows
/// the words of tickets and whose they are, and nothing else: conditions are the store's.
///
/// A ticket is found by each word and phrase of the question, in whatever form the ticket's
/// language gives them, or not at all; typing errors are not forgiven. Every question names
/// the tickets that the asker may read, and those whose internal texts they may: what is
/// beyond that has no part in the answer, down to the statistics of the scores.
///
/// ```
/// use helpdesk_core::access::scope::{Scope, ScopeFacts};
/// use helpdesk_core::id::{ContactId, TenantId, TicketId};
/// use helpdesk_core::search_query::TextQuery;
/// use helpdesk_search::{
///     IndexOptions, MessageText, TicketChange, TicketIndex, TicketQuery, TicketText,
/// };
/// use uuid::Uuid;
///
/// let (tenant, anna) = (TenantId(Uuid::from_u128(1)), ContactId(Uuid::from_u128(2)));
/// let message = |is_internal, text: &str| MessageText { is_internal, text: text.to_owned() };
/// let ticket = TicketText {
///     id: TicketId(Uuid::from_u128(3)),
///     language: Some("en".to_owned()),
///     subject: "Invoices are missing".to_owned(),
///     messages: vec![message(false, "Please send them."), message(true, "A bad payer.")],
///     scope: ScopeFacts {
///         requester: anna, on_copy: vec![], organization: None, group: None, assignee: None,
///     },
/// };
/// let index = TicketIndex::in_memory(&IndexOptions::default())?;
/// index.apply(&[TicketChange::Upsert(tenant, ticket)])?;
/// index.commit()?;
///
/// let text = |word: &str| TextQuery { all: vec![word.to_owned()], none: vec![] };
/// let of_anna = TicketQuery::new(tenant, text("invoice")).read_by(Scope::Requester(anna));
/// assert_eq!(index.search(&of_anna)?.total, 1);
/// let of_anna = TicketQuery::new(tenant, text("payer")).read_by(Scope::Requester(anna));
/// assert_eq!(index.search(&of_anna)?.total, 0);
/// let of_agent = TicketQuery::new(tenant, text("payer")).read_by(Scope::All);
/// assert_eq!(index.search(&of_agent.with_notes(Scope::All))?.total, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TicketIndex {
    handle: Handle,
}

/// A question to an index of tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TicketQuery {
    /// Whose tickets.
    pub tenant: TenantId,
    /// The tickets that the asker may read; none unless said.
    pub reads: Scope,
    /// Of those, the ones whose internal texts they may read; none unless said.
    pub reads_notes: Scope,
    /// The words. Without any that must be there, all tickets are found but those with a
    /// word that must not.
    pub text: TextQuery,
    /// Only these.
    pub among: Option<HashSet<TicketId>>,
    /// Hits to pass over.
    pub offset: usize,
    /// Hits of a page, [`PAGE_MAX`] at most; 0 asks for the total alone.
    pub limit: usize,
}

impl TicketQuery {
    /// The first page, of [`HITS_DEFAULT`] hits, for an asker who may read nothing yet.
    #[must_use]
    pub fn new(tenant: TenantId, text: TextQuery) -> Self {
        Self {
            tenant,
            reads: Scope::None,
            reads_notes: Scope::None,
            text,
            among: None,
            offset: 0,
            limit: HITS_DEFAULT,
        }
    }

    /// For an asker who may read these tickets.
    #[must_use]
    pub fn read_by(mut self, reads: Scope) -> Self {
        self.reads = reads;
        self
    }

    /// And the internal texts of these.
    #[must_use]
    pub fn with_notes(mut self, reads_notes: Scope) -> Self {
        self.reads_notes = reads_notes;
        self
    }

    /// Only of these tickets.
    #[must_use]
    pub fn among(mut self, tickets: impl IntoIterator<Item = TicketId>) -> Self {
        self.among = Some(tickets.into_iter().collect());
        self
    }

    /// Another page: at most `limit` hits after the first `offset`.
    #[must_use]
    pub fn with_page(mut self, offset: usize, limit: usize) -> Self {
        self.offset = offset;
        self.limit = limit.min(PAGE_MAX);
        self
    }

    fn sees(&self, audience: &Audience) -> bool {
        let Audience::Ticket { texts, of } = audience else { return false };
        let reads_notes = || self.reads_notes.permits_facts(of);
        self.reads.permits_facts(of)
            && match texts {
                Texts::Whole => true,
                Texts::Public => !reads_notes(),
                Texts::Internal => reads_notes(),
            }
    }

    fn keeps(&self, id: u128) -> bool {
        let has = |among: &HashSet<TicketId>| among.contains(&ticket_id(id));
        self.among.as_ref().is_none_or(has)
    }
}

fn ticket_id(id: u128) -> TicketId {
    TicketId(uuid::Uuid::from_u128(id))
}

/// One page of an answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TicketHits {
    /// Tickets found that the asker may read, on all pages.
    pub total: usize,
    /// Those of this page, best first; equal scores by id.
    pub hits: Vec<TicketHit>,
}

/// One ticket found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketHit {
    /// Which.
    pub id: TicketId,
    /// The part of its messages to show, with the words found: of what the asker may read.
    pub snippet: Snippet,
    /// How well it fits; comparable within one answer only.
    pub score: f32,
    /// What the score is the sum of.
    pub parts: ScoreParts,
    /// Which words stand in the subject (title), and which in the messages (body).
    pub why: Vec<WordMatch>,
}

impl From<Hit> for TicketHit {
    fn from(hit: Hit) -> Self {
        let Hit { id, snippet, score, parts, why, title: _ } = hit;
        Self { id: TicketId(id.0), snippet, score, parts, why }
    }
}

/// An index of tickets that is being made anew, step by step. Until
/// [`finish`](Self::finish) the old one answers; changes that come meanwhile are in both.
/// Dropping it gives up.
#[must_use]
pub struct TicketRebuild(Rebuilding);

impl TicketRebuild {
    /// Takes tickets in, in any order, each once.
    ///
    /// # Errors
    ///
    /// [`SearchError`]; drop it then.
    pub fn add(&self, tenant: TenantId, tickets: Vec<TicketText>) -> Result<(), SearchError> {
        let entry = |ticket| Entry::from(&TicketChange::Upsert(tenant, ticket));
        self.0.add(&tickets.into_iter().map(entry).collect::<Vec<_>>())
    }

    /// Puts the new index in the place of the old one; the number of the last change in it.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`], and then the old index stays.
    pub fn finish(self) -> Result<Seq, SearchError> {
        self.0.finish()
    }
}

impl TicketIndex {
    /// An index that is gone with the program.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    pub fn in_memory(options: &IndexOptions) -> Result<Self, SearchError> {
        Ok(Self { handle: Handle::in_memory(options)? })
    }

    /// The index in the folder, which is made when there is none. One program at a time
    /// may have it open; articles have a folder of their own.
    ///
    /// # Errors
    ///
    /// As [`FullTextIndex::open`](super::FullTextIndex::open).
    pub fn open(folder: impl AsRef<Path>, options: &IndexOptions) -> Result<Self, SearchError> {
        Ok(Self { handle: Handle::open(folder.as_ref(), options)? })
    }

    /// Takes changes in, in order; the number of the last. They show within the window
    /// and the time of a commit.
    ///
    /// # Errors
    ///
    /// [`SearchError`], also that of a commit that has failed since the last call. Giving
    /// all of the changes again does no harm.
    pub fn apply(&self, changes: &[TicketChange]) -> Result<Seq, SearchError> {
        self.handle.apply(&changes.iter().map(Entry::from).collect::<Vec<_>>())
    }

    /// Makes all changes taken in visible and durable; the number of the last.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    pub fn commit(&self) -> Result<Seq, SearchError> {
        self.handle.commit()
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.handle.status()
    }

    /// Where the feed of each tenant has been read up to, what is not committed yet
    /// included: from here a follower of the feed goes on.
    #[must_use]
    pub fn reached(&self) -> Checkpoints {
        self.handle.applied_checkpoints()
    }

    /// Begins to make the index anew.
    ///
    /// # Errors
    ///
    /// [`SearchError::Rebuilding`] when that is under way; [`SearchError::Index`].
    pub fn begin_rebuild(&self) -> Result<TicketRebuild, SearchError> {
        self.handle.begin_rebuild().map(TicketRebuild)
    }

    /// One page of the tickets that fit, best first, and how many there are.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    pub fn search(&self, query: &TicketQuery) -> Result<TicketHits, SearchError> {
        answer(&self.handle.snapshot(), query).map_err(failed)
    }

    /// All tickets that fit; page and order do not matter.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    pub fn matching(&self, query: &TicketQuery) -> Result<HashSet<TicketId>, SearchError> {
        matching(&self.handle.snapshot(), query).map_err(failed)
    }

    /// Tickets like a text of any length: of a long one, the words that say the most are
    /// looked up. The query's own words do not matter, and `except` is never among the hits.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    pub fn similar(
        &self,
        query: &TicketQuery,
        text: &str,
        except: Option<TicketId>,
    ) -> Result<TicketHits, SearchError> {
        similar(&self.handle.snapshot(), query, text, except).map_err(failed)
    }
}

fn answer(snapshot: &Snapshot, query: &TicketQuery) -> tantivy::Result<TicketHits> {
    let plans = find::plans(snapshot, query.tenant, &|audience| query.sees(audience), &query.text)?;
    let limit = query.limit.min(PAGE_MAX);
    let n_wanted = query.offset.saturating_add(limit);
    let n_kept = if limit == 0 { 0 } else { n_wanted.max(CANDIDATES) };
    let (total, candidates) = find::best(snapshot, &plans, n_kept, |id| query.keeps(id))?;
    let plans: Vec<GroupPlan> = plans.into_iter().map(|TicketPlan { all, .. }| all).collect();
    let best = close::rank(snapshot, &plans, candidates)?;
    page(snapshot, &plans, &best, query).map(|hits| TicketHits { total, hits })
}

fn page(
    snapshot: &Snapshot,
    plans: &[GroupPlan],
    best: &[close::Ranked],
    query: &TicketQuery,
) -> tantivy::Result<Vec<TicketHit>> {
    let mut markers: Vec<Marker<'_>> = plans.iter().map(Marker::new).collect();
    let page = best.iter().skip(query.offset).take(query.limit.min(PAGE_MAX));
    page.map(|ranked| show(snapshot, &mut markers[ranked.candidate.plan as usize], ranked))
        .map(|hit| hit.map(TicketHit::from))
        .collect()
}

fn matching(snapshot: &Snapshot, query: &TicketQuery) -> tantivy::Result<HashSet<TicketId>> {
    let plans = find::plans(snapshot, query.tenant, &|audience| query.sees(audience), &query.text)?;
    let mut found = HashSet::new();
    for plan in &plans {
        for (segment, i_segment) in snapshot.segments.iter().zip(0..) {
            find::each_match(plan, (i_segment, segment), false, |doc, _| {
                let id = segment.id(doc);
                if query.keeps(id) {
                    found.insert(ticket_id(id));
                }
            })?;
        }
    }
    Ok(found)
}

fn similar(
    snapshot: &Snapshot,
    query: &TicketQuery,
    text: &str,
    except: Option<TicketId>,
) -> tantivy::Result<TicketHits> {
    let slots = |analyzer: &_| question::slots(text, analyzer, &Synonyms::default());
    let sees = |audience: &Audience| query.sees(audience);
    let plans = search::plans_with(snapshot, query.tenant, &sees, slots)?;
    // Plans hold who asks; of the rest, a question about articles knows what is left out.
    let mut asked = ArticleQuery::new(query.tenant, Asker::Anonymous, "");
    asked.except = except.map(|id| ArticleId(id.0));
    let n_wanted = query.offset.saturating_add(query.limit.min(PAGE_MAX));
    let found = search::find(snapshot, &asked, &plans, n_wanted)?;
    let hits = page(snapshot, &plans, &found.best, query)?;
    Ok(TicketHits { total: found.n_found, hits })
}

impl fmt::Debug for TicketIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketIndex").field("status", &self.status()).finish()
    }
}
impl fmt::Debug for TicketRebuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketRebuild")
    }
}
