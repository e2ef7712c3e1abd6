//! The plain index: it compares words, in memory.

use crate::asker::Asker;
use crate::hits::{Facets, Hit, Hits, SNIPPET_CHARS_MAX, ScoreParts, Snippet, WordMatch};
use crate::index::{ArticleIndex, ArticleQuery, SearchError};
use crate::language::base_code;
use helpdesk_core::article::Article;
use helpdesk_core::condition::{FoldOptions, fold, words};
use helpdesk_core::id::{ArticleId, TenantId};
use helpdesk_core::limit::PAGE_MAX;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

#[cfg(test)]
mod tests;

/// The score of a word that stands in the title, and of one in the body.
const TITLE_SCORE: u8 = 2;
const BODY_SCORE: u8 = 1;
/// Words of a question that are looked at.
const QUERY_WORDS_MAX: usize = 100;

/// An index that compares whole words, in memory; the plain form with which the
/// indexed one is compared.
///
/// Words are folded as conditions fold them, and each counts once: 2 when it
/// stands in the title, 1 when it stands in the body, 3 in both. An article is
/// found when any word of the question is in it, and the best comes first;
/// equal scores by id. Only the first 100 distinct words of a question count. No
/// stems, no typing errors, no synonyms. A question reads every article of the
/// tenant.
///
/// ```
/// use helpdesk_search::{ArticleIndex, Asker, NaiveIndex};
/// let index = NaiveIndex::new();
/// let tenant = uuid::Uuid::from_u128(1).into();
/// assert_eq!(index.n_articles(tenant, &Asker::Agent)?, 0);
/// # Ok::<(), helpdesk_search::SearchError>(())
/// ```
#[derive(Debug, Default)]
pub struct NaiveIndex {
    options: FoldOptions,
    articles: RwLock<BTreeMap<TenantId, BTreeMap<ArticleId, Indexed>>>,
}

#[derive(Debug)]
struct Indexed {
    article: Article,
    title_words: BTreeSet<String>,
    body_words: BTreeSet<String>,
}

impl NaiveIndex {
    /// An empty index that folds texts as desks do by default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty index that folds texts like this. Of the options only
    /// [`fold_yo`](FoldOptions::fold_yo) counts: articles are read whole.
    #[must_use]
    pub fn with_fold(options: FoldOptions) -> Self {
        Self { options, ..Self::default() }
    }
}

/// Nothing here fails; each change is one insertion or removal, so a poisoned
/// lock guards a whole map.
impl ArticleIndex for NaiveIndex {
    fn upsert(&self, tenant: TenantId, article: &Article) -> Result<(), SearchError> {
        let words_of = |text: &str| words(&fold(text, self.options)).map(str::to_owned).collect();
        let indexed = Indexed {
            title_words: words_of(&article.title),
            body_words: words_of(&article.body),
            article: article.clone(),
        };
        let mut articles = self.articles.write().unwrap_or_else(PoisonError::into_inner);
        articles.entry(tenant).or_default().insert(article.id, indexed);
        Ok(())
    }

    fn delete(&self, tenant: TenantId, id: ArticleId) -> Result<(), SearchError> {
        let mut articles = self.articles.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = articles.get_mut(&tenant) {
            own.remove(&id);
        }
        Ok(())
    }

    fn search(&self, query: &ArticleQuery) -> Result<Hits, SearchError> {
        let asked = asked_words(&query.text, self.options);
        let articles = self.articles.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<(u32, &Indexed, Vec<WordMatch>)> = articles
            .get(&query.tenant)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(|indexed| query.asker.permits(&indexed.article))
            .filter(|indexed| is_asked_for(query, &indexed.article))
            .map(|indexed| (indexed, matches(indexed, &asked)))
            .filter(|(_, why)| !why.is_empty())
            .map(|(indexed, why)| (score(&why), indexed, why))
            .collect();
        // Stable, and the map is in the order of ids.
        let is_other = |article: &Article| {
            let base = base_code(&article.language);
            !query.languages.is_empty() && !query.languages.iter().any(|l| base_code(l) == base)
        };
        found.sort_by_key(|(score, indexed, _)| {
            (is_other(&indexed.article), std::cmp::Reverse(*score))
        });
        let total = found.len();
        let counted = query.facets.then(|| facets(found.iter().map(|(_, i, _)| &i.article)));
        let page = found.into_iter().skip(query.offset).take(query.limit.min(PAGE_MAX));
        let hits = page.map(|(score, indexed, why)| hit(score, indexed, why, self.options));
        Ok(Hits { total, hits: hits.collect(), facets: counted })
    }

    fn n_articles(&self, tenant: TenantId, asker: &Asker) -> Result<usize, SearchError> {
        let articles = self.articles.read().unwrap_or_else(PoisonError::into_inner);
        let own = articles.get(&tenant).into_iter().flat_map(BTreeMap::values);
        Ok(own.filter(|indexed| asker.permits(&indexed.article)).count())
    }
}

/// Whether the question leaves the article in.
fn is_asked_for(query: &ArticleQuery, article: &Article) -> bool {
    query.except != Some(article.id)
        && query.category.as_ref().is_none_or(|key| article.category.as_ref() == Some(key))
        && query.label.as_ref().is_none_or(|label| article.labels.contains(label))
}

fn facets<'a>(found: impl Iterator<Item = &'a Article>) -> Facets {
    let mut facets = Facets::default();
    for article in found {
        if let Some(category) = &article.category {
            *facets.categories.entry(category.as_str().to_owned()).or_default() += 1;
        }
        for label in article.labels.iter().collect::<BTreeSet<_>>() {
            *facets.labels.entry(label.clone()).or_default() += 1;
        }
        *facets.languages.entry(base_code(&article.language)).or_default() += 1;
    }
    facets
}

/// The distinct words of a question, in order.
fn asked_words(text: &str, options: FoldOptions) -> Vec<String> {
    let folded = fold(text, options);
    let mut seen = BTreeSet::new();
    let distinct = words(&folded).filter(|word| seen.insert(*word));
    distinct.take(QUERY_WORDS_MAX).map(str::to_owned).collect()
}

fn matches(indexed: &Indexed, asked: &[String]) -> Vec<WordMatch> {
    let look = |word: &String| WordMatch {
        word: word.clone(),
        in_title: indexed.title_words.contains(word),
        in_body: indexed.body_words.contains(word),
    };
    asked.iter().map(look).filter(|found| found.in_title || found.in_body).collect()
}

fn score(why: &[WordMatch]) -> u32 {
    let of = |found: &WordMatch| {
        u32::from(found.in_title) * u32::from(TITLE_SCORE)
            + u32::from(found.in_body) * u32::from(BODY_SCORE)
    };
    why.iter().map(of).sum()
}

fn hit(score: u32, indexed: &Indexed, why: Vec<WordMatch>, options: FoldOptions) -> Hit {
    let found: BTreeSet<&str> = why.iter().map(|found| found.word.as_str()).collect();
    // At most 3 for each of 100 words, so the conversion is exact.
    let score = f32::from(u16::try_from(score).unwrap_or(u16::MAX));
    Hit {
        id: indexed.article.id,
        title: indexed.article.title.clone(),
        snippet: snippet(&indexed.article.body, &found, options),
        score,
        parts: ScoreParts { words: score, ..ScoreParts::default() },
        why,
    }
}

/// The body from a little before the first word found; its start where none is.
fn snippet(body: &str, found: &BTreeSet<&str>, options: FoldOptions) -> Snippet {
    let marks = marks(body, found, options);
    let first = marks.first().map_or(0, |mark| mark.start);
    // A quarter of the snippet leads up to the word.
    let before = body[..first].char_indices().rev().take(SNIPPET_CHARS_MAX / 4);
    let start = before.last().map_or(first, |(at, _)| at);
    let n_bytes = body[start..].char_indices().nth(SNIPPET_CHARS_MAX).map(|(at, _)| at);
    let end = n_bytes.map_or(body.len(), |n| start + n);
    let fits = |mark: &Range<usize>| mark.end <= end;
    let shifted = |mark: Range<usize>| mark.start - start..mark.end - start;
    Snippet {
        text: body[start..end].to_owned(),
        marks: marks.into_iter().filter(fits).map(shifted).collect(),
    }
}

/// Where the words stand in the unfolded body.
fn marks(body: &str, found: &BTreeSet<&str>, options: FoldOptions) -> Vec<Range<usize>> {
    let mut marks = Vec::new();
    let mut at = 0;
    for word in words(body) {
        // Between two words stands nothing that a word could begin with.
        at += body[at..].find(word).unwrap_or(0);
        if found.contains(fold(word, options).as_str()) {
            marks.push(at..at + word.len());
        }
        at += word.len();
    }
    marks
}
