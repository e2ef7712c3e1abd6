//! Sets of questions, and what they are asked of.
//!
//! A set is a folder: `docs.jsonl` (`id`, `title`, `body`, `lang`), `queries.jsonl` (`id`,
//! `text`; `body` and `exclude` where a question has them) and `qrels.tsv` (query, document
//! and grade, with tabs between). Every fault names the file and the line.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;

/// One document.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Doc {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) body: String,
    /// Guessed from the text where it is missing.
    pub(super) lang: Option<String>,
}

/// One question.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Question {
    pub(super) id: String,
    pub(super) text: String,
    /// The text of the ticket whose subject is `text`.
    pub(super) body: Option<String>,
    /// A document that is the question itself.
    pub(super) exclude: Option<String>,
}

/// Questions, documents, and which of them fit.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) docs: Vec<Doc>,
    pub(super) questions: Vec<Question>,
    /// By question: the documents that fit, with their grades.
    pub(super) fitting: HashMap<String, BTreeMap<String, u32>>,
}

/// Reads a set; its documents from another folder where one is named.
pub(super) fn read_set(folder: &Path, docs: Option<&Path>) -> Result<Set, String> {
    let docs: Vec<Doc> = lines(&docs.unwrap_or(folder).join("docs.jsonl"))?;
    let questions: Vec<Question> = lines(&folder.join("queries.jsonl"))?;
    let ids = distinct("docs.jsonl", docs.iter().map(|doc| doc.id.as_str()))?;
    let asked = distinct("queries.jsonl", questions.iter().map(|q| q.id.as_str()))?;
    for question in &questions {
        if ids.contains(question.id.as_str()) && question.exclude.as_deref() != Some(&question.id) {
            return Err(format!(
                "queries.jsonl: question `{}` is a document too, and does not exclude it",
                question.id
            ));
        }
    }
    let fitting = read_fitting(&folder.join("qrels.tsv"), &asked, &ids)?;
    if let Some(question) = questions.iter().find(|q| !fitting.contains_key(&q.id)) {
        return Err(format!("qrels.tsv: no document fits question `{}`", question.id));
    }
    let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
    Ok(Set { name, docs, questions, fitting })
}

fn read_fitting(
    path: &Path,
    asked: &HashSet<&str>,
    ids: &HashSet<&str>,
) -> Result<HashMap<String, BTreeMap<String, u32>>, String> {
    let mut fitting = HashMap::<String, BTreeMap<String, u32>>::new();
    for (line, at) in text(path)?.lines().zip(1..) {
        let fault = |what: &str| Err(format!("{}:{at}: {what}", path.display()));
        let parts: Vec<&str> = line.split('\t').collect();
        let &[question, doc, grade] = parts.as_slice() else {
            return fault("a query, a document and a grade, with tabs between");
        };
        let Ok(grade) = grade.trim().parse() else {
            return fault(&format!("`{grade}` is no grade: a number from 0"));
        };
        if !asked.contains(question) {
            return fault(&format!("no question `{question}` in queries.jsonl"));
        }
        if !ids.contains(doc) {
            return fault(&format!("no document `{doc}` in docs.jsonl"));
        }
        if grade > 0 {
            fitting.entry(question.to_owned()).or_default().insert(doc.to_owned(), grade);
        }
    }
    Ok(fitting)
}

fn distinct<'a>(
    file: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashSet<&'a str>, String> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(format!("{file}: id `{id}` stands there twice"));
        }
    }
    Ok(seen)
}

/// A text and what it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Labeled {
    pub(super) text: String,
    pub(super) label: String,
}

/// Reads texts to learn from, and others to try; no text may be in both.
pub(super) fn read_labeled(
    train: &Path,
    dev: &Path,
) -> Result<(Vec<Labeled>, Vec<Labeled>), String> {
    let (learned, tried): (Vec<Labeled>, Vec<Labeled>) = (lines(train)?, lines(dev)?);
    let texts: BTreeSet<&str> = learned.iter().map(|line| line.text.trim()).collect();
    let twice = tried.iter().zip(1..).find(|(line, _)| texts.contains(line.text.trim()));
    if let Some((_, at)) = twice {
        return Err(format!(
            "{}:{at}: the text is in {} too; what is tried must not be learned",
            dev.display(),
            train.display()
        ));
    }
    Ok((learned, tried))
}

/// A JSON value a line; at least one.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, String> {
    let mut found = Vec::new();
    for (line, at) in text(path)?.lines().zip(1..) {
        if line.trim().is_empty() {
            continue;
        }
        let value = serde_json::from_str(line);
        found.push(value.map_err(|error| format!("{}:{at}: {error}", path.display()))?);
    }
    if found.is_empty() {
        return Err(format!("{}: no line in it", path.display()));
    }
    Ok(found)
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
