//! Rounds of changes, each of which an index holds whole or not at all.

#![allow(clippy::print_stdout, reason = "whoever kills the program reads along")]

use helpdesk_core::article::{Article, ArticleState, Visibility};
use helpdesk_core::id::{ArticleId, Key, TenantId};
use helpdesk_search::{ArticleIndex, ArticleQuery, Asker, Change, FullTextIndex, IndexOptions};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
/// Articles of a round; each is in all rounds, with the round in its title.
const ARTICLES: u128 = 20;
/// Every so many rounds the index is rebuilt.
const REBUILD_EVERY: u64 = 5;

fn options() -> IndexOptions {
    // Only whole rounds are committed.
    IndexOptions::default().with_window(Duration::from_secs(3600))
}

fn articles(round: u64) -> Result<Vec<Article>, Box<dyn Error>> {
    let key = Key::new("page")?;
    let article = |n| Article {
        id: ArticleId(Uuid::from_u128(n)),
        key: key.clone(),
        language: "en".to_owned(),
        title: format!("round{round} of all"),
        body: "It was written again and again. ".repeat(50),
        category: None,
        labels: Vec::new(),
        visibility: Visibility::Public,
        state: ArticleState::Published,
        revision: 1,
        n_helpful: 0,
        n_unhelpful: 0,
        review_at: None,
    };
    Ok((0..ARTICLES).map(article).collect())
}

/// Commits so many rounds after the one that the index holds, and says so after each.
pub(crate) fn write(folder: &Path, n_rounds: u64) -> Result<(), Box<dyn Error>> {
    let index = FullTextIndex::open(folder, &options())?;
    let mut round = index.status().reached.get(&TENANT).copied().unwrap_or_default();
    for _ in 0..n_rounds {
        round += 1;
        let articles = articles(round)?;
        let mut changes: Vec<Change> =
            articles.iter().map(|article| Change::Upsert(TENANT, article.clone())).collect();
        changes.push(Change::Reached(TENANT, round));
        index.apply(&changes)?;
        index.commit()?;
        println!("committed {round}");
        std::io::stdout().flush()?;
        if round % REBUILD_EVERY == 0 {
            index.rebuild(articles.into_iter().map(|article| (TENANT, article)), |_| ())?;
        }
    }
    Ok(())
}

/// The round that the index holds; an error when it holds none whole.
pub(crate) fn check(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let index = FullTextIndex::open(folder, &options())?;
    let round = index.status().reached.get(&TENANT).copied().unwrap_or_default();
    let query = ArticleQuery::new(TENANT, Asker::Agent, format!("round{round}"));
    let n_found = index.search(&query.with_page(0, 0))?.total;
    let n_articles = index.n_articles(TENANT, &Asker::Agent)?;
    let expected = if round == 0 { 0 } else { ARTICLES as usize };
    if n_articles != expected || n_found != expected {
        return Err(format!("round {round}: {n_found} of {n_articles} articles").into());
    }
    Ok(round)
}
