//! Searches a knowledge base in the terminal.
//!
//! ```text
//! cargo run --release -p helpdesk-search --example kb_search -- FOLDER|docs.jsonl [QUESTION…]
//! ```
//!
//! `FOLDER` holds Markdown files, whose first heading is the title; a file ending in
//! `.jsonl` holds a JSON object a line, with `title`, `body` and, if known, `lang`. Without a
//! question it asks for them, one a line; a line that ends in `…` or `...` is completed.

#![allow(clippy::print_stdout, reason = "an example talks to a terminal")]

use helpdesk_core::article::Article;
use helpdesk_core::id::{ArticleId, Key, TenantId};
use helpdesk_search::{
    ArticleIndex, ArticleQuery, Asker, Change, FullTextIndex, IndexOptions, Snippet, guess_language,
};
use std::error::Error;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
/// Of a text whose language nobody knows.
const LANGUAGE: &str = "en";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let source = args.next().ok_or("a folder of Markdown files or a docs.jsonl first")?;
    let question = args.collect::<Vec<_>>().join(" ");
    let articles = read(Path::new(&source))?;
    let n_articles = articles.len();
    let start = Instant::now();
    let index = FullTextIndex::in_memory(&IndexOptions::default())?;
    let changes: Vec<Change> =
        articles.into_iter().map(|article| Change::Upsert(TENANT, article)).collect();
    index.apply(&changes)?;
    index.commit()?;
    println!("{n_articles} articles, indexed in {:.1?}", start.elapsed());
    if !question.is_empty() {
        return answer(&index, &question);
    }
    loop {
        print!("? ");
        std::io::stdout().flush()?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end_matches(['\r', '\n']);
        match line.strip_suffix('…').or_else(|| line.strip_suffix("...")) {
            Some(beginning) => complete(&index, beginning)?,
            None => answer(&index, line)?,
        }
    }
}

fn answer(index: &FullTextIndex, question: &str) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let query = ArticleQuery::new(TENANT, Asker::Anonymous, question).with_page(0, 5);
    let hits = index.search(&query)?;
    println!("{} found in {:.1?}", hits.total, start.elapsed());
    for hit in &hits.hits {
        println!("\n{:>6.2}  {}", hit.score, hit.title);
        println!("        {}", marked(&hit.snippet).replace('\n', "\n        "));
    }
    println!();
    Ok(())
}

fn complete(index: &FullTextIndex, beginning: &str) -> Result<(), Box<dyn Error>> {
    let suggestions = index.suggest(&ArticleQuery::new(TENANT, Asker::Anonymous, beginning))?;
    println!("words: {}", suggestions.words.join(", "));
    for article in &suggestions.articles {
        println!("        {}", article.title);
    }
    Ok(())
}

/// The snippet, its words in bold where there is a terminal.
fn marked(snippet: &Snippet) -> String {
    let (on, off) =
        if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("[", "]") };
    let mut text = String::new();
    let mut at = 0;
    for mark in &snippet.marks {
        text.push_str(&snippet.text[at..mark.start]);
        text.push_str(on);
        text.push_str(&snippet.text[mark.clone()]);
        text.push_str(off);
        at = mark.end;
    }
    text.push_str(&snippet.text[at..]);
    text
}

fn read(source: &Path) -> Result<Vec<Article>, Box<dyn Error>> {
    if source.is_dir() {
        let mut files = Vec::new();
        markdown_files(source, &mut files)?;
        files.sort();
        let texts = files.iter().map(|file| {
            let text = std::fs::read_to_string(file)?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let heading = text.lines().find_map(|line| line.strip_prefix("# "));
            let title = heading.map_or(name, |heading| heading.trim().to_owned());
            Ok((title, text, None))
        });
        let texts = texts.collect::<Result<Vec<_>, std::io::Error>>()?;
        return articles(texts);
    }
    let mut texts = Vec::new();
    for (line, at) in std::fs::read_to_string(source)?.lines().zip(1..) {
        let value: serde_json::Value = serde_json::from_str(line)
            .map_err(|error| format!("{}:{at}: {error}", source.display()))?;
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let title = text("title").ok_or_else(|| format!("{}:{at}: no title", source.display()))?;
        texts.push((title, text("body").unwrap_or_default(), text("lang")));
    }
    articles(texts)
}

fn markdown_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            markdown_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}

fn articles(texts: Vec<(String, String, Option<String>)>) -> Result<Vec<Article>, Box<dyn Error>> {
    let key = Key::new("page")?;
    let article = |((title, body, language), n): ((String, String, Option<String>), u128)| {
        let guessed = || guess_language(&body, &[]).map(|guess| guess.code);
        let language = language.or_else(guessed).unwrap_or_else(|| LANGUAGE.to_owned());
        Article::published(ArticleId(Uuid::from_u128(n)), key.clone(), language, title, body)
    };
    Ok(texts.into_iter().zip(1..).map(article).collect())
}
