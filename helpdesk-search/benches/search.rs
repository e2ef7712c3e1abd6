//! What search costs, beside the index library with the same fields by itself.
//!
//! Questions are measured in CPU time of the calling thread, indexing in CPU time of the
//! whole process (the library indexes in a thread of its own), and the way of an edit to
//! the eye in wall time. `cargo xtask bench search` prints each beside its floor.

#![allow(missing_docs, clippy::expect_used, reason = "a bench may panic")]

#[path = "../../benches/fixture/clock.rs"]
mod clock;
#[path = "fixture/library.rs"]
mod library;
#[path = "fixture/process_time.rs"]
mod process_time;
#[path = "fixture/raw_index.rs"]
mod raw_index;

use clock::{ThreadTime, is_test, measured};
use criterion::{BatchSize, Criterion, SamplingMode, criterion_group, criterion_main};
use helpdesk_core::article::Article;
use helpdesk_core::id::TenantId;
use helpdesk_search::{ArticleIndex, ArticleQuery, Asker, Change, FullTextIndex, IndexOptions};
use library::{articles, questions};
use process_time::timed;
use raw_index::Raw;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
/// Memory of each writer: as much here as there.
const MEMORY: usize = 50_000_000;

fn options() -> IndexOptions {
    // Commits only when told to.
    IndexOptions::default().with_memory_bytes(MEMORY).with_window(Duration::from_secs(3600))
}

fn filled(index: FullTextIndex, articles: &[Article]) -> FullTextIndex {
    for chunk in articles.chunks(1_000) {
        let changes: Vec<Change> =
            chunk.iter().map(|article| Change::Upsert(TENANT, article.clone())).collect();
        index.apply(&changes).expect("taken in");
    }
    index.commit().expect("committed");
    index
}

fn in_memory(articles: &[Article]) -> FullTextIndex {
    filled(FullTextIndex::in_memory(&options()).expect("made"), articles)
}

fn bench_indexing(c: &mut Criterion<ThreadTime>) {
    let articles = articles(if is_test() { 200 } else { 10_000 });
    let mut group = c.benchmark_group("search_indexing");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("floor", |b| {
        b.iter_custom(|n| timed(n, || drop(Raw::new(&articles, MEMORY))));
    });
    group.bench_function("helpdesk", |b| {
        b.iter_custom(|n| timed(n, || drop(in_memory(&articles))));
    });
    group.finish();
}

fn bench_questions(c: &mut Criterion<ThreadTime>) {
    let articles = articles(if is_test() { 500 } else { 100_000 });
    let asked = questions(1_000);
    let index = in_memory(&articles);
    let mut raw = Raw::new(&articles, MEMORY);
    let mut group = c.benchmark_group("search_question");
    let mut at = 0;
    let mut next = move || {
        at = (at + 1) % 1_000;
        at
    };
    group.bench_function("floor", |b| {
        b.iter_batched(&mut next, |at| raw.search(&asked[at]), BatchSize::SmallInput);
    });
    group.bench_function("helpdesk", |b| {
        let ask = |at: usize| {
            let query = ArticleQuery::new(TENANT, Asker::Anonymous, asked[at].as_str());
            index.search(&query).expect("answered").hits.len()
        };
        b.iter_batched(&mut next, ask, BatchSize::SmallInput);
    });
    group.finish();
    let mut group = c.benchmark_group("search_as_you_type");
    group.bench_function("helpdesk", |b| {
        let ask = |at: usize| {
            let text = &asked[at];
            let end = text.char_indices().nth(3 + at % 9).map_or(text.len(), |(at, _)| at);
            let text = text[..end].trim_end();
            index.suggest(&ArticleQuery::new(TENANT, Asker::Anonymous, text)).expect("answered")
        };
        b.iter_batched(&mut next, ask, BatchSize::SmallInput);
    });
    group.finish();
}

/// From the call that takes an edit in until a question sees it, on disk, in wall time.
fn bench_edit(c: &mut Criterion<ThreadTime>) {
    let articles = articles(if is_test() { 200 } else { 100_000 });
    let folder = TempDir::new().expect("a folder");
    let index = filled(FullTextIndex::open(folder.path(), &options()).expect("opened"), &articles);
    let mut group = c.benchmark_group("search_edit_to_visible");
    group.sampling_mode(SamplingMode::Flat);
    let mut n_edits = 0;
    group.bench_function("helpdesk", |b| {
        b.iter_custom(|n| {
            let start = Instant::now();
            for _ in 0..n {
                n_edits += 1;
                let word = format!("edit{n_edits}");
                let mut article = articles[n_edits % articles.len()].clone();
                article.title = word.clone();
                index.apply(&[Change::Upsert(TENANT, article)]).expect("taken in");
                index.commit().expect("committed");
                let query = ArticleQuery::new(TENANT, Asker::Anonymous, word).with_page(0, 0);
                assert_eq!(index.search(&query).expect("answered").total, 1);
            }
            start.elapsed()
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = measured(10, Duration::from_secs(1), Duration::from_secs(8));
    targets = bench_indexing, bench_questions, bench_edit
}
criterion_main!(benches);
