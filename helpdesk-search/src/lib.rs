//! Search over a help desk's knowledge base and its tickets.
//!
//! An index is disposable: the store is the truth, and what an index holds is
//! rebuilt from it. Every question names the [`Asker`], and an article that the
//! asker may not read has no part in the answer: not in the hits, not in their
//! total, not in their scores.
//!
//! [`FullTextIndex`] is the index: on disk or in memory, of one tenant or of many. It is fed
//! with [`Change`]s, in batches that become visible together, says how far it has
//! got ([`Status`]) and is rebuilt while it answers. It compares words by an [`Analyzer`] for
//! each language, ranks, forgives typing errors, completes ([`FullTextIndex::suggest`]) and finds what is
//! like a text ([`FullTextIndex::similar`]).
//!
//! [`TicketIndex`] is kept like it, of tickets: each word and phrase of a question must be there, and
//! internal texts are searched for those who may read them. [`ticket_has`] is its plain form.
//!
//! [`NaiveIndex`] is the plain form: it compares words, in memory, and is what the other is
//! compared with.
//!
//! [`Classifier`] learns from texts which label fits, and says nothing when unsure;
//! [`TopicFinder`] finds what many texts are about and no article.
//!
//! ```
//! use helpdesk_core::article::{Article, Visibility};
//! use helpdesk_core::id::{ArticleId, Key, TenantId};
//! use helpdesk_search::{
//!     ArticleIndex, ArticleQuery, Asker, Change, FullTextIndex, IndexOptions,
//! };
//! use uuid::Uuid;
//!
//! let tenant = TenantId(Uuid::from_u128(1));
//! let key = Key::new("refunds").map_err(|fault| fault.to_string())?;
//! let (title, body) = ("How to ask for a refund", "Open the invoice and choose *Refund*.");
//! let article = Article::published(ArticleId(Uuid::from_u128(7)), key, "en", title, body);
//! let article = Article { visibility: Visibility::SignedIn, ..article };
//! let id = article.id;
//! let index = FullTextIndex::in_memory(&IndexOptions::default())?;
//! index.apply(&[Change::Upsert(tenant, article)])?;
//! index.commit()?;
//!
//! let requester = Asker::Requester { tags: Vec::new() };
//! let hits = index.search(&ArticleQuery::new(tenant, requester, "refunds for invoices"))?;
//! assert_eq!((hits.total, hits.hits[0].id), (1, id));
//! assert_eq!(hits.hits[0].snippet.marked(), ["invoice", "Refund"]);
//!
//! let hits = index.search(&ArticleQuery::new(tenant, Asker::Anonymous, "invoice refund"))?;
//! assert_eq!(hits.total, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asker;
mod classify;
mod full;
mod hits;
mod index;
mod language;
mod naive;
mod synonyms;
mod topics;

pub use asker::Asker;
pub use classify::{
    Classifier, EVIDENCE_MAX, Evidence, LABELS_MAX, ModelError, Prediction, THRESHOLD_DEFAULT,
};
pub use full::{
    ArticleRebuild, Checkpoints, FullTextIndex, IndexOptions, MessageText, SUGGESTED_MAX, Status,
    Suggested, Suggestions, TICKET_TEXT_BYTES_MAX, TicketChange, TicketHit, TicketHits,
    TicketIndex, TicketQuery, TicketRebuild, TicketText, ticket_has,
};
pub use hits::{Facets, Hit, Hits, SNIPPET_CHARS_MAX, ScoreParts, Snippet, WordMatch};
pub use index::{ArticleIndex, ArticleQuery, Change, HITS_DEFAULT, SearchError, Seq};
pub use language::{Analyzer, GuessedLanguage, guess_language};
pub use naive::NaiveIndex;
pub use synonyms::Synonyms;
pub use topics::{Topic, TopicFinder};
