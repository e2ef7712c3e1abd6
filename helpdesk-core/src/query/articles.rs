//! Articles, as queries name and show them.

use crate::article::{ArticleMeta, ArticleState, ArticleText, Revision};
use crate::id::{ArticleId, Key, Version};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names an article, by id or by what its translations share and its language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArticleName {
    /// By id.
    Id(ArticleId),
    /// By key and language.
    Translation {
        /// What its translations share.
        key: Key,
        /// Its language.
        language: String,
    },
}

/// Lists articles, by id: in the order in which they were begun.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListArticles {
    /// Only the translations of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Only articles in this language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Only articles of this category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Key>,
    /// Only articles with this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Only articles whose newest revision stands here. Requesters get what is out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ArticleState>,
    /// Only articles to be read again at or before then. For agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_until: Option<DateTime<Utc>>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Rows at most; 50 when absent, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl ListArticles {
    /// Whether the list takes this article, shown in this revision.
    #[must_use]
    pub fn takes(&self, article: &ArticleMeta, shown: &Revision) -> bool {
        let due = |until| article.review_at.is_some_and(|at| at <= until);
        self.key.as_ref().is_none_or(|key| *key == article.key)
            && self.language.as_ref().is_none_or(|language| *language == article.language)
            && self.category.as_ref().is_none_or(|key| shown.category.as_ref() == Some(key))
            && self.label.as_ref().is_none_or(|label| shown.labels.contains(label))
            && self.state.is_none_or(|state| state == article.state)
            && self.review_until.is_none_or(due)
    }
}

/// An article in its newest revision, as those who write articles see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArticleView {
    /// All of it but the text.
    #[serde(flatten)]
    pub article: ArticleMeta,
    /// The title of the newest revision.
    pub title: String,
    /// Its body; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its version, for `expected_version`.
    pub version: Version,
}

/// An article that is out, as its readers see it: nothing of drafts is in the type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublishedArticle {
    /// Its id.
    pub id: ArticleId,
    /// What its translations share.
    pub key: Key,
    /// Its language.
    pub language: String,
    /// The title.
    pub title: String,
    /// The text, in Markdown; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its place in the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Key>,
    /// Free words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// When it came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<DateTime<Utc>>,
}

/// One article, for the one who asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "an answer is built once and moved")]
pub enum OneArticle {
    /// For those who see drafts.
    Full(ArticleView),
    /// For readers.
    Published(PublishedArticle),
}

impl OneArticle {
    /// The article in its newest revision.
    #[must_use]
    pub fn full(article: ArticleMeta, text: ArticleText, version: Version) -> Self {
        Self::Full(ArticleView { article, title: text.title, body: Some(text.body), version })
    }

    /// The article in the revision that is out.
    #[must_use]
    pub fn published(article: &ArticleMeta, shown: &Revision, text: ArticleText) -> Self {
        Self::Published(PublishedArticle {
            id: article.id,
            key: article.key.clone(),
            language: article.language.clone(),
            title: text.title,
            body: Some(text.body),
            category: shown.category.clone(),
            labels: shown.labels.clone(),
            published_at: article.published_at,
        })
    }

    /// As a row of a list.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        match &mut self {
            Self::Full(view) => view.body = None,
            Self::Published(view) => view.body = None,
        }
        self
    }
}

/// A revision of an article, with its text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RevisionView {
    /// The revision.
    #[serde(flatten)]
    pub revision: Revision,
    /// The title.
    pub title: String,
    /// The text, in Markdown.
    pub body: String,
    /// Whether it is the one that is out.
    pub is_published: bool,
}
