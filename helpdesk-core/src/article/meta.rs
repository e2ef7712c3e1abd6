//! An article as it is stored: its state, its revisions, its votes.

use super::{Article, ArticleState, Visibility};
use crate::actor::Author;
use crate::id::{ArticleId, Key, derived_command_id};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The text of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleText {
    /// The title.
    pub title: String,
    /// The body, in Markdown.
    pub body: String,
}

impl ArticleText {
    /// SHA-256 of title, line feed and body, hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.title.as_bytes());
        hash.update(b"\n");
        hash.update(self.body.as_bytes());
        crate::ticket::message::hex(&hash.finalize())
    }
}

/// One revision of an article, but for its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Counts the article's revisions, from 1.
    pub number: u32,
    /// The revision that brought its text: itself, or an earlier one.
    pub text_of: u32,
    /// Bytes of the body.
    pub text_bytes: u64,
    /// [`ArticleText::sha256`] of its text.
    pub sha256: String,
    /// Its place in the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Key>,
    /// Free words, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Who may read it once it is published.
    pub visibility: Visibility,
    /// When it was saved.
    pub saved_at: DateTime<Utc>,
    /// Who saved it.
    pub by: Author,
    /// The revision that it brought back, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<u32>,
}

impl Revision {
    /// Whether it says the same as another, whoever saved it and when.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
            && self.category == other.category
            && self.labels == other.labels
            && self.visibility == other.visibility
    }
}

/// A revision as it is kept: with the text that it brought, if it brought one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionRecord {
    /// Of which article.
    pub article: ArticleId,
    /// The revision.
    #[serde(flatten)]
    pub revision: Revision,
    /// Its text; absent where it has that of an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<ArticleText>,
}

impl RevisionRecord {
    /// The id of a revision's record.
    #[must_use]
    pub fn id(article: ArticleId, number: u32) -> Uuid {
        derived_command_id(&[b"revision", article.0.as_bytes(), &number.to_be_bytes()]).0
    }
}

/// What one person thinks of an article: the newest vote stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleVote {
    /// Of which article.
    pub article: ArticleId,
    /// Whose.
    pub by: Author,
    /// Whether it helped.
    pub helpful: bool,
    /// When.
    pub voted_at: DateTime<Utc>,
}

impl ArticleVote {
    /// The id of a person's vote on an article; `None` for who is no person.
    #[must_use]
    pub fn id(article: ArticleId, by: Author) -> Option<Uuid> {
        let (kind, id): (&[u8], Uuid) = match by {
            Author::Contact { id } => (b"contact", id.0),
            Author::Agent { id } => (b"agent", id.0),
            Author::Bot { .. } | Author::System => return None,
        };
        Some(derived_command_id(&[b"vote", article.0.as_bytes(), kind, id.as_bytes()]).0)
    }
}

/// An article as it is stored: all of it but the text.
///
/// What its readers see is `published`, and stays so while the `newest` revision is
/// written and reviewed: `state` says where that one stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleMeta {
    /// Its id.
    pub id: ArticleId,
    /// What its translations share; with the language it names one article.
    pub key: Key,
    /// Its language, as an ISO 639 code.
    pub language: String,
    /// The newest revision.
    pub newest: Revision,
    /// Where the newest revision stands.
    pub state: ArticleState,
    /// The revision that is out, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Revision>,
    /// When a revision came out last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<DateTime<Utc>>,
    /// With [`ArticleState::Scheduled`]: when the newest revision comes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<DateTime<Utc>>,
    /// When it should be read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_at: Option<DateTime<Utc>>,
    /// People whom it helped.
    pub n_helpful: u32,
    /// People whom it did not.
    pub n_unhelpful: u32,
    /// Created.
    pub created_at: DateTime<Utc>,
    /// Changed last; votes are no change.
    pub updated_at: DateTime<Utc>,
}

impl ArticleMeta {
    /// A draft of this first revision.
    #[must_use]
    pub fn new(id: ArticleId, key: Key, language: String, first: Revision) -> Self {
        let at = first.saved_at;
        Self {
            id,
            key,
            language,
            newest: first,
            state: ArticleState::Draft,
            published: None,
            published_at: None,
            publish_at: None,
            review_at: None,
            n_helpful: 0,
            n_unhelpful: 0,
            created_at: at,
            updated_at: at,
        }
    }

    /// The article with its newest revision, as those who write it see it.
    #[must_use]
    pub fn with_newest(&self, text: &ArticleText) -> Article {
        self.with(&self.newest, self.state, text)
    }

    /// The article with the revision that is out, as readers see it; `None` where none is.
    #[must_use]
    pub fn with_published(&self, text: &ArticleText) -> Option<Article> {
        Some(self.with(self.published.as_ref()?, ArticleState::Published, text))
    }

    fn with(&self, revision: &Revision, state: ArticleState, text: &ArticleText) -> Article {
        Article {
            id: self.id,
            key: self.key.clone(),
            language: self.language.clone(),
            title: text.title.clone(),
            body: text.body.clone(),
            category: revision.category.clone(),
            labels: revision.labels.clone(),
            visibility: revision.visibility.clone(),
            state,
            revision: revision.number,
            n_helpful: self.n_helpful,
            n_unhelpful: self.n_unhelpful,
            review_at: self.review_at,
        }
    }
}
