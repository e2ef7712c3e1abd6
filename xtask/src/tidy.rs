//! `cargo xtask tidy`: what neither the compiler nor clippy checks.
//!
//! Sizes of files, the header of each source file, leftovers, stray whitespace,
//! paths of somebody's machine, and the import order of the core.

mod order;
mod scan;
#[cfg(test)]
mod tests;

use crate::{Failure, no_arguments, shell};
use std::fs;
use std::path::Path;

/// A file of more lines asks for a split.
const FILE_LINES_MAX: usize = 800;
/// A file of more lines is worth a note.
const FILE_LINES_GOOD: usize = 400;
/// Folders below the root that tidy looks into at most.
const FOLDER_DEPTH_MAX: usize = 16;

/// Folders that hold nothing we wrote.
const FOLDERS_SKIPPED: &[&str] =
    &[".git", "target", "corpus", "artifacts", "node_modules", "__pycache__", ".venv"];
/// Extensions of the files we write by hand; test data may look as it likes.
const EXTENSIONS: &[&str] = &["rs", "toml", "md", "sh", "yml", "yaml", "py"];

/// Words that mean unfinished work; put together here so that this file has none of them.
const LEFTOVERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("unimplemented", "!"),
    concat!("to", "do!"),
];

/// Beginnings of paths that exist on one machine only; put together likewise.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/t", "mp/"),
    concat!("C:", "\\"),
];

/// A file by its path below the root, `/` between the parts.
#[derive(Debug)]
struct Source {
    path: String,
    text: String,
}

/// What is wrong, and where; line 0 is the whole file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

/// Runs the chore.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    no_arguments("tidy", args)?;
    Ok(check()?)
}

/// Prints what is wrong, and fails when anything is.
pub(crate) fn check() -> Result<(), String> {
    let mut sources = Vec::new();
    read_folder(&shell::root()?, "", 0, &mut sources)?;
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let mut findings: Vec<Finding> = sources.iter().flat_map(check_file).collect();
    findings.extend(order::check(&sources));
    findings.sort();
    for source in sources.iter().filter(|source| is_long(source)) {
        println!("note: {} has {} lines", source.path, source.text.lines().count());
    }
    for Finding { path, line, message } in &findings {
        println!("{path}:{line}: {message}");
    }
    if !findings.is_empty() {
        return Err(format!("tidy found {} faults in {} files", findings.len(), sources.len()));
    }
    println!("tidy: {} files, no fault", sources.len());
    Ok(())
}

/// Reads the files below `folder` that we write by hand; `below` is its path from the root.
fn read_folder(
    folder: &Path,
    below: &str,
    depth: usize,
    sources: &mut Vec<Source>,
) -> Result<(), String> {
    if depth > FOLDER_DEPTH_MAX {
        return Err(format!("`{below}` is nested more than {FOLDER_DEPTH_MAX} folders deep"));
    }
    let failed = |error: std::io::Error| format!("`{}`: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && !FOLDERS_SKIPPED.contains(&name.as_str()) {
            read_folder(&entry.path(), &path, depth + 1, sources)?;
        }
        if kind.is_file() && is_ours(&path) {
            let text = fs::read_to_string(entry.path());
            let text = text.map_err(|error| format!("`{path}`: {error}"))?;
            sources.push(Source { path, text });
        }
    }
    Ok(())
}

fn is_ours(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    EXTENSIONS.contains(&extension) || path.starts_with(".ci/")
}

fn is_rust(source: &Source) -> bool {
    source.path.ends_with(".rs")
}

fn is_long(source: &Source) -> bool {
    is_rust(source) && source.text.lines().count() > FILE_LINES_GOOD
}

/// Everything but the import order, which is a matter of all files.
fn check_file(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |line, message: String| findings.push(Finding::new(&source.path, line, message));
    let n_lines = source.text.lines().count();
    if is_rust(source) && n_lines > FILE_LINES_MAX {
        find(0, format!("{n_lines} lines, and {FILE_LINES_MAX} is the most: split it"));
    }
    if is_rust(source) && needs_header(&source.path) && !source.text.starts_with("//!") {
        find(1, "starts without a `//!` line that says what the file is for".to_owned());
    }
    for (index, line) in source.text.split('\n').enumerate() {
        for message in check_line(line) {
            find(index + 1, message);
        }
    }
    findings
}

/// Unit tests, benches and fuzz targets speak for themselves.
fn needs_header(path: &str) -> bool {
    let is_exempt = |part: &str| matches!(part, "tests.rs" | "benches" | "fuzz");
    !path.split('/').any(is_exempt) && !is_unit_test(path)
}

/// True for `tests.rs` and for what lies in a `tests` folder of a crate's `src`.
fn is_unit_test(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || path.split_once("src/").is_some_and(|(_, rest)| rest.split('/').any(|p| p == "tests"))
}

fn check_line(line: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if line.ends_with(char::is_whitespace) {
        messages.push("whitespace at the end of the line".to_owned());
    }
    if line.contains('\t') {
        messages.push("a tab".to_owned());
    }
    for word in LEFTOVERS.iter().filter(|word| has_word(line, word)) {
        messages.push(format!("`{word}`: finish it, or open an issue"));
    }
    for path in MACHINE_PATHS.iter().filter(|path| has_machine_path(line, path)) {
        messages.push(format!("a path of one machine: `{path}`"));
    }
    messages
}

/// True when `word` stands in `line` and is not the end of a longer word.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word_char)
            && (word.ends_with('!') || !after.is_some_and(is_word_char))
    })
}

/// True when a path begins with `beginning`; the middle of a URL or a relative path is none.
fn has_machine_path(line: &str, beginning: &str) -> bool {
    line.match_indices(beginning).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| is_word_char(c) || "./-~}>*".contains(c))
    })
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
