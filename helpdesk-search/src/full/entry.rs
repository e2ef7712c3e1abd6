//! What an index takes in, whatever it is of.

use super::audience::Audience;
use crate::index::Change;
use crate::language::base_code;
use helpdesk_core::article::{Article, ArticleState};
use helpdesk_core::id::TenantId;

/// A change.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// The thing with this id consists of these documents now: of none where it is not
    /// to be found.
    Put { tenant: TenantId, id: u128, docs: Vec<Doc> },
    /// The feed of this tenant has been read up to here.
    Reached(TenantId, u64),
}

/// A document: one thing, or what some may read of it.
#[derive(Debug, Clone)]
pub(crate) struct Doc {
    /// As [`base_code`] has it.
    pub(crate) language: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) audience: Audience,
    pub(crate) category: Option<String>,
    pub(crate) labels: Vec<String>,
}

impl From<&Change> for Entry {
    fn from(change: &Change) -> Self {
        match change {
            Change::Upsert(tenant, article) => Self::of_article(*tenant, article),
            Change::Delete(tenant, id) => {
                Self::Put { tenant: *tenant, id: id.0.as_u128(), docs: Vec::new() }
            }
            Change::Reached(tenant, position) => Self::Reached(*tenant, *position),
        }
    }
}

impl Entry {
    /// An article; one that is not published is not to be found.
    pub(crate) fn of_article(tenant: TenantId, article: &Article) -> Self {
        let doc = || Doc {
            language: base_code(&article.language),
            title: article.title.clone(),
            body: article.body.clone(),
            audience: Audience::Article(article.visibility.clone()),
            category: article.category.as_ref().map(ToString::to_string),
            labels: article.labels.clone(),
        };
        let is_published = article.state == ArticleState::Published;
        let docs = is_published.then(doc).into_iter().collect();
        Self::Put { tenant, id: article.id.0.as_u128(), docs }
    }
}
