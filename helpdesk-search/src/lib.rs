//! Search over a help desk's knowledge base.
//!
//! An index is disposable: the store is the truth, and what an index holds is
//! rebuilt from it. Every question names the [`Asker`], and an article that the
//! asker may not read has no part in the answer: not in the hits, not in their
//! total, not in their scores.
//!
//! [`NaiveIndex`] is the plain form: it compares words, in memory, and is what an
//! index that stems, ranks and forgives is compared with.
//!
//! ```
//! use helpdesk_core::article::{Article, ArticleState, Visibility};
//! use helpdesk_core::id::{ArticleId, Key, TenantId};
//! use helpdesk_search::{ArticleIndex, ArticleQuery, Asker, NaiveIndex};
//! use uuid::Uuid;
//!
//! let tenant = TenantId(Uuid::from_u128(1));
//! let article = Article {
//!     id: ArticleId(Uuid::from_u128(7)),
//!     key: Key::new("refunds").map_err(|fault| fault.to_string())?,
//!     language: "en".to_owned(),
//!     title: "How to ask for a refund".to_owned(),
//!     body: "Open the invoice and choose *Refund*.".to_owned(),
//!     category: None,
//!     labels: Vec::new(),
//!     visibility: Visibility::SignedIn,
//!     state: ArticleState::Published,
//!     revision: 1,
//!     n_helpful: 0,
//!     n_unhelpful: 0,
//!     review_at: None,
//! };
//! let index = NaiveIndex::new();
//! index.upsert(tenant, &article)?;
//!
//! let requester = Asker::Requester { tags: Vec::new() };
//! let hits = index.search(&ArticleQuery::new(tenant, requester, "invoice refund"))?;
//! assert_eq!((hits.total, hits.hits[0].id), (1, article.id));
//! assert_eq!(hits.hits[0].snippet.marked(), ["invoice", "Refund"]);
//!
//! let hits = index.search(&ArticleQuery::new(tenant, Asker::Anonymous, "invoice refund"))?;
//! assert_eq!(hits.total, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asker;
mod hits;
mod index;
mod naive;

pub use asker::Asker;
pub use hits::{Hit, Hits, SNIPPET_CHARS_MAX, Snippet, WordMatch};
pub use index::{ArticleIndex, ArticleQuery, HITS_DEFAULT, SearchError};
pub use naive::NaiveIndex;
