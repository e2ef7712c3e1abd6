//! Answers about articles: what the actor may read, and in which revision.

use crate::answer::{Asking, page_size};
use crate::engine::Helpdesk;
use crate::error::Result;
use helpdesk_core::access::permission::Permission;
use helpdesk_core::access::reading::Reading;
use helpdesk_core::article::{ArticleMeta, ArticleText, Revision, RevisionRecord};
use helpdesk_core::case::record::{Record, RecordKey, Stored, UniqueKey};
use helpdesk_core::contact::Contact;
use helpdesk_core::decide::access_context;
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{ArticleId, TenantId, Version};
use helpdesk_core::query::{Answer, ArticleName, ListArticles, Listed, OneArticle, RevisionView};
use helpdesk_storage::{Cursor, ListKind, ListQuery, StoreError, StoreExt};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Articles of which a list reads the state at once.
const LOOKED_AT: usize = 200;

/// What an actor reads of a stored article: all of it, the revision shown, its version.
type Seen = (ArticleMeta, Revision, Version);

impl Helpdesk {
    /// Which articles the actor may read.
    pub(crate) async fn reading(&self, asking: &Asking<'_>) -> Result<Reading> {
        let contact = match asking.actor.contact_id() {
            Some(id) => self.contact(asking.actor.tenant, StreamId::contact(id)).await?,
            None => None,
        };
        let (desk, roster) = (&asking.snapshot.desk, &asking.snapshot.roster);
        let organization = asking.organization.as_ref();
        let context = access_context(asking.actor, desk, roster, organization);
        Ok(Reading::of(asking.actor, &context, contact.as_ref(), organization))
    }

    async fn contact(&self, tenant: TenantId, stream: StreamId) -> Result<Option<Contact>> {
        let stored = self.inner.store.get_one(tenant, RecordKey::Stream(stream)).await?;
        Ok(stored.and_then(|stored| match stored.record {
            Record::Contact(contact) => Some(*contact),
            _ => None,
        }))
    }

    pub(crate) async fn get_article(
        &self,
        asking: &Asking<'_>,
        name: &ArticleName,
    ) -> Result<Answer> {
        let reading = self.reading(asking).await?;
        let (article, shown, version) = self.seen_article(asking, &reading, name).await?;
        let texts = self.texts(asking.actor.tenant, &[(article.id, shown.text_of)]).await?;
        let text = self.text_in(&texts, article.id, &shown)?;
        Ok(Answer::Article(shown_as(&reading, article, &shown, text, version)))
    }

    async fn seen_article(
        &self,
        asking: &Asking<'_>,
        reading: &Reading,
        name: &ArticleName,
    ) -> Result<Seen> {
        let key = match name {
            ArticleName::Id(id) => RecordKey::Stream(StreamId::article(*id)),
            ArticleName::Translation { key, language } => {
                let (key, language) = (key.clone(), language.clone());
                RecordKey::Unique(UniqueKey::Article { key, language })
            }
        };
        let stored = self.inner.store.get_one(asking.actor.tenant, key).await?;
        stored.and_then(|stored| seen(reading, stored)).ok_or_else(|| no_article(name))
    }

    pub(crate) async fn list_articles(
        &self,
        asking: &Asking<'_>,
        list: &ListArticles,
    ) -> Result<Answer> {
        let limit = page_size(list.limit)?;
        let reading = self.reading(asking).await?;
        if reading != Reading::Drafts && (list.state.is_some() || list.review_until.is_some()) {
            let message = "states and reviews are for those who see drafts";
            return Err(Rejection::at(Code::Forbidden, "state", message).into());
        }
        let place = list.after.as_deref().map(Place::parse).transpose()?;
        let (rows, next) = self.page_of_articles(asking, &reading, list, place, limit).await?;
        let wanted: Vec<(ArticleId, u32)> =
            rows.iter().map(|(article, shown, _)| (article.id, shown.text_of)).collect();
        let texts = self.texts(asking.actor.tenant, &wanted).await?;
        let shown = rows.into_iter().map(|(article, shown, version)| {
            let text = self.text_in(&texts, article.id, &shown)?;
            Ok(shown_as(&reading, article, &shown, text, version).without_body())
        });
        let rows: Result<Vec<OneArticle>> = shown.collect();
        Ok(Answer::Articles(Listed { rows: rows?, next: next.map(|place| place.to_string()) }))
    }

    /// The next `limit` articles that the list takes, and where the page after them begins.
    async fn page_of_articles(
        &self,
        asking: &Asking<'_>,
        reading: &Reading,
        list: &ListArticles,
        place: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<Seen>, Option<Place>)> {
        let kind = ListKind::Things(StreamKind::Article);
        let mut query = ListQuery::all(asking.actor.tenant, kind, asking.now, LOOKED_AT);
        let (mut after, mut rows) = (None, Vec::<Seen>::new());
        if let Some(place) = place {
            after = Some(place.last);
            query.after = place.page;
        }
        loop {
            let page = self.inner.store.list(&query).await?;
            for found in page.rows.into_iter().filter_map(|stored| seen(reading, stored)) {
                let (article, shown, _) = &found;
                let is_before = after.is_some_and(|after| article.id <= after);
                if is_before || !list.takes(article, shown) {
                    continue;
                }
                if rows.len() == limit {
                    let last = rows.last().map_or(article.id, |(last, _, _)| last.id);
                    // The last row may stand on the page before: it is only passed over.
                    return Ok((rows, Some(Place { last, page: query.after })));
                }
                rows.push(found);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok((rows, None)),
            }
        }
    }

    pub(crate) async fn article_revisions(
        &self,
        asking: &Asking<'_>,
        name: &ArticleName,
        after: u32,
        limit: Option<usize>,
    ) -> Result<Answer> {
        let limit = page_size(limit)?;
        let reading = self.reading(asking).await?;
        let (article, _, _) = self.seen_article(asking, &reading, name).await?;
        asking.require(Permission::ReadDrafts)?;
        let last = article.newest.number;
        let end = after.saturating_add(u32::try_from(limit).unwrap_or(u32::MAX)).min(last);
        let numbers: Vec<(ArticleId, u32)> =
            (after.saturating_add(1)..=end).map(|number| (article.id, number)).collect();
        let records = self.revisions(asking.actor.tenant, &numbers).await?;
        let texts_of: Vec<(ArticleId, u32)> =
            records.iter().map(|record| (article.id, record.revision.text_of)).collect();
        let texts = self.texts(asking.actor.tenant, &texts_of).await?;
        let published = article.published.as_ref().map(|out| out.number);
        let views = records.into_iter().map(|RevisionRecord { revision, .. }| {
            let text = self.text_in(&texts, article.id, &revision)?;
            let is_published = published == Some(revision.number);
            Ok(RevisionView { revision, title: text.title, body: text.body, is_published })
        });
        let rows: Result<Vec<RevisionView>> = views.collect();
        let next = (end < last).then(|| end.to_string());
        Ok(Answer::Revisions(Listed { rows: rows?, next }))
    }

    async fn revisions(
        &self,
        tenant: TenantId,
        numbers: &[(ArticleId, u32)],
    ) -> Result<Vec<RevisionRecord>> {
        let key = |&(id, number): &_| RecordKey::Stream(StreamId::revision(id, number));
        let keys: Vec<RecordKey> = numbers.iter().map(key).collect();
        let found = self.inner.store.get(tenant, &keys).await?.into_iter().flatten();
        let records = found.filter_map(|stored| match stored.record {
            Record::Revision(record) => Some(*record),
            _ => None,
        });
        Ok(records.collect())
    }

    /// The texts that these revisions brought.
    pub(crate) async fn texts(
        &self,
        tenant: TenantId,
        numbers: &[(ArticleId, u32)],
    ) -> Result<BTreeMap<(ArticleId, u32), ArticleText>> {
        let records = self.revisions(tenant, numbers).await?;
        let texts = records
            .into_iter()
            .filter_map(|record| Some(((record.article, record.revision.number), record.text?)));
        Ok(texts.collect())
    }

    fn text_in(
        &self,
        texts: &BTreeMap<(ArticleId, u32), ArticleText>,
        id: ArticleId,
        shown: &Revision,
    ) -> Result<ArticleText> {
        texts.get(&(id, shown.text_of)).cloned().ok_or_else(|| {
            let backend = self.inner.store.capabilities().backend;
            let what = format!("article `{id}` has no text of revision {}", shown.text_of);
            StoreError::Corrupt { backend, what }.into()
        })
    }
}

fn seen(reading: &Reading, stored: Stored) -> Option<Seen> {
    let Record::Article(article) = stored.record else { return None };
    let shown = reading.revision(&article)?.clone();
    Some((*article, shown, stored.version))
}

fn shown_as(
    reading: &Reading,
    article: ArticleMeta,
    shown: &Revision,
    text: ArticleText,
    version: Version,
) -> OneArticle {
    match reading {
        Reading::Drafts => OneArticle::full(article, text, version),
        Reading::Public | Reading::Requester { .. } | Reading::Published => {
            OneArticle::published(&article, shown, text)
        }
    }
}

fn no_article(name: &ArticleName) -> crate::Error {
    let name = match name {
        ArticleName::Id(id) => id.to_string(),
        ArticleName::Translation { key, language } => format!("{key}/{language}"),
    };
    Rejection::at(Code::NotFound, "article", format!("no article `{name}`")).into()
}

/// Where a page of articles ended: its last row, and the page of the store it is looked
/// for on. Only what the actor may read stands on a page, so the store's own cursor is
/// that of a page with more on it.
struct Place {
    last: ArticleId,
    page: Option<Cursor>,
}

impl Place {
    fn parse(text: &str) -> Result<Self> {
        let (last, page) = text.split_once('@').unwrap_or((text, ""));
        match Uuid::try_parse(last) {
            Ok(last) => {
                let page = (!page.is_empty()).then(|| Cursor(page.to_owned()));
                Ok(Self { last: ArticleId(last), page })
            }
            Err(_) => {
                let message = "takes the `next` of a page before";
                Err(Rejection::at(Code::Invalid, "after", message).into())
            }
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let page = self.page.as_ref().map_or("", |page| page.0.as_str());
        write!(f, "{}@{page}", self.last.0.simple())
    }
}
