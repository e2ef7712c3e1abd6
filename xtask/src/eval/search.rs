//! `cargo xtask eval search DIR… [--docs DIR] [--floor] [--json]`.

use super::data::{Doc, Question, Set, read_set};
use super::floor::Floor;
use super::measures::{DEPTH, Measures, table};
use crate::Failure;
use helpdesk_core::article::Article;
use helpdesk_core::id::{ArticleId, Key, TenantId};
use helpdesk_search::{
    ArticleIndex, ArticleQuery, Asker, Change, FullTextIndex, IndexOptions, guess_language,
};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Instant;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
/// Of a document whose language nobody knows.
const LANGUAGE: &str = "en";

struct Options {
    folders: Vec<PathBuf>,
    docs: Option<PathBuf>,
    has_floor: bool,
    is_json: bool,
}

/// Measures each set.
pub(super) fn run(args: &[String]) -> Result<(), Failure> {
    let options = options(args)?;
    let mut rows: Vec<Value> = Vec::new();
    for folder in &options.folders {
        let set = read_set(folder, options.docs.as_deref())?;
        rows.extend(measure(&set, options.has_floor)?);
    }
    if options.is_json {
        println!("{}", Value::Array(rows));
    } else {
        print!("{}", table(&rows));
    }
    Ok(())
}

fn options(args: &[String]) -> Result<Options, Failure> {
    let mut options = Options { folders: Vec::new(), docs: None, has_floor: false, is_json: false };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--floor" => options.has_floor = true,
            "--json" => options.is_json = true,
            "--docs" => {
                let folder = args.next().ok_or_else(|| usage("`--docs` wants a folder"))?;
                options.docs = Some(PathBuf::from(folder));
            }
            other if other.starts_with('-') => return Err(usage(&format!("no option `{other}`"))),
            folder => options.folders.push(PathBuf::from(folder)),
        }
    }
    if options.folders.is_empty() {
        return Err(usage("a folder first"));
    }
    Ok(options)
}

fn usage(what: &str) -> Failure {
    Failure::Usage(format!("{what}: {}", super::USAGE))
}

fn measure(set: &Set, has_floor: bool) -> Result<Vec<Value>, String> {
    let index = index(&set.docs)?;
    let mut rows = Vec::new();
    let ask = |question: &Question, text: &str| {
        let n = DEPTH + usize::from(question.exclude.is_some());
        let query = ArticleQuery::new(TENANT, Asker::Agent, text).with_page(0, n);
        let hits = index.search(&query).map_err(|error| error.to_string())?;
        Ok(hits.hits.iter().map(|hit| hit.id.0.as_u128() as usize).collect())
    };
    rows.push(asked(set, "helpdesk", |question| question.text.clone(), ask)?);
    if set.questions.iter().any(|question| question.body.is_some()) {
        rows.push(asked(set, "helpdesk, body", whole, ask)?);
    }
    if has_floor {
        let language = language(&set.docs[0]);
        for (name, forgives) in [("floor", false), ("floor, fuzzy", true)] {
            let mut floor = Floor::new(&set.docs, &language, forgives)?;
            let mut ask = |question: &Question, text: &str| {
                floor.search(text, DEPTH + usize::from(question.exclude.is_some()))
            };
            rows.push(asked(set, name, |question| question.text.clone(), &mut ask)?);
            if !forgives && set.questions.iter().any(|question| question.body.is_some()) {
                rows.push(asked(set, "floor, body", whole, &mut ask)?);
            }
        }
    }
    Ok(rows)
}

/// Subject and text of a ticket.
fn whole(question: &Question) -> String {
    format!("{}\n{}", question.text, question.body.as_deref().unwrap_or_default())
}

fn asked(
    set: &Set,
    name: &str,
    text: impl Fn(&Question) -> String,
    mut ask: impl FnMut(&Question, &str) -> Result<Vec<usize>, String>,
) -> Result<Value, String> {
    let mut measures = Measures::default();
    for question in &set.questions {
        let text = text(question);
        let start = Instant::now();
        let places = ask(question, &text)?;
        let took = start.elapsed();
        let ids = places.iter().map(|place| set.docs[*place].id.as_str());
        let answer: Vec<&str> = ids.filter(|id| question.exclude.as_deref() != Some(id)).collect();
        measures.add(&answer, &set.fitting[&question.id], took);
    }
    Ok(measures.to_json(&set.name, name))
}

fn index(docs: &[Doc]) -> Result<FullTextIndex, String> {
    let index = FullTextIndex::in_memory(&IndexOptions::default().with_memory_bytes(50_000_000));
    let index = index.map_err(|error| error.to_string())?;
    let changes: Vec<Change> =
        docs.iter().zip(0..).map(|(doc, at)| Change::Upsert(TENANT, article(doc, at))).collect();
    index.apply(&changes).and_then(|_| index.commit()).map_err(|error| error.to_string())?;
    Ok(index)
}

fn article(doc: &Doc, at: u128) -> Article {
    let key = Key::new("doc").unwrap_or_else(|_| unreachable!("a key"));
    Article::published(ArticleId(Uuid::from_u128(at)), key, language(doc), &doc.title, &doc.body)
}

fn language(doc: &Doc) -> String {
    let guessed = || guess_language(&format!("{}\n{}", doc.title, doc.body), &[]);
    let code = doc.lang.clone().or_else(|| guessed().map(|guess| guess.code));
    code.unwrap_or_else(|| LANGUAGE.to_owned())
}
