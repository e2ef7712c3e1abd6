//! One index, from its making to its rebuilding.

use super::Checkpoints;
use super::document::document;
use super::entry::Entry;
use super::options::IndexOptions;
use super::registry::Registry;
use super::schema::{FORMAT, Fields, GROUPS_MAX, is_ours};
use super::snapshot::Snapshot;
use crate::index::SearchError;
use crate::language::Analyzer;
use helpdesk_core::id::TenantId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tantivy::directory::error::LockError;
use tantivy::indexer::LogMergePolicy;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term};

/// The file of groups.
const GROUPS_FILE: &str = "groups";
/// Share of deleted documents from which a segment is written anew.
const DELETED_SHARE_MAX: f32 = 0.2;

/// What a commit says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// Of the fields.
    pub(crate) format: u32,
    /// The analyzer of each language.
    pub(crate) analyzers: BTreeMap<String, String>,
    /// Changes taken in.
    pub(crate) seq: u64,
    /// Where the feed of each tenant was read up to.
    #[serde(default)]
    pub(crate) checkpoints: Checkpoints,
}

/// One index.
pub(crate) struct Generation {
    pub(crate) folder: Option<PathBuf>,
    fields: Fields,
    reader: IndexReader,
    snapshot: RwLock<Arc<Snapshot>>,
    writer: Mutex<Writer>,
}

struct Writer {
    writer: IndexWriter,
    registry: Registry,
    meta: Meta,
    /// Whether something waits for a commit.
    is_dirty: bool,
}

impl Generation {
    /// A new index, in memory or in a folder that exists.
    pub(crate) fn create(
        folder: Option<&Path>,
        options: &IndexOptions,
    ) -> Result<Self, SearchError> {
        let (schema, fields) = Fields::schema();
        let (index, registry) = match folder {
            None => (Index::create_in_ram(schema), Registry::in_memory()),
            Some(folder) => {
                let registry = Registry::open(&folder.join(GROUPS_FILE)).map_err(failed)?;
                (Index::create_in_dir(folder, schema).map_err(failed)?, registry)
            }
        };
        let meta = Meta { format: FORMAT, ..Meta::default() };
        Self::with(&index, fields, registry, meta, folder, options)
    }

    /// The index in the folder, and why it should be made again, if it should.
    pub(crate) fn open(
        folder: &Path,
        options: &IndexOptions,
    ) -> Result<(Self, Option<String>), SearchError> {
        let index = Index::open_in_dir(folder).map_err(failed)?;
        let (_, fields) = Fields::schema();
        if !is_ours(&index.schema()) {
            return Err(SearchError::Format { folder: folder.to_owned() });
        }
        let payload = index.load_metas().map_err(failed)?.payload;
        let meta = match payload {
            None => Meta { format: FORMAT, ..Meta::default() },
            Some(payload) => serde_json::from_str(&payload)
                .map_err(|_| SearchError::Format { folder: folder.to_owned() })?,
        };
        let stale = stale(&meta);
        let registry = Registry::open(&folder.join(GROUPS_FILE)).map_err(failed)?;
        Ok((Self::with(&index, fields, registry, meta, Some(folder), options)?, stale))
    }

    fn with(
        index: &Index,
        fields: Fields,
        registry: Registry,
        meta: Meta,
        folder: Option<&Path>,
        options: &IndexOptions,
    ) -> Result<Self, SearchError> {
        Fields::register(index);
        let writer: IndexWriter =
            index.writer_with_num_threads(1, options.writer_bytes()).map_err(failed)?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(DELETED_SHARE_MAX);
        writer.set_merge_policy(Box::new(policy));
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(failed)?;
        let groups = Arc::new(registry.groups().clone());
        let reader: IndexReader = reader;
        let mut snapshot =
            Snapshot::new(reader.searcher(), groups, &fields, None).map_err(failed)?;
        (snapshot.seq, snapshot.checkpoints) = (meta.seq, meta.checkpoints.clone());
        Ok(Self {
            folder: folder.map(Path::to_owned),
            fields,
            reader,
            snapshot: RwLock::new(Arc::new(snapshot)),
            writer: Mutex::new(Writer { writer, registry, meta, is_dirty: false }),
        })
    }

    /// The index as of the last commit.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the next commit will say of itself.
    pub(crate) fn meta(&self) -> Meta {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).meta.clone()
    }

    /// Goes on counting where another index has ended.
    pub(crate) fn continue_from(&self, seq: u64, checkpoints: Checkpoints) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.meta.seq = seq;
        writer.meta.checkpoints = checkpoints;
        writer.is_dirty = true;
    }

    /// Takes changes in; they show after the next commit. The number of the last.
    pub(crate) fn apply(&self, changes: &[Entry]) -> Result<u64, SearchError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            writer.apply(&self.fields, change)?;
        }
        Ok(writer.meta.seq)
    }

    /// Makes all changes taken in durable and visible; the number of the last.
    pub(crate) fn commit(&self) -> Result<u64, SearchError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if !writer.is_dirty {
            return Ok(writer.meta.seq);
        }
        writer.meta.analyzers = analyzers(writer.registry.groups().languages());
        let payload = serde_json::to_string(&writer.meta).map_err(failed)?;
        let mut prepared = writer.writer.prepare_commit().map_err(failed)?;
        prepared.set_payload(&payload);
        prepared.commit().map_err(failed)?;
        writer.is_dirty = false;
        self.reader.reload().map_err(failed)?;
        let before = self.snapshot();
        let known = writer.registry.groups();
        let groups = if before.groups.len() == known.len() {
            before.groups.clone()
        } else {
            Arc::new(known.clone())
        };
        let snapshot = Snapshot::new(self.reader.searcher(), groups, &self.fields, Some(&before));
        let mut snapshot = snapshot.map_err(failed)?;
        (snapshot.seq, snapshot.checkpoints) = (writer.meta.seq, writer.meta.checkpoints.clone());
        let snapshot = Arc::new(snapshot);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(writer.meta.seq)
    }
}

impl Writer {
    fn apply(&mut self, fields: &Fields, change: &Entry) -> Result<(), SearchError> {
        match change {
            Entry::Put { tenant, id, docs } => {
                self.writer.delete_term(Term::from_field_text(fields.key, &key(*tenant, *id)));
                for doc in docs {
                    if self.registry.groups().len() >= GROUPS_MAX {
                        return Err(SearchError::TooManyGroups { limit: GROUPS_MAX });
                    }
                    let group = self.registry.group(*tenant, &doc.language).map_err(failed)?;
                    let document: TantivyDocument = document(fields, *tenant, group, *id, doc);
                    self.writer.add_document(document).map_err(failed)?;
                }
            }
            Entry::Reached(tenant, position) => {
                self.meta.checkpoints.insert(*tenant, *position);
            }
        }
        self.meta.seq += 1;
        self.is_dirty = true;
        Ok(())
    }
}

/// What a change finds the documents of a thing by.
pub(crate) fn key(tenant: TenantId, id: u128) -> String {
    format!("{}{id:032x}", tenant.0.simple())
}

fn analyzers<'a>(languages: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    languages.map(|language| (language.to_owned(), Analyzer::of(language).stamp())).collect()
}

/// Why an index with this metadata does not fit this program.
fn stale(meta: &Meta) -> Option<String> {
    if meta.format != FORMAT {
        return Some(format!("its format is {}, not {FORMAT}", meta.format));
    }
    let now = |language: &str| Analyzer::of(language).stamp();
    let other = meta.analyzers.iter().find(|(language, stamp)| **stamp != now(language));
    other.map(|(language, stamp)| format!("its analyzer is `{stamp}`, not `{}`", now(language)))
}

/// A failure of the index library, or of the disk under it.
pub(crate) fn failed(error: impl Into<Failure>) -> SearchError {
    match error.into() {
        Failure::Locked => SearchError::Locked,
        Failure::Other(source) => SearchError::Index { index: "full-text", source },
    }
}

/// What failed.
pub(crate) enum Failure {
    Locked,
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl From<TantivyError> for Failure {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::Locked,
            other => Self::Other(Box::new(other)),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Other(Box::new(error))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(Box::new(error))
    }
}
