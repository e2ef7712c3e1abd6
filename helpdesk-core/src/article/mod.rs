//! Knowledge-base articles.
//!
//! An article is a stream: [`ArticleMeta`] is all of it but the text, and its journal
//! folds to that. Each revision is a record of its own ([`RevisionRecord`]), which holds
//! the text where the revision has a new one: a text lives once. [`Article`] is an article
//! with the text of one revision: what is read, and what search finds.

pub mod meta;
pub mod session;

pub use meta::{ArticleMeta, ArticleText, ArticleVote, Revision, RevisionRecord};
pub use session::{Search, SearchSession, SessionVote};

use crate::id::{ArticleId, Key};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may read an article.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Requesters and agents.
    SignedIn,
    /// Agents. So is what names nothing else.
    #[default]
    Internal,
    /// Requesters who, or whose organization, carry any of these tags; and agents.
    Segment(Vec<String>),
}

/// Where an article stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArticleState {
    /// Being written.
    Draft,
    /// Being read by another.
    InReview,
    /// To be published at a time.
    Scheduled,
    /// Out.
    Published,
    /// Out no more.
    Archived,
}

impl ArticleState {
    /// The state as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InReview => "in_review",
            Self::Scheduled => "scheduled",
            Self::Published => "published",
            Self::Archived => "archived",
        }
    }
}

/// One page of the knowledge base, with the text of one revision. Never a ticket's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// Its id.
    pub id: ArticleId,
    /// What its translations share.
    pub key: Key,
    /// Its language, as an ISO 639 code.
    pub language: String,
    /// The title.
    pub title: String,
    /// The text, in Markdown.
    pub body: String,
    /// Its place in the tree.
    pub category: Option<Key>,
    /// Free words, sorted.
    pub labels: Vec<String>,
    /// Who may read it.
    pub visibility: Visibility,
    /// Where it stands.
    pub state: ArticleState,
    /// Counts its revisions, from 1.
    pub revision: u32,
    /// Readers whom it helped.
    pub n_helpful: u32,
    /// Readers whom it did not.
    pub n_unhelpful: u32,
    /// When it should be read again.
    pub review_at: Option<DateTime<Utc>>,
}

impl Article {
    /// An article that is out, for everybody: a first revision without category, labels
    /// and votes.
    ///
    /// ```
    /// use helpdesk_core::article::{Article, ArticleState, Visibility};
    /// use helpdesk_core::id::{ArticleId, Key};
    /// use uuid::Uuid;
    /// let (id, key) = (ArticleId(Uuid::from_u128(1)), Key::new("refunds")?);
    /// let article = Article::published(id, key, "en", "Refunds", "Within two weeks.");
    /// assert_eq!((article.state, article.revision), (ArticleState::Published, 1));
    /// let article = Article { visibility: Visibility::Internal, ..article };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn published(
        id: ArticleId,
        key: Key,
        language: impl Into<String>,
        title: impl Into<String>,
        body: impl Into<String>,
    ) -> Self {
        Self {
            id,
            key,
            language: language.into(),
            title: title.into(),
            body: body.into(),
            category: None,
            labels: Vec::new(),
            visibility: Visibility::Public,
            state: ArticleState::Published,
            revision: 1,
            n_helpful: 0,
            n_unhelpful: 0,
            review_at: None,
        }
    }
}
