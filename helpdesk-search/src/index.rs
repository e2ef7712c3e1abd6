//! What an index of articles does, and how it is asked.

use crate::asker::Asker;
use crate::hits::Hits;
use crate::synonyms::Synonyms;
use helpdesk_core::article::Article;
use helpdesk_core::id::{ArticleId, Key, TenantId};
use helpdesk_core::limit::PAGE_MAX;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// Hits of a page unless the question says otherwise.
pub const HITS_DEFAULT: usize = 10;

/// A question to an index of articles.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArticleQuery {
    /// Whose articles.
    pub tenant: TenantId,
    /// Who asks.
    pub asker: Asker,
    /// What is asked: words, in any case and order. Without a word nothing is found.
    pub text: String,
    /// Hits to pass over: those of earlier pages.
    pub offset: usize,
    /// Hits of a page; more than [`PAGE_MAX`] counts as that many, and 0 asks for
    /// the total alone.
    pub limit: usize,
    /// Languages that the asker reads, as ISO 639 codes: articles in any other come
    /// after all of these. Empty: all alike.
    pub languages: Vec<String>,
    /// Only articles of this category.
    pub category: Option<Key>,
    /// Only articles with this label.
    pub label: Option<String>,
    /// Never this article.
    pub except: Option<ArticleId>,
    /// Whether the answer counts what was found by category, label and language.
    pub facets: bool,
    /// Words that mean the same to this desk.
    pub synonyms: Arc<Synonyms>,
}

impl ArticleQuery {
    /// The first page, of [`HITS_DEFAULT`] hits.
    #[must_use]
    pub fn new(tenant: TenantId, asker: Asker, text: impl Into<String>) -> Self {
        Self {
            tenant,
            asker,
            text: text.into(),
            offset: 0,
            limit: HITS_DEFAULT,
            languages: Vec::new(),
            category: None,
            label: None,
            except: None,
            facets: false,
            synonyms: Arc::default(),
        }
    }

    /// Another page: at most `limit` hits after the first `offset`.
    #[must_use]
    pub fn with_page(mut self, offset: usize, limit: usize) -> Self {
        self.offset = offset;
        self.limit = limit.min(PAGE_MAX);
        self
    }

    /// Articles in these languages first.
    #[must_use]
    pub fn with_languages(
        mut self,
        languages: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.languages = languages.into_iter().map(Into::into).collect();
        self
    }

    /// Only this category.
    #[must_use]
    pub fn with_category(mut self, category: Key) -> Self {
        self.category = Some(category);
        self
    }

    /// Only this label.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With counts by category, label and language.
    #[must_use]
    pub fn with_facets(mut self) -> Self {
        self.facets = true;
        self
    }

    /// With the desk's synonyms.
    #[must_use]
    pub fn with_synonyms(mut self, synonyms: Arc<Synonyms>) -> Self {
        self.synonyms = synonyms;
        self
    }
}

/// What happened to an article, as an index hears of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The article is so now, of whatever state: one that is not published is not found.
    Upsert(TenantId, Article),
    /// There is no such article any more. No error when there was none.
    Delete(TenantId, ArticleId),
    /// The feed of this tenant, which the changes come from, has been read up to here:
    /// stored with the changes before it, and given back after the index is opened again.
    Reached(TenantId, u64),
}

/// The number of a change: those of one index count up from 1.
pub type Seq = u64;

/// Why an index did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The index failed; try again, and rebuild it from the store if that fails too.
    #[error("the {index} index failed")]
    Index {
        /// Which.
        index: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process, or another part of this one, has the index open; one at a time may.
    #[error("the index is open elsewhere; close it there, or open another folder")]
    Locked,
    /// What lies in the folder is no index, or one of another program; the folder may be
    /// deleted, and the index made again from the store.
    #[error("`{}` holds no index of ours; delete it and rebuild the index", folder.display())]
    Format {
        /// Where.
        folder: PathBuf,
    },
    /// The index has as many pairs of a tenant and a language as it can hold; open another.
    #[error("the index holds {limit} pairs of tenant and language already; open another")]
    TooManyGroups {
        /// How many there may be.
        limit: usize,
    },
    /// The index is being rebuilt already.
    #[error("the index is being rebuilt already; wait until that has ended")]
    Rebuilding,
}

/// An index of the articles of all tenants.
///
/// # Contract
///
/// - Only articles that [`Asker::permits`] have a part in an answer: in hits,
///   totals, counts and scores. Leaving the others out of the index changes nothing.
/// - No tenant's articles have a part in another's answer.
/// - A change shows in every question asked after its call has returned.
/// - The same articles and the same question give the same answer, in whatever
///   order the articles came in.
///
/// Source: spec/search.md, "What it offers".
pub trait ArticleIndex: Send + Sync + Debug {
    /// Takes an article in, in the place of the one with the same id. Of any state:
    /// one that is not published is not found. The last call stands; revisions
    /// are not compared.
    ///
    /// # Errors
    ///
    /// [`SearchError`]; the article may have been taken in or not.
    fn upsert(&self, tenant: TenantId, article: &Article) -> Result<(), SearchError>;

    /// Forgets an article. No error when there is none.
    ///
    /// # Errors
    ///
    /// [`SearchError`]; the article may have been forgotten or not.
    fn delete(&self, tenant: TenantId, id: ArticleId) -> Result<(), SearchError>;

    /// One page of the articles that fit the question, and how many there are.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    fn search(&self, query: &ArticleQuery) -> Result<Hits, SearchError>;

    /// How many articles the asker may find.
    ///
    /// # Errors
    ///
    /// [`SearchError::Index`].
    fn n_articles(&self, tenant: TenantId, asker: &Asker) -> Result<usize, SearchError>;
}
