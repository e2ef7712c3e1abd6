//! Reads tickets from CSV or JSON lines.

use crate::args::Own;
use crate::{Result, Trouble, trouble};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::path::Path;

/// One ticket of the file.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its row, from 1, the header not counted.
    pub(crate) n: usize,
    pub(crate) text: String,
    pub(crate) subject: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) time: Option<DateTime<Utc>>,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) rows: Vec<Row>,
    /// Rows without a text, left out.
    pub(crate) n_empty: usize,
    /// Which column is what, in words.
    pub(crate) columns: Vec<String>,
}

/// A row as names and values.
type Record = BTreeMap<String, String>;

const TEXTS: &[&str] = &["document", "text", "body", "description", "message"];
const SUBJECTS: &[&str] = &["subject", "title", "summary"];
const TOPICS: &[&str] = &["topic_group", "topic", "category", "label"];
const SENDERS: &[&str] = &["from", "sender", "requester", "email"];
const TIMES: &[&str] = &["time", "date", "created_at"];

/// Reads the file that the command line names.
pub(crate) fn read(own: &Own) -> Result<File> {
    let path = &own.file;
    let shown = path.display();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    if !path.is_file() {
        return trouble(format!(
            "{shown}: there is no such file; give the path of a .csv or .jsonl"
        ));
    }
    let limit = own.limit.unwrap_or(usize::MAX);
    let (names, records) = match extension.as_str() {
        "csv" => csv_records(path, limit)?,
        "jsonl" | "ndjson" => json_records(path, limit)?,
        _ => {
            return trouble(format!("{shown}: takes .csv (with a header), .jsonl or .ndjson"));
        }
    };
    let find = |option, asked, guesses| column(path, &names, option, asked, guesses);
    let subject = find("--subject", own.subject.as_ref(), SUBJECTS)?;
    let text = find("--text", own.text.as_ref(), TEXTS)?;
    let topic = find("--topic", own.topic.as_ref(), TOPICS)?;
    let from = find("--from", own.from.as_ref(), SENDERS)?;
    let time = find("--time", own.time.as_ref(), TIMES)?;
    let Some(text) = text else {
        let names = names.join("`, `");
        return trouble(format!(
            "{shown}: no column looks like the text; name it with --text, one of `{names}`"
        ));
    };
    let mut rows = Vec::new();
    let n_records = records.len();
    for (i, mut record) in records.into_iter().enumerate() {
        let n = i + 1;
        let mut take = |name: &Option<String>| {
            let value = name.as_ref().and_then(|name| record.remove(name))?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let when = take(&time);
        let time = match (&time, when) {
            (Some(name), Some(when)) => Some(instant(path, n, name, &when)?),
            _ => None,
        };
        let (topic, from, subject) = (take(&topic), take(&from), take(&subject));
        if let Some(text) = take(&Some(text.clone())) {
            rows.push(Row { n, text, subject, topic, from, time });
        }
    }
    rows.sort_by_key(|row| row.time);
    let named = [
        ("text", Some(text)),
        ("subject", subject),
        ("topic", topic),
        ("from", from),
        ("time", time),
    ];
    let columns = named.into_iter().filter_map(|(what, name)| Some(format!("{what} = {}", name?)));
    Ok(File { n_empty: n_records - rows.len(), rows, columns: columns.collect() })
}

/// The column that was asked for, else the first whose name is a good guess.
fn column(
    path: &Path,
    names: &[String],
    option: &str,
    asked: Option<&String>,
    guesses: &[&str],
) -> Result<Option<String>> {
    let Some(asked) = asked else {
        let guess = guesses.iter().find_map(|g| names.iter().find(|n| n.to_lowercase() == *g));
        return Ok(guess.cloned());
    };
    if names.contains(asked) {
        return Ok(Some(asked.clone()));
    }
    trouble(format!(
        "{}: there is no column `{asked}` for {option}; take one of `{}`",
        path.display(),
        names.join("`, `")
    ))
}

fn instant(path: &Path, n: usize, column: &str, value: &str) -> Result<DateTime<Utc>> {
    value.parse().map_err(|_| {
        Trouble(format!(
            "{}: row {n}, column `{column}`: `{value}` is no time like 2026-03-02T09:00:00Z; \
             change it, or name another column with --time",
            path.display()
        ))
    })
}

fn csv_records(path: &Path, limit: usize) -> Result<(Vec<String>, Vec<Record>)> {
    let shown = path.display();
    let mut reader = csv::Reader::from_path(path)
        .map_err(|error| Trouble(format!("{shown}: cannot be read: {error}")))?;
    let header = reader.headers().map_err(|error| Trouble(format!("{shown}: header: {error}")))?;
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let mut records = Vec::new();
    for (i, row) in reader.records().take(limit).enumerate() {
        let row = row.map_err(|error| {
            let what = match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
                    "{len} columns where the header has {expected_len}; put texts with commas \
                     into double quotes"
                ),
                csv::ErrorKind::Utf8 { .. } => "not UTF-8; save the file as UTF-8".to_owned(),
                _ => error.to_string(),
            };
            Trouble(format!("{shown}: row {}: {what}", i + 1))
        })?;
        records.push(names.iter().cloned().zip(row.iter().map(str::to_owned)).collect());
    }
    Ok((names, records))
}

fn json_records(path: &Path, limit: usize) -> Result<(Vec<String>, Vec<Record>)> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Trouble(format!("{shown}: cannot be read as UTF-8 text: {error}")))?;
    let mut names: Vec<String> = Vec::new();
    let mut records = Vec::new();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    for (i, line) in lines.take(limit).enumerate() {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)
            .map_err(|error| {
                let n = i + 1;
                Trouble(format!("{shown}: row {n}: not a JSON object on one line: {error}"))
            })?;
        let mut record = Record::new();
        for (name, value) in object {
            if !names.contains(&name) {
                names.push(name.clone());
            }
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => drop(record.insert(name, text)),
                other => drop(record.insert(name, other.to_string())),
            }
        }
        records.push(record);
    }
    Ok((names, records))
}
