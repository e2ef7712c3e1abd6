//! A document on its way to a desk: what can be read of it even where parts do
//! not fit, so that one reading tells every fault.

use super::document::Document;
use crate::fault::Fault;
use crate::id::Key;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A document without the entries that could not be read.
pub(super) struct Draft {
    /// What could be read.
    pub(super) document: Document,
    /// For each list that lost entries: where the remaining ones stood.
    origins: BTreeMap<String, Vec<usize>>,
    /// The sections that lost something.
    broken: BTreeSet<String>,
    /// Conditions of the entries that were lost, with their paths.
    pub(super) lost_conditions: Vec<(String, Value)>,
    /// Keys of the entries that were lost, by section; `None` where one could
    /// not be read.
    lost_keys: BTreeMap<String, Vec<Option<Key>>>,
}

impl Draft {
    /// Reads what the shape's faults leave. Values that the schema takes and
    /// the types do not (a number out of range) become faults here.
    pub(super) fn read(source: &Value, faults: &mut Vec<Fault>) -> Option<Self> {
        if faults.is_empty()
            && let Ok(document) = Document::deserialize(source)
        {
            return Some(Self::whole(document));
        }
        let sections = source.as_object()?;
        let mut lost = Lost::of(faults);
        for (section, value) in sections {
            lost.add_unreadable(section, value, faults);
        }
        let mut draft = Self::whole(Document::default());
        let mut kept = Map::new();
        for (section, value) in sections {
            if lost.sections.contains(section) {
                draft.broken.insert(section.clone());
            } else if let (Value::Array(list), Some(entries)) = (value, lost.entries.get(section)) {
                kept.insert(section.clone(), draft.keep(section, list, entries));
            } else {
                kept.insert(section.clone(), value.clone());
            }
        }
        match Document::deserialize(Value::Object(kept)) {
            Ok(document) => draft.document = document,
            Err(error) => {
                faults.push(Fault::invalid("", error.to_string()));
                return None;
            }
        }
        Some(draft)
    }

    fn whole(document: Document) -> Self {
        Self {
            document,
            origins: BTreeMap::new(),
            broken: BTreeSet::new(),
            lost_conditions: Vec::new(),
            lost_keys: BTreeMap::new(),
        }
    }

    fn keep(&mut self, section: &str, list: &[Value], lost: &BTreeSet<usize>) -> Value {
        let mut kept = Vec::new();
        let mut origin = Vec::new();
        for (i, entry) in list.iter().enumerate() {
            if !lost.contains(&i) {
                kept.push(entry.clone());
                origin.push(i);
                continue;
            }
            let key = entry.get("key").and_then(Value::as_str).and_then(|key| Key::new(key).ok());
            self.lost_keys.entry(section.to_owned()).or_default().push(key);
            if let Some(when) = entry.get("when") {
                self.lost_conditions.push((format!("{section}[{i}].when"), when.clone()));
            }
        }
        self.origins.insert(section.to_owned(), origin);
        self.broken.insert(section.to_owned());
        Value::Array(kept)
    }

    /// Whether nothing of the section was lost.
    pub(super) fn is_whole(&self, section: &str) -> bool {
        !self.broken.contains(section)
    }

    /// Keys that entries of the section have which could not be read; `None`
    /// when it cannot be said which keys there are.
    pub(super) fn lost_keys(&self, section: &str) -> Option<Vec<Key>> {
        match self.lost_keys.get(section) {
            Some(keys) => keys.iter().cloned().collect(),
            None => self.is_whole(section).then(Vec::new),
        }
    }

    /// The path of a spot in the document as it was given.
    pub(super) fn origin_of(&self, path: &str) -> String {
        let Some((section, Some(index))) = spot_of(path) else { return path.to_owned() };
        let Some(origin) = self.origins.get(section).and_then(|list| list.get(index)) else {
            return path.to_owned();
        };
        let rest = path.split_once(']').map_or("", |(_, rest)| rest);
        format!("{section}[{origin}]{rest}")
    }
}

/// What must be left out.
struct Lost {
    sections: BTreeSet<String>,
    entries: BTreeMap<String, BTreeSet<usize>>,
}

impl Lost {
    fn of(faults: &[Fault]) -> Self {
        let mut lost = Self { sections: BTreeSet::new(), entries: BTreeMap::new() };
        for fault in faults {
            match spot_of(&fault.path) {
                Some((section, Some(index))) => lost.add_entry(section, index),
                Some((section, None)) => {
                    lost.sections.insert(section.to_owned());
                }
                None => {}
            }
        }
        lost
    }

    fn add_entry(&mut self, section: &str, index: usize) {
        self.entries.entry(section.to_owned()).or_default().insert(index);
    }

    /// Finds what the types do not take, part by part.
    fn add_unreadable(&mut self, section: &str, value: &Value, faults: &mut Vec<Fault>) {
        if self.sections.contains(section) {
            return;
        }
        let Value::Array(list) = value else {
            if let Err(error) = Document::deserialize(json!({ section: value })) {
                faults.push(Fault::invalid(section, error.to_string()));
                self.sections.insert(section.to_owned());
            }
            return;
        };
        let known = self.entries.get(section).cloned().unwrap_or_default();
        for (i, entry) in list.iter().enumerate().filter(|(i, _)| !known.contains(i)) {
            if let Err(error) = Document::deserialize(json!({ section: [entry] })) {
                faults.push(Fault::invalid(format!("{section}[{i}]"), error.to_string()));
                self.add_entry(section, i);
            }
        }
    }
}

/// The section and, in a list, the index that a path starts with.
fn spot_of(path: &str) -> Option<(&str, Option<usize>)> {
    let end = path.find(['[', '.']).unwrap_or(path.len());
    let (section, rest) = path.split_at(end);
    if section.is_empty() {
        return None;
    }
    let index = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    Some((section, index.and_then(|(index, _)| index.parse().ok())))
}
