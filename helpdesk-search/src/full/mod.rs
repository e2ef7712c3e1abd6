//! The full-text index.

mod audience;
mod close;
mod document;
mod entry;
mod facets;
mod generation;
mod handle;
mod keeper;
mod options;
mod plan;
mod question;
mod registry;
mod schema;
mod score;
mod search;
mod show;
mod snapshot;
mod suggest;
#[cfg(test)]
mod tests;
mod tickets;
mod typo;
mod weights;

pub use options::IndexOptions;
pub use suggest::{SUGGESTED_MAX, Suggested, Suggestions};
pub use tickets::{
    MessageText, TICKET_TEXT_BYTES_MAX, TicketChange, TicketHit, TicketHits, TicketIndex,
    TicketQuery, TicketRebuild, TicketText, ticket_has,
};

use crate::asker::Asker;
use crate::hits::Hits;
use crate::index::{ArticleIndex, ArticleQuery, Change, SearchError, Seq};
use audience::Audience;
use entry::Entry;
use handle::{Handle, Rebuilding};
use helpdesk_core::article::Article;
use helpdesk_core::id::{ArticleId, TenantId};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// An index that stems, ranks and forgives, on disk or in memory, of one tenant or of many.
///
/// Changes are taken in at once and committed a little later, all of
/// [`IndexOptions::window`] together; [`commit`](Self::commit) does it now. A commit is
/// durable and visible when it returns, and a crash leaves the last one. Questions are
/// answered from the last commit and never wait for a change.
///
/// An index is disposable. When [`Status::stale`] says so, it was made by another version
/// of the analyzers: it still answers, and [`rebuild`](Self::rebuild) makes it anew meanwhile.
///
/// Of a tenant, only articles that the asker may read count, down to the statistics of
/// the scores; tenants share a folder, but no word and no number.
///
/// ```
/// # use helpdesk_core::article::Article;
/// # use helpdesk_core::id::{ArticleId, Key, TenantId};
/// use helpdesk_search::{ArticleIndex, ArticleQuery, Asker, Change, FullTextIndex, IndexOptions};
/// # use uuid::Uuid;
/// # let tenant = TenantId(Uuid::from_u128(1));
/// # let (id, key) = (ArticleId(Uuid::from_u128(2)), Key::new("passwords")?);
/// # let (title, body) = ("Resetting your password", "Use the link in the mail.");
/// # let article = Article::published(id, key, "en", title, body);
/// let index = FullTextIndex::in_memory(&IndexOptions::default())?;
/// index.apply(&[Change::Upsert(tenant, article)])?;
/// index.commit()?;
/// let hits = index.search(&ArticleQuery::new(tenant, Asker::Anonymous, "reset pasword"))?;
/// assert_eq!(hits.hits[0].title, "Resetting your password");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FullTextIndex {
    handle: Handle,
}

/// Where the feed of each tenant has been read up to.
pub type Checkpoints = BTreeMap<TenantId, u64>;

/// How an index stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The last change that questions see.
    pub visible: Seq,
    /// The last change taken in.
    pub applied: Seq,
    /// Where the feed of each tenant had been read up to at the last commit.
    pub reached: Checkpoints,
    /// Documents of all tenants: one for each article that can be found, and for each ticket;
    /// two for a ticket with internal notes.
    pub n_documents: u64,
    /// Why the index should be rebuilt, if it should.
    pub stale: Option<String>,
    /// Whether it is being rebuilt.
    pub is_rebuilding: bool,
}

/// An index of articles that is being made anew.
pub struct ArticleRebuild(Rebuilding);

impl ArticleRebuild {
    /// Takes articles in, in any order, each once.
    ///
    /// # Errors
    ///
    /// [`SearchError`]; drop it then.
    pub fn add(&self, tenant: TenantId, articles: &[Article]) -> Result<(), SearchError> {
        let entries = articles.iter().map(|article| Entry::of_article(tenant, article));
        self.0.add(&entries.collect::<Vec<_>>())
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

impl fmt::Debug for ArticleRebuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArticleRebuild").finish_non_exhaustive()
    }
}

impl FullTextIndex {
    /// An index that is gone with the program.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    pub fn in_memory(options: &IndexOptions) -> Result<Self, SearchError> {
        Ok(Self { handle: Handle::in_memory(options)? })
    }

    /// The index in the folder, which is made when there is none. One program at a time
    /// may have it open. What a crash left behind is cleared away.
    ///
    /// # Errors
    ///
    /// [`SearchError::Locked`] when it is open elsewhere; [`SearchError::Format`] when
    /// something else lies there; [`SearchError::Index`].
    pub fn open(folder: impl AsRef<Path>, options: &IndexOptions) -> Result<Self, SearchError> {
        Ok(Self { handle: Handle::open(folder.as_ref(), options)? })
    }

    /// Takes changes in, in order; the number of the last. They show within the window
    /// and the time of a commit.
    ///
    /// # Errors
    ///
    /// [`SearchError`], also that of a commit that has failed since the last call. Some
    /// of the changes may have been taken in; giving all of them again does no harm.
    pub fn apply(&self, changes: &[Change]) -> Result<Seq, SearchError> {
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

    /// Makes the index anew from all articles of all tenants, as the store has them, and
    /// tells `progress` how many are done. Until it returns, questions are answered by the
    /// old one; changes that come meanwhile are in both. It blocks: give it a thread.
    ///
    /// # Errors
    ///
    /// [`SearchError::Rebuilding`] when one is under way; [`SearchError::Index`], and
    /// then the old index stays.
    pub fn rebuild(
        &self,
        articles: impl IntoIterator<Item = (TenantId, Article)>,
        progress: impl FnMut(u64),
    ) -> Result<Seq, SearchError> {
        let entries = articles.into_iter();
        self.handle
            .rebuild(entries.map(|(tenant, article)| Entry::of_article(tenant, &article)), progress)
    }

    /// Where the feeds had been read up to when the last change was taken in, visible or not.
    #[must_use]
    pub fn reached(&self) -> Checkpoints {
        self.handle.applied_checkpoints()
    }

    /// As [`rebuild`](Self::rebuild), step by step. Dropping what it gives leaves the old
    /// index as it is.
    ///
    /// # Errors
    ///
    /// [`SearchError::Rebuilding`] when one is under way; [`SearchError::Index`].
    pub fn begin_rebuild(&self) -> Result<ArticleRebuild, SearchError> {
        self.handle.begin_rebuild().map(ArticleRebuild)
    }

    /// What the asker may be about to ask: words that begin like the last one, and articles
    /// for what stands there so far, at most [`SUGGESTED_MAX`] of each.
    ///
    /// Of the query, the tenant, the asker, the text and the synonyms count. Only titles are
    /// completed from.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    pub fn suggest(&self, query: &ArticleQuery) -> Result<Suggestions, SearchError> {
        suggest::suggest(&self.handle.snapshot(), query)
    }

    /// Articles like a text of any length, such as a ticket: "has this been answered?".
    /// Of a long text, the words that say the most are looked up. `except` is never among
    /// the hits.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    pub fn similar(
        &self,
        tenant: TenantId,
        asker: &Asker,
        text: &str,
        except: Option<ArticleId>,
        limit: usize,
    ) -> Result<Hits, SearchError> {
        let mut query = ArticleQuery::new(tenant, asker.clone(), text).with_page(0, limit);
        query.except = except;
        self.search(&query)
    }
}

impl ArticleIndex for FullTextIndex {
    fn upsert(&self, tenant: TenantId, article: &Article) -> Result<(), SearchError> {
        self.apply(&[Change::Upsert(tenant, article.clone())])?;
        self.commit().map(drop)
    }

    fn delete(&self, tenant: TenantId, id: ArticleId) -> Result<(), SearchError> {
        self.apply(&[Change::Delete(tenant, id)])?;
        self.commit().map(drop)
    }

    fn search(&self, query: &ArticleQuery) -> Result<Hits, SearchError> {
        search::search(&self.handle.snapshot(), query)
    }

    fn n_articles(&self, tenant: TenantId, asker: &Asker) -> Result<usize, SearchError> {
        let snapshot = self.handle.snapshot();
        let groups = snapshot.groups.of(tenant);
        let segments = &snapshot.segments;
        let classes = groups.flat_map(|(_, group)| segments.iter().map(move |s| (s, group)));
        let seen = classes
            .flat_map(|(segment, group)| segment.classes_of(group))
            .filter(|(_, class)| sees_article(asker, &class.audience));
        let n: u64 = seen.map(|(_, class)| class.n_docs).sum();
        Ok(usize::try_from(n).unwrap_or(usize::MAX))
    }
}

/// Whether the asker may read the article.
pub(crate) fn sees_article(asker: &Asker, audience: &Audience) -> bool {
    match audience {
        Audience::Article(visibility) => asker.sees(visibility),
        Audience::Ticket { .. } => false,
    }
}

impl fmt::Debug for FullTextIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FullTextIndex").field("status", &self.status()).finish()
    }
}
