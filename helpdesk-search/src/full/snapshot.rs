//! What a question reads: segments as they stood at one commit.

use super::Checkpoints;
use super::audience::Audience;
use super::registry::Groups;
use super::schema::{Fields, N_PARTS};
use helpdesk_core::article::Visibility;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::columnar::{Column, StrColumn};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::SegmentId;
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{InvertedIndexReader, Opstamp, Searcher, SegmentReader};

/// Counts of a class that a segment keeps, 8 bytes each.
const COUNTED_MAX: usize = 500_000;

/// The index at one commit.
pub(crate) struct Snapshot {
    pub(crate) searcher: Searcher,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) groups: Arc<Groups>,
    pub(crate) fields: Fields,
    /// The last change in it.
    pub(crate) seq: u64,
    /// Where the feed of each tenant had been read up to.
    pub(crate) checkpoints: Checkpoints,
}

/// The documents of one group with one audience.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) group: u32,
    pub(crate) audience: Arc<Audience>,
    pub(crate) n_docs: u64,
    /// Words of those documents, by part.
    pub(crate) n_words: [u64; N_PARTS],
}

/// One segment, and what is known of it.
pub(crate) struct Segment {
    key: (SegmentId, Option<Opstamp>),
    pub(crate) reader: SegmentReader,
    pub(crate) classes: Vec<Class>,
    pub(crate) class_of: Column<u64>,
    pub(crate) id_high: Column<u64>,
    pub(crate) id_low: Column<u64>,
    pub(crate) category: Option<StrColumn>,
    pub(crate) labels: Option<StrColumn>,
    pub(crate) parts: [Arc<InvertedIndexReader>; N_PARTS],
    pub(crate) norms: [FieldNormReader; N_PARTS],
    /// How many living documents of each class a term has.
    counts: Mutex<Counted>,
    /// The classes of each group.
    classes_of: Arc<HashMap<u32, Vec<u32>>>,
}

/// Counts that are kept, and how many of classes they are.
#[derive(Default)]
struct Counted {
    by_term: HashMap<(Field, Vec<u8>), Counts>,
    n_kept: usize,
}

/// How many documents of which class.
pub(crate) type Counts = Arc<[(u32, u32)]>;

impl Snapshot {
    /// What the searcher sees. Segments that have not changed are taken from the one before, and of
    /// one that has lost documents only those are counted anew: a segment of many tickets
    /// has as many classes, and loses a document with each edit.
    pub(crate) fn new(
        searcher: Searcher,
        groups: Arc<Groups>,
        fields: &Fields,
        before: Option<&Self>,
    ) -> tantivy::Result<Self> {
        let known = |id| before?.segments.iter().find(|segment| segment.key.0 == id);
        let segment = |reader: &SegmentReader| {
            let key = (reader.segment_id(), reader.delete_opstamp());
            match known(key.0) {
                Some(segment) if segment.key == key => Ok(segment.clone()),
                Some(segment) => Ok(Arc::new(segment.after_deletes(reader))),
                None => Segment::new(reader, fields).map(Arc::new),
            }
        };
        let segments = searcher.segment_readers().iter().map(segment).collect::<Result<_, _>>()?;
        Ok(Self {
            searcher,
            segments,
            groups,
            fields: fields.clone(),
            seq: 0,
            checkpoints: Checkpoints::new(),
        })
    }
}

impl Segment {
    fn new(reader: &SegmentReader, fields: &Fields) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        let class = columns.str("class")?;
        let classes = class.as_ref().map(read_classes).transpose()?.unwrap_or_default();
        let mut parts = Vec::new();
        let mut norms = Vec::new();
        for field in fields.parts {
            parts.push(reader.inverted_index(field)?);
            norms.push(reader.get_fieldnorms_reader(field)?);
        }
        let (Ok(parts), Ok(norms)) = (parts.try_into(), norms.try_into()) else {
            return Err(tantivy::TantivyError::InternalError("parts".to_owned()));
        };
        let class_of = match class {
            Some(column) => column.ords().clone(),
            None => Column::build_empty_column(reader.max_doc()),
        };
        let mut classes_of = HashMap::<u32, Vec<u32>>::new();
        for (class, ord) in classes.iter().zip(0..) {
            classes_of.entry(class.group).or_default().push(ord);
        }
        let mut segment = Self {
            key: (reader.segment_id(), reader.delete_opstamp()),
            reader: reader.clone(),
            classes,
            class_of,
            id_high: columns.u64("id_high")?,
            id_low: columns.u64("id_low")?,
            category: columns.str("category")?,
            labels: columns.str("labels")?,
            parts,
            norms,
            counts: Mutex::default(),
            classes_of: Arc::new(classes_of),
        };
        segment.count_classes();
        Ok(segment)
    }

    /// The same segment, of which more documents are gone.
    fn after_deletes(&self, reader: &SegmentReader) -> Self {
        let mut classes = self.classes.clone();
        let is_gone = |doc: &u32| reader.alive_bitset().is_some_and(|alive| alive.is_deleted(*doc));
        for doc in self.reader.doc_ids_alive().filter(is_gone) {
            if let Some(class) = self.class_mut(&mut classes, doc) {
                class.n_docs -= 1;
                for (n_words, norms) in class.n_words.iter_mut().zip(&self.norms) {
                    *n_words -= u64::from(norms.fieldnorm(doc));
                }
            }
        }
        Self {
            key: (reader.segment_id(), reader.delete_opstamp()),
            reader: reader.clone(),
            classes,
            class_of: self.class_of.clone(),
            id_high: self.id_high.clone(),
            id_low: self.id_low.clone(),
            category: self.category.clone(),
            labels: self.labels.clone(),
            parts: self.parts.clone(),
            norms: self.norms.clone(),
            counts: Mutex::default(),
            classes_of: self.classes_of.clone(),
        }
    }

    fn count_classes(&mut self) {
        let mut classes = std::mem::take(&mut self.classes);
        for doc in self.reader.doc_ids_alive() {
            if let Some(class) = self.class_mut(&mut classes, doc) {
                class.n_docs += 1;
                for (n_words, norms) in class.n_words.iter_mut().zip(&self.norms) {
                    *n_words += u64::from(norms.fieldnorm(doc));
                }
            }
        }
        self.classes = classes;
    }

    fn class_mut<'c>(&self, classes: &'c mut [Class], doc: u32) -> Option<&'c mut Class> {
        self.class_of.first(doc).and_then(|ord| classes.get_mut(ord as usize))
    }

    /// The classes of a group, by ordinal.
    pub(crate) fn classes_of(&self, group: u32) -> impl Iterator<Item = (u32, &Class)> {
        let ords = self.classes_of.get(&group).into_iter().flatten();
        ords.filter_map(|ord| Some((*ord, self.classes.get(*ord as usize)?)))
    }

    /// The id of a document.
    pub(crate) fn id(&self, doc: u32) -> u128 {
        let high = u128::from(self.id_high.first(doc).unwrap_or_default());
        (high << 64) | u128::from(self.id_low.first(doc).unwrap_or_default())
    }

    /// How many living documents of each class have this term.
    pub(crate) fn counts(
        &self,
        field: Field,
        index: &InvertedIndexReader,
        term: &[u8],
        info: &TermInfo,
    ) -> tantivy::Result<Counts> {
        let key = (field, term.to_vec());
        let counted = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = counted.by_term.get(&key).cloned();
        drop(counted);
        if let Some(counts) = kept {
            return Ok(counts);
        }
        let mut counts = vec![0u32; self.classes.len()];
        let mut postings =
            index.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        let alive = self.reader.alive_bitset();
        while !postings.docs().is_empty() {
            for &doc in postings.docs() {
                if alive.is_none_or(|alive| alive.is_alive(doc)) {
                    let class = self.class_of.first(doc).unwrap_or_default() as usize;
                    if let Some(count) = counts.get_mut(class) {
                        *count += 1;
                    }
                }
            }
            postings.advance();
        }
        let some = counts.into_iter().zip(0..).filter(|(n, _)| *n > 0).map(|(n, class)| (class, n));
        let counts: Counts = some.collect();
        let mut kept = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.n_kept >= COUNTED_MAX {
            *kept = Counted::default();
        }
        // A term that is new counts as one more, even where it stands in nothing.
        kept.n_kept += counts.len() + 1;
        kept.by_term.insert(key, counts.clone());
        Ok(counts)
    }
}

/// The name of a class: what its documents have in common.
pub(crate) fn class_name(group: u32, audience: &Audience) -> String {
    let sorted = match audience {
        Audience::Article(Visibility::Segment(tags)) => {
            let mut tags = tags.clone();
            tags.sort_unstable();
            tags.dedup();
            Audience::Article(Visibility::Segment(tags))
        }
        other => other.clone(),
    };
    format!("{group} {}", serde_json::to_string(&sorted).unwrap_or_default())
}

fn read_classes(column: &StrColumn) -> tantivy::Result<Vec<Class>> {
    let mut classes = Vec::new();
    let mut name = String::new();
    for ord in 0..column.num_terms() as u64 {
        name.clear();
        column.ord_to_str(ord, &mut name)?;
        let class = name.split_once(' ').and_then(|(group, audience)| {
            Some(Class {
                group: group.parse().ok()?,
                audience: Arc::new(serde_json::from_str(audience).ok()?),
                n_docs: 0,
                n_words: [0; N_PARTS],
            })
        });
        let error = || tantivy::TantivyError::SchemaError(format!("`{name}` is no class"));
        classes.push(class.ok_or_else(error)?);
    }
    Ok(classes)
}
