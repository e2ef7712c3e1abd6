//! As you type: ends of the last word, and articles for what stands there.

use super::audience::{Audience, Sees};
use super::generation::failed;
use super::plan::{Alternative, GroupPlan, Lookup, Readable, Slot};
use super::question::{slots, stem};
use super::schema::group_char;
use super::search::{find, plans_with};
use super::sees_article;
use super::snapshot::Snapshot;
use crate::index::{ArticleQuery, SearchError};
use crate::language::{Analyzer, Piece, pieces};
use helpdesk_core::id::ArticleId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tantivy::schema::Value;
use tantivy::{DocAddress, TantivyDocument};
use uuid::Uuid;

/// Words, and articles, that are suggested at most.
pub const SUGGESTED_MAX: usize = 8;
/// Words with one beginning that are looked at.
const BEGINNING_MAX: usize = 2_000;

/// What the asker may be about to ask.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Suggestions {
    /// Whole words that begin like the last one of the text, the most frequent first; equal
    /// ones in order of the alphabet. None after a space.
    pub words: Vec<String>,
    /// Articles, best first.
    pub articles: Vec<Suggested>,
}

/// An article to go to at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggested {
    /// Which.
    pub id: ArticleId,
    /// Its title.
    pub title: String,
}

/// What the text may become.
pub(crate) fn suggest(
    snapshot: &Snapshot,
    query: &ArticleQuery,
) -> Result<Suggestions, SearchError> {
    answer(snapshot, query).map_err(failed)
}

fn answer(snapshot: &Snapshot, query: &ArticleQuery) -> tantivy::Result<Suggestions> {
    let tenant = query.tenant;
    let (before, beginning) = split(&query.text);
    let sees: Sees<'_> = &|audience: &Audience| sees_article(&query.asker, audience);
    let mut words = BTreeMap::<String, u32>::new();
    if !beginning.is_empty() {
        for (_, group) in snapshot.groups.of(tenant) {
            complete(snapshot, sees, group, &beginning, &mut words)?;
        }
    }
    let mut words: Vec<(String, u32)> = words.into_iter().collect();
    words.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    words.truncate(SUGGESTED_MAX);
    let plans = plans_with(snapshot, tenant, sees, |analyzer| {
        let (mut found, mut order) = slots(before, analyzer, &query.synonyms);
        if !beginning.is_empty() {
            order.push(found.len());
            found.push(begun(&beginning, &words, analyzer));
        }
        (found, order)
    })?;
    let articles = articles(snapshot, query, &plans)?;
    Ok(Suggestions { words: words.into_iter().map(|(word, _)| word).collect(), articles })
}

/// What stands before the last word, and that, folded; it is over with a space.
fn split(text: &str) -> (&str, String) {
    let mut last = (text.len(), String::new());
    pieces(text, |piece| match piece {
        Piece::Word { folded, start, end } if end == text.len() => {
            last = (start, folded.to_owned());
        }
        // A gram is whole as it is.
        Piece::Word { .. } | Piece::Gram { .. } => {}
    });
    (&text[..last.0], last.1)
}

/// The last word as a slot: itself, or any word that begins like it.
fn begun(beginning: &str, words: &[(String, u32)], analyzer: &Analyzer) -> Slot {
    let mut alternatives: Vec<Alternative> = Vec::new();
    for word in [beginning].into_iter().chain(words.iter().map(|(word, _)| word.as_str())) {
        let stem = stem(analyzer, word, true);
        if alternatives.iter().all(|known| known.stem != stem) {
            alternatives.push(Alternative { stem, weight: 1.0 });
        }
    }
    Slot { word: beginning.to_owned(), alternatives, n_asked: 1 }
}

/// Counts the words of titles that begin so.
fn complete(
    snapshot: &Snapshot,
    sees: Sees<'_>,
    group: u32,
    beginning: &str,
    words: &mut BTreeMap<String, u32>,
) -> tantivy::Result<()> {
    let field = snapshot.fields.title_forms;
    let prefix = group_char(group).len_utf8();
    let first = format!("{}{beginning}", group_char(group));
    let readable: Vec<Readable> =
        snapshot.segments.iter().map(|segment| Readable::of(segment, group, sees)).collect();
    let lookup = Lookup { snapshot, group, readable: &readable, n_docs: 0.0 };
    for (segment, readable) in snapshot.segments.iter().zip(&readable) {
        if *readable == Readable::Nothing {
            continue;
        }
        let index = segment.reader.inverted_index(field)?;
        let mut terms = index.terms().range().ge(first.as_bytes()).into_stream()?;
        let mut n_seen = 0;
        while let Some((term, info)) = terms.next() {
            if !term.starts_with(first.as_bytes()) || n_seen == BEGINNING_MAX {
                break;
            }
            let n = lookup.n_readable(segment, readable, (field, &index), (term, info))?;
            // What may not be read is not there, not even against the limit.
            n_seen += usize::from(n > 0);
            let Ok(word) = std::str::from_utf8(&term[prefix..]) else { continue };
            if n > 0 {
                *words.entry(word.to_owned()).or_default() += n;
            }
        }
    }
    Ok(())
}

fn articles(
    snapshot: &Snapshot,
    query: &ArticleQuery,
    plans: &[GroupPlan],
) -> tantivy::Result<Vec<Suggested>> {
    let found = find(snapshot, query, plans, SUGGESTED_MAX)?;
    let suggested = |ranked: &super::close::Ranked| {
        let (segment, doc) = (ranked.candidate.segment, ranked.candidate.doc);
        let document: TantivyDocument = snapshot.searcher.doc(DocAddress::new(segment, doc))?;
        let title = document.get_first(snapshot.fields.title).and_then(|v| v.as_str());
        Ok(Suggested {
            id: ArticleId(Uuid::from_u128(snapshot.segments[segment as usize].id(doc))),
            title: title.unwrap_or_default().to_owned(),
        })
    };
    found.best.iter().take(SUGGESTED_MAX).map(suggested).collect()
}
