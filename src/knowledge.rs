//! The index of articles: what of the store goes into it, and what is found by it.
//!
//! An index knows what was out when it last followed the journal; each hit is looked up in
//! the store, so that nothing is shown that is not out any more, or not for the asker.

use crate::answer::{Asking, page_size};
use crate::engine::Helpdesk;
use crate::error::Result;
use crate::index::{Following, newer};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use helpdesk_core::access::reading::Reading;
use helpdesk_core::article::{Article, ArticleMeta};
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{ArticleId, TenantId};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::query::{
    Answer, ArticlesFound, FoundArticle, FoundFacets, FoundWord, Highlight, OneArticle,
    SearchArticles, SuggestArticles, SuggestFor,
};
use helpdesk_search::{
    ArticleIndex, ArticleQuery, Asker, Change, Checkpoints, Facets, FullTextIndex, Hit,
};
use helpdesk_storage::{ListKind, ListQuery, Pages, StoreExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Articles that are suggested unless a query says.
const SUGGESTED_DEFAULT: usize = 5;

/// Feeds the index of articles.
#[derive(Debug)]
pub(crate) struct FollowArticles(pub(crate) Arc<FullTextIndex>);

#[async_trait]
impl Following for FollowArticles {
    fn kinds(&self) -> Vec<StreamKind> {
        vec![StreamKind::Article]
    }

    fn reached(&self) -> Checkpoints {
        self.0.reached()
    }

    async fn take(
        &self,
        desk: &Helpdesk,
        tenant: TenantId,
        streams: BTreeSet<StreamId>,
        position: u64,
    ) -> Result<()> {
        let ids: Vec<ArticleId> = streams.iter().map(|stream| ArticleId(stream.id)).collect();
        let articles: Vec<ArticleMeta> = desk.articles(tenant, &ids).await?.into_values().collect();
        let out = desk.what_is_out(tenant, &articles).await?;
        let is_out: BTreeSet<ArticleId> = out.iter().map(|article| article.id).collect();
        let gone = ids.into_iter().filter(|id| !is_out.contains(id));
        let mut changes: Vec<Change> = gone.map(|id| Change::Delete(tenant, id)).collect();
        changes.extend(out.into_iter().map(|article| Change::Upsert(tenant, article)));
        changes.push(Change::Reached(tenant, position));
        self.0.apply(&changes)?;
        Ok(())
    }

    fn commit(&self) -> Result<()> {
        self.0.commit()?;
        Ok(())
    }
}

/// An article as the index is asked for it, before it is looked up.
struct Candidate {
    id: ArticleId,
    snippet: Option<Highlight>,
    score: Option<f32>,
    why: Vec<FoundWord>,
}

impl From<Hit> for Candidate {
    fn from(hit: Hit) -> Self {
        let words = hit.why.into_iter().map(|it| FoundWord {
            word: it.word,
            in_title: it.in_title,
            in_body: it.in_body,
        });
        Self {
            id: hit.id,
            snippet: Some(Highlight { text: hit.snippet.text, marks: hit.snippet.marks }),
            score: Some(hit.score),
            why: words.collect(),
        }
    }
}

impl Helpdesk {
    fn article_index(&self) -> Result<&FullTextIndex> {
        self.inner.article_index.as_deref().ok_or_else(|| {
            let message = "the engine has no index of articles: give it one when it is built";
            Rejection::new(Code::NotConfigured, message).into()
        })
    }

    pub(crate) async fn search_articles(
        &self,
        asking: &Asking<'_>,
        search: &SearchArticles,
    ) -> Result<Answer> {
        let limit = page_size(search.limit)?;
        let mut offset = match &search.after {
            Some(text) => text.parse::<usize>().map_err(|_| {
                Rejection::at(Code::Invalid, "after", "takes the `next` of a page before")
            })?,
            None => 0,
        };
        let index = self.article_index()?;
        let reading = self.reading(asking).await?;
        let mut query =
            ArticleQuery::new(asking.actor.tenant, asker(&reading), search.text.as_str())
                .with_languages(&search.languages)
                .with_synonyms(asking.snapshot.synonyms.clone());
        query.category.clone_from(&search.category);
        query.label.clone_from(&search.label);
        query.facets = search.facets;
        let (mut rows, mut facets) = (Vec::new(), None);
        loop {
            let page = index.search(&query.clone().with_page(offset, limit - rows.len()))?;
            let n_hits = page.hits.len();
            offset = offset.saturating_add(n_hits);
            facets = facets.or(page.facets.map(facets_of));
            query.facets = false;
            let candidates = page.hits.into_iter().map(Candidate::from).collect();
            rows.extend(self.found_articles(asking, &reading, candidates).await?);
            let has_more = n_hits > 0 && offset < page.total;
            if rows.len() >= limit || !has_more {
                let next = has_more.then(|| offset.to_string());
                let (total, words) = (Some(page.total), Vec::new());
                return Ok(Answer::ArticlesFound(ArticlesFound {
                    rows,
                    total,
                    facets,
                    words,
                    next,
                }));
            }
        }
    }

    pub(crate) async fn suggest_articles(
        &self,
        asking: &Asking<'_>,
        suggest: &SuggestArticles,
    ) -> Result<Answer> {
        let limit = page_size(suggest.limit.or(Some(SUGGESTED_DEFAULT)))?;
        let tenant = asking.actor.tenant;
        let reading = self.reading(asking).await?;
        let asker = asker(&reading);
        let synonyms = &asking.snapshot.synonyms;
        let question = |text: &str| {
            ArticleQuery::new(tenant, asker.clone(), text).with_synonyms(synonyms.clone())
        };
        let like = |text: &str| -> Result<(Vec<Candidate>, Vec<String>)> {
            let hits = self.article_index()?.search(&question(text).with_page(0, limit))?.hits;
            Ok((hits.into_iter().map(Candidate::from).collect(), Vec::new()))
        };
        let (candidates, words) = match &suggest.about {
            SuggestFor::Text(text) => like(text)?,
            SuggestFor::Ticket(name) => {
                let (case, _) = self.seen(asking, name).await?;
                like(&self.opening_text(tenant, case.ticket).await?)?
            }
            SuggestFor::Beginning(text) => {
                let suggestions = self.article_index()?.suggest(&question(text))?;
                let plain = suggestions.articles.into_iter().take(limit).map(|it| Candidate {
                    id: it.id,
                    snippet: None,
                    score: None,
                    why: Vec::new(),
                });
                (plain.collect(), suggestions.words)
            }
        };
        let rows = self.found_articles(asking, &reading, candidates).await?;
        let (total, facets, next) = (None, None, None);
        Ok(Answer::ArticlesFound(ArticlesFound { rows, total, facets, words, next }))
    }

    /// The candidates that are out and for the asker as things stand now.
    async fn found_articles(
        &self,
        asking: &Asking<'_>,
        reading: &Reading,
        candidates: Vec<Candidate>,
    ) -> Result<Vec<FoundArticle>> {
        let tenant = asking.actor.tenant;
        let ids: Vec<ArticleId> = candidates.iter().map(|candidate| candidate.id).collect();
        let articles = self.articles(tenant, &ids).await?;
        let is_out = |article: &&ArticleMeta| {
            article.published.as_ref().is_some_and(|out| reading.sees(&out.visibility))
        };
        let out: Vec<ArticleMeta> = articles.values().filter(is_out).cloned().collect();
        let texts = self.texts(tenant, &texts_of(&out)).await?;
        let by_id: BTreeMap<ArticleId, ArticleMeta> =
            out.into_iter().map(|article| (article.id, article)).collect();
        let found = candidates.into_iter().filter_map(|Candidate { id, snippet, score, why }| {
            let article = by_id.get(&id)?;
            let shown = article.published.as_ref()?;
            let text = texts.get(&(id, shown.text_of))?.clone();
            let article = OneArticle::published(article, shown, text).without_body();
            Some(FoundArticle { article, snippet, score, why })
        });
        Ok(found.collect())
    }

    /// The articles with these ids that there are.
    async fn articles(
        &self,
        tenant: TenantId,
        ids: &[ArticleId],
    ) -> Result<BTreeMap<ArticleId, ArticleMeta>> {
        let mut articles = BTreeMap::new();
        let key = |id: &ArticleId| RecordKey::Stream(StreamId::article(*id));
        let keys: Vec<RecordKey> = ids.iter().map(key).collect();
        for stored in self.inner.store.get_all(tenant, &keys).await?.into_iter().flatten() {
            if let Record::Article(article) = stored.record {
                articles.insert(article.id, *article);
            }
        }
        Ok(articles)
    }

    /// Of these articles those that are out, in the revision that is.
    async fn what_is_out(
        &self,
        tenant: TenantId,
        articles: &[ArticleMeta],
    ) -> Result<Vec<Article>> {
        let texts = self.texts(tenant, &texts_of(articles)).await?;
        let out = articles.iter().filter_map(|article| {
            let text = texts.get(&(article.id, article.published.as_ref()?.text_of))?;
            article.with_published(text)
        });
        Ok(out.collect())
    }

    /// Makes the index of articles anew from all that is out at these tenants, and tells
    /// `progress` how many are done. The old one answers meanwhile, and goes on following
    /// the journal. Wanted when [`Status::stale`](helpdesk_search::Status::stale) says so.
    ///
    /// # Errors
    ///
    /// [`Code::NotConfigured`] without an index; [`Error::Store`](crate::Error::Store),
    /// [`Error::Search`](crate::Error::Search), and then the old index stays.
    pub async fn rebuild_article_index(
        &self,
        tenants: &[TenantId],
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<()> {
        let index = self.article_index()?;
        let rebuild = index.begin_rebuild()?;
        let mut reached = Checkpoints::default();
        let mut n_done = 0;
        for &tenant in tenants {
            // What is committed from here on comes by the feed.
            reached.insert(tenant, self.inner.store.feed_end(tenant).await?);
            let kind = ListKind::Things(StreamKind::Article);
            let query = ListQuery::all(tenant, kind, DateTime::<Utc>::MIN_UTC, PAGE_MAX);
            let mut pages = Pages::new(query);
            while let Some(rows) = pages.next(&*self.inner.store).await? {
                let articles = rows.into_iter().filter_map(|stored| match stored.record {
                    Record::Article(article) => Some(*article),
                    _ => None,
                });
                let articles: Vec<ArticleMeta> = articles.collect();
                n_done += articles.len() as u64;
                rebuild.add(tenant, &self.what_is_out(tenant, &articles).await?)?;
                progress(n_done);
            }
        }
        rebuild.finish()?;
        let further = newer(&index.reached(), reached);
        let reached = |(tenant, position)| Change::Reached(tenant, position);
        index.apply(&further.into_iter().map(reached).collect::<Vec<_>>())?;
        index.commit()?;
        Ok(())
    }
}

/// Where the texts of what is out stand.
fn texts_of(articles: &[ArticleMeta]) -> Vec<(ArticleId, u32)> {
    let text_of = |article: &ArticleMeta| Some((article.id, article.published.as_ref()?.text_of));
    articles.iter().filter_map(text_of).collect()
}

/// Who asks the index.
fn asker(reading: &Reading) -> Asker {
    match reading {
        Reading::Public => Asker::Anonymous,
        Reading::Requester { tags } => Asker::Requester { tags: tags.clone() },
        Reading::Published | Reading::Drafts => Asker::Agent,
    }
}

fn facets_of(facets: Facets) -> FoundFacets {
    let Facets { categories, labels, languages } = facets;
    FoundFacets { categories, labels, languages }
}
