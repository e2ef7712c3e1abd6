//! How an engine is put together.

use crate::archive::Archive;
use crate::engine::{Helpdesk, Inner};
use crate::error::Result;
use crate::inbox_index::FollowTickets;
use crate::index::Following;
use crate::knowledge::FollowArticles;
use helpdesk_core::calendar::ZoneRules;
use helpdesk_core::desk::{Desk, DeskReader};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_notify::{Notifier, Notifiers};
use helpdesk_search::{FullTextIndex, TicketIndex};
use helpdesk_storage::Store;
use helpdesk_storage::blob::{BLOB_BYTES_MAX, BlobStore};
use helpdesk_storage::memory::MemoryStore;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

/// Puts an engine together: a store, a notifier, and whether languages are guessed.
#[derive(Debug)]
pub struct Builder {
    store: Option<Arc<dyn Store>>,
    notifier: Option<Arc<dyn Notifier>>,
    zones: Option<Arc<dyn ZoneRules>>,
    guesses_language: bool,
    article_index: Option<Arc<FullTextIndex>>,
    ticket_index: Option<Arc<TicketIndex>>,
    blobs: Option<Arc<dyn BlobStore>>,
    file_bytes_max: u64,
    archive: Option<Arc<dyn Archive>>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            store: None,
            notifier: None,
            zones: None,
            guesses_language: true,
            article_index: None,
            ticket_index: None,
            blobs: None,
            file_bytes_max: BLOB_BYTES_MAX,
            archive: None,
        }
    }
}

impl Helpdesk {
    /// An engine of its own on another store: it reads configurations as this one
    /// does, guesses no language and tells nobody.
    pub(crate) fn private(&self, store: Arc<dyn Store>) -> Self {
        let inner = Inner {
            store,
            notifier: Arc::new(Notifiers::new(Vec::new())),
            reader: self.inner.reader.clone(),
            blank_desk: self.inner.blank_desk.clone(),
            guesses_language: false,
            indexes: Vec::new(),
            article_index: None,
            ticket_index: None,
            models: RwLock::default(),
            blobs: None,
            file_bytes_max: 0,
            archive: None,
            tenants: RwLock::new(BTreeMap::new()),
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Builder {
    /// Where the desk keeps its state; in memory unless set.
    #[must_use]
    pub fn with_store(self, store: impl Store) -> Self {
        self.with_shared_store(Arc::new(store))
    }

    /// The same, for a store that others use too.
    #[must_use]
    pub fn with_shared_store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Who delivers what the desk wishes to tell; nobody unless set, and then
    /// [`deliver`](Helpdesk::deliver) drops it.
    #[must_use]
    pub fn with_notifier(mut self, notifier: impl Notifier + 'static) -> Self {
        self.notifier = Some(Arc::new(notifier));
        self
    }

    /// The rules of the time zones that calendars go by; those bundled with the
    /// library unless set. A desk is read by them when the engine first looks at
    /// it, so all engines of a desk take the same ones.
    #[must_use]
    pub fn with_zones(mut self, zones: Arc<dyn ZoneRules>) -> Self {
        self.zones = Some(zones);
        self
    }

    /// Whether the language of a message that names none is guessed (feature
    /// `language`); it is unless switched off.
    #[must_use]
    pub fn with_language_guessing(mut self, on: bool) -> Self {
        self.guesses_language = on;
        self
    }

    /// The index that articles are searched and suggested by; without one
    /// `search_articles` and `suggest_articles` are `not_configured`. It follows the journal
    /// when [`index`](Helpdesk::index) is called. Each process has its own.
    #[must_use]
    pub fn with_article_index(mut self, index: Arc<FullTextIndex>) -> Self {
        self.article_index = Some(index);
        self
    }

    /// The index that tickets are searched by; without one every search reads the tickets
    /// themselves. It follows the journal when [`index`](Helpdesk::index) is called. Each
    /// process has its own.
    #[must_use]
    pub fn with_ticket_index(mut self, index: Arc<TicketIndex>) -> Self {
        self.ticket_index = Some(index);
        self
    }

    /// Where the bytes of attachments lie. Without it the host keeps them itself, and what
    /// intake cuts off a long text is lost.
    #[must_use]
    pub fn with_blobs(self, blobs: impl BlobStore) -> Self {
        self.with_shared_blobs(Arc::new(blobs))
    }

    /// The same, for a blob store that others use too.
    #[must_use]
    pub fn with_shared_blobs(mut self, blobs: Arc<dyn BlobStore>) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// Bytes of one attachment that the blob store takes at most;
    /// [`BLOB_BYTES_MAX`] unless set.
    #[must_use]
    pub fn with_file_bytes_max(mut self, bytes: u64) -> Self {
        self.file_bytes_max = bytes;
        self
    }

    /// Where journal entries go that the configuration's `retention` does not keep
    /// ([`lead_retention`](Helpdesk::lead_retention), the `Runner`). Without it all of them stay.
    #[must_use]
    pub fn with_archive(mut self, archive: impl Archive + 'static) -> Self {
        self.archive = Some(Arc::new(archive));
        self
    }

    /// The engine. Reads nothing yet.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] when the configuration's own schema does not compile,
    /// which is a defect of this crate.
    pub fn build(self) -> Result<Helpdesk> {
        let reader =
            DeskReader::new().map_err(|fault| Rejection::new(Code::Internal, fault.to_string()))?;
        let reader = match self.zones {
            Some(zones) => reader.with_zones(zones),
            None => reader,
        };
        let blank: Desk = reader.read(&json!({})).map_err(Rejection::many)?;
        let mut indexes: Vec<Arc<dyn Following>> = Vec::new();
        if let Some(index) = &self.article_index {
            indexes.push(Arc::new(FollowArticles(index.clone())));
        }
        if let Some(index) = &self.ticket_index {
            indexes.push(Arc::new(FollowTickets(index.clone())));
        }
        let inner = Inner {
            store: self.store.unwrap_or_else(|| Arc::new(MemoryStore::default())),
            notifier: self.notifier.unwrap_or_else(|| Arc::new(Notifiers::new(Vec::new()))),
            reader: Arc::new(reader),
            blank_desk: Arc::new(blank),
            guesses_language: self.guesses_language,
            indexes,
            article_index: self.article_index,
            ticket_index: self.ticket_index,
            models: RwLock::default(),
            blobs: self.blobs,
            file_bytes_max: self.file_bytes_max,
            archive: self.archive,
            tenants: RwLock::new(BTreeMap::new()),
        };
        Ok(Helpdesk { inner: Arc::new(inner) })
    }
}
