//! Search beside SQLite's FTS5 on the same knowledge base, in CPU time: of the whole process
//! for indexing, of the calling thread for questions.
//!
//! FTS5 has title and body once, stemmed by Porter's rules; ours has each several times, so
//! that it ranks better and forgives typos. Both answer with ten hits, their titles and
//! highlighted snippets, and how many there are in all.

#[path = "../fixture/clock.rs"]
mod clock;
#[path = "../../helpdesk-search/benches/fixture/library.rs"]
mod library;
#[path = "../../helpdesk-search/benches/fixture/process_time.rs"]
mod process_time;

use clock::{ThreadTime, is_test, measured};
use criterion::{BatchSize, Criterion, SamplingMode, criterion_group, criterion_main};
use helpdesk::core::article::Article;
use helpdesk::core::id::TenantId;
use helpdesk::search::{ArticleIndex, ArticleQuery, Asker, Change, FullTextIndex, IndexOptions};
use library::{articles, questions};
use process_time::timed;
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

fn ours(articles: &[Article]) -> FullTextIndex {
    let options = IndexOptions::default().with_window(Duration::from_secs(3600));
    let index = FullTextIndex::in_memory(&options).expect("made");
    for chunk in articles.chunks(1_000) {
        let change = |article: &Article| Change::Upsert(TENANT, article.clone());
        let changes: Vec<Change> = chunk.iter().map(change).collect();
        index.apply(&changes).expect("taken in");
    }
    index.commit().expect("committed");
    index
}

fn fts5(articles: &[Article]) -> Connection {
    let conn = Connection::open_in_memory().expect("opens");
    conn.execute_batch(
        "CREATE VIRTUAL TABLE page USING fts5(title, body, tokenize = 'porter unicode61'); BEGIN",
    )
    .expect("made");
    {
        let mut insert =
            conn.prepare("INSERT INTO page (title, body) VALUES (?1, ?2)").expect("SQL");
        for article in articles {
            insert.execute(params![article.title, article.body]).expect("put");
        }
    }
    conn.execute_batch("COMMIT").expect("committed");
    conn
}

/// Any of the words, as FTS5 wants it; what its own guide says to do with words that
/// everybody uses is to leave them out.
fn any_of(text: &str) -> String {
    let stop: BTreeSet<&str> = library::STOP.into();
    let words = text.split_whitespace().filter(|word| !stop.contains(word));
    words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" OR ")
}

/// Hits, and bytes of what is shown of them.
fn ask_fts5(conn: &Connection, words: &str) -> (i64, usize) {
    if words.is_empty() {
        return (0, 0);
    }
    let mut count =
        conn.prepare_cached("SELECT count(*) FROM page WHERE page MATCH ?1").expect("SQL");
    let n = count.query_row([words], |row| row.get(0)).expect("counted");
    let mut best = conn
        .prepare_cached(
            "SELECT title, snippet(page, -1, '<b>', '</b>', '...', 30) FROM page \
             WHERE page MATCH ?1 ORDER BY rank LIMIT 10",
        )
        .expect("SQL");
    let mut rows = best.query([words]).expect("answered");
    let mut n_bytes = 0;
    while let Some(row) = rows.next().expect("a row") {
        let text = |at| row.get_ref(at).expect("there").as_str().expect("text").len();
        n_bytes += text(0) + text(1);
    }
    (n, n_bytes)
}

fn bench_indexing(c: &mut Criterion<ThreadTime>) {
    let articles = articles(if is_test() { 200 } else { 10_000 });
    let mut group = c.benchmark_group("search_indexing");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("helpdesk", |b| b.iter_custom(|n| timed(n, || drop(ours(&articles)))));
    group.bench_function("fts5", |b| b.iter_custom(|n| timed(n, || drop(fts5(&articles)))));
    group.finish();
}

fn bench_questions(c: &mut Criterion<ThreadTime>) {
    let articles = articles(if is_test() { 500 } else { 100_000 });
    let asked = questions(1_000);
    let words: Vec<String> = asked.iter().map(|text| any_of(text)).collect();
    let (index, conn) = (ours(&articles), fts5(&articles));
    let ask = |at: usize| {
        let query = ArticleQuery::new(TENANT, Asker::Anonymous, asked[at].as_str());
        index.search(&query).expect("answered")
    };
    for at in 0..50 {
        let (found, theirs) = (ask(at), ask_fts5(&conn, &words[at]));
        let is_known = found.total > 0;
        assert!(is_known || theirs.0 == 0, "what FTS5 finds of `{}`, we find", asked[at]);
    }
    let mut group = c.benchmark_group("search_question");
    let mut at = 0;
    let mut next = move || {
        at = (at + 1) % 1_000;
        at
    };
    group.bench_function("helpdesk", |b| {
        b.iter_batched(&mut next, |at| ask(at).hits.len(), BatchSize::SmallInput);
    });
    group.bench_function("fts5", |b| {
        b.iter_batched(&mut next, |at| ask_fts5(&conn, &words[at]), BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = measured(10, Duration::from_secs(1), Duration::from_secs(8));
    targets = bench_indexing, bench_questions
}
criterion_main!(benches);
