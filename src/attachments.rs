//! Attachments: their bytes go to the blob store before a command names them, and come
//! out of it inside the actor's scope.
//!
//! A blob and a commit are not one transaction. So bytes come first: a command
//! names what is kept already, and what no command ever named is swept a day later.

use crate::answer::Asking;
use crate::engine::{Helpdesk, Job};
use crate::error::Result;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::access::permission::Permission;
use helpdesk_core::access::scope::Scope;
use helpdesk_core::actor::Actor;
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::decide::WholeText;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{TenantId, TicketId};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::query::{Shelf, TicketName};
use helpdesk_core::ticket::message::{Attachment, Message};
use helpdesk_storage::blob::{
    self, Blob, BlobHash, BlobRead, BlobStore, ByteStream, PutBlob, verified,
};
use helpdesk_storage::{ListKind, ListQuery, StoreExt};
use std::collections::BTreeSet;
use std::ops::Range;

/// Seconds after its last put that a blob which no message names is swept: a day.
pub const SWEEP_AFTER_SECONDS: i64 = 86_400;
/// Blobs that one sweep looks for in the tickets.
const SWEPT_MAX: usize = 100_000;

/// What a file is called; the engine finds out the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its name.
    pub name: String,
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// The Content-ID by which HTML shows it inline.
    pub inline_id: Option<String>,
}

impl NewFile {
    /// A file of this name and media type.
    #[must_use]
    pub fn new(name: impl Into<String>, media_type: impl Into<String>) -> Self {
        Self { name: name.into(), media_type: media_type.into(), inline_id: None }
    }
}

/// Which attachment is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The ticket.
    pub ticket: TicketName,
    /// Its message.
    pub seq: u32,
    /// The attachment's SHA-256, hex.
    pub sha256: String,
    /// Which of its bytes, half-open; all when absent.
    pub range: Option<Range<u64>>,
}

/// An attachment that is read.
#[derive(Debug)]
pub struct FileRead {
    /// What it is.
    pub attachment: Attachment,
    /// Its bytes, or the part that was asked for. Read whole, they end in an error if they
    /// are not those that were put.
    pub read: BlobRead,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Blobs that no message named, and that are gone.
    pub n_removed: u64,
    /// What puts that never ended left behind, and that is gone.
    pub n_tidied: u64,
    /// Whether there was more to look at than one sweep does.
    pub has_more: bool,
}

impl Helpdesk {
    /// Keeps a file's bytes, and says what to put among the `attachments` of a command: an
    /// intake, a reply, a note, an `add_attachment`. The bytes stream to the blob store, which checks
    /// their size; hash and size are found out on the way.
    ///
    /// Give the command within [`SWEEP_AFTER_SECONDS`]; after that put the file again.
    ///
    /// ```
    /// use helpdesk::core::actor::{Actor, Capability};
    /// use helpdesk::core::command::{ApplyConfig, Command};
    /// use helpdesk::core::id::TenantId;
    /// use helpdesk::storage::blob::{self, MemoryBlobStore};
    /// use helpdesk::{Helpdesk, NewFile};
    /// # helpdesk::block_on(async {
    /// let desk = Helpdesk::builder().with_blobs(MemoryBlobStore::default()).build()?;
    /// let now = "2026-11-20T09:00:00Z".parse()?;
    /// let system = Actor::system(TenantId(uuid::Uuid::from_u128(1)), Capability::ActAsSystem);
    /// let config = ApplyConfig { document: serde_json::json!({"name": "Acme"}) };
    /// desk.execute(&system, Command::ApplyConfig(config), now).await?;
    ///
    /// let file = NewFile::new("invoice.txt", "text/plain");
    /// let attachment = desk.put_file(&system, file, blob::of_bytes("10 EUR"), now).await?;
    /// assert_eq!(attachment.size_bytes, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Blob`](crate::Error::Blob): `over_limit` for more bytes than the engine takes,
    /// `invalid` when they could not be read, `unavailable` when the store cannot be reached.
    /// [`Error::Rejected`](crate::Error::Rejected) with `forbidden` for an actor who may write
    /// nothing, with `not_configured` where there is no blob store.
    pub async fn put_file(
        &self,
        actor: &Actor,
        file: NewFile,
        bytes: ByteStream<'_>,
        now: DateTime<Utc>,
    ) -> Result<Attachment> {
        let blobs = self.blobs()?;
        let asking = self.asking(actor, now).await?;
        let writes = [
            Permission::AddAttachment,
            Permission::Reply,
            Permission::AddNote,
            Permission::OpenTicket,
        ];
        if writes.iter().all(|permission| asking.scope(*permission) == Scope::None) {
            return Err(Rejection::new(Code::Forbidden, "the actor writes no messages").into());
        }
        let put = PutBlob::new(actor.tenant, now).at_most(self.inner.file_bytes_max);
        let Blob { hash, size_bytes } = blobs.put(put, bytes).await?;
        let NewFile { name, media_type, inline_id } = file;
        Ok(Attachment { name, media_type, size_bytes, sha256: hash.to_string(), inline_id })
    }

    /// Reads an attachment of a message, or a half-open range of its bytes, inside the
    /// actor's scope: whoever may not read the message may not read its files.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`](crate::Error::Rejected) with `not_found` for a ticket, message or
    /// attachment that is not there or not for the actor, with `not_configured` where there is no blob
    /// store. [`Error::Blob`](crate::Error::Blob): `not_found` when the host keeps the bytes
    /// elsewhere, `invalid` for a range without bytes, `unavailable`.
    pub async fn open_file(
        &self,
        actor: &Actor,
        name: &FileName,
        now: DateTime<Utc>,
    ) -> Result<FileRead> {
        let FileName { ticket, seq, sha256, range } = name;
        let blobs = self.blobs()?;
        let asking = self.asking(actor, now).await?;
        let message = self.read_message(&asking, ticket, *seq).await?;
        let of_hash = |file: &&Attachment| file.sha256 == *sha256;
        let found = message.meta.attachments.iter().find(of_hash).cloned();
        let Some((attachment, hash)) = found.zip(sha256.parse::<BlobHash>().ok()) else {
            let text = format!("message {seq} has no attachment `{sha256}`");
            return Err(Rejection::at(Code::NotFound, "sha256", text).into());
        };
        let is_whole = range.is_none();
        let mut read = blobs.get(actor.tenant, hash, range.clone()).await?;
        if is_whole {
            read.bytes = verified(read.bytes, hash);
        }
        Ok(FileRead { attachment, read })
    }

    /// Removes the blobs that no message names and that were put longer than
    /// [`SWEEP_AFTER_SECONDS`] before `now`, by the blob store's clock where it has one:
    /// of messages that were redacted, of commands that never came. Goes through all tickets
    /// that have attachments, so it is work for a quiet hour, one engine at a time.
    ///
    /// # Errors
    ///
    /// As [`open_file`](Self::open_file), of the blob store and the store.
    pub async fn sweep_files(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<SweepReport> {
        let blobs = self.blobs()?;
        let before = now - TimeDelta::seconds(SWEEP_AFTER_SECONDS);
        let mut report =
            SweepReport { n_tidied: blobs.tidy(tenant, before).await?, ..SweepReport::default() };
        let mut unnamed = BTreeSet::new();
        for first_byte in 0..=u8::MAX {
            if unnamed.len() >= SWEPT_MAX {
                report.has_more = true;
                break;
            }
            let old = blobs.list(tenant, first_byte).await?.into_iter();
            unnamed.extend(old.filter(|info| info.put_at < before).map(|info| info.blob.hash));
        }
        self.strike_named(tenant, &mut unnamed).await?;
        for hash in unnamed {
            // Put again meanwhile, it may be named by now.
            let is_old = blobs.head(tenant, hash).await?.is_some_and(|info| info.put_at < before);
            if is_old && blobs.delete(tenant, hash).await? {
                report.n_removed += 1;
            }
        }
        Ok(report)
    }

    /// Takes out of these hashes those that a message names.
    pub(crate) async fn strike_named(
        &self,
        tenant: TenantId,
        hashes: &mut BTreeSet<BlobHash>,
    ) -> Result<()> {
        let kind = ListKind::Cases(Shelf::All);
        let mut query = ListQuery::all(tenant, kind, DateTime::<Utc>::MIN_UTC, PAGE_MAX);
        while !hashes.is_empty() {
            let page = self.inner.store.list(&query).await?;
            for stored in page.rows {
                let Record::Case(case) = stored.record else { continue };
                if case.ticket.counters.attachments > 0 {
                    self.strike_of(tenant, &case.ticket, hashes).await?;
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn strike_of(
        &self,
        tenant: TenantId,
        ticket: &helpdesk_core::ticket::Ticket,
        hashes: &mut BTreeSet<BlobHash>,
    ) -> Result<()> {
        let mut keys = message_keys(ticket.id, ticket.counters.messages);
        loop {
            let some: Vec<RecordKey> = keys.by_ref().take(PAGE_MAX).collect();
            if some.is_empty() {
                return Ok(());
            }
            for stored in self.inner.store.get(tenant, &some).await?.into_iter().flatten() {
                let Record::Message(message) = stored.record else { continue };
                for file in &message.meta.attachments {
                    if let Ok(hash) = file.sha256.parse() {
                        hashes.remove(&hash);
                    }
                }
            }
        }
    }

    /// Puts what intake cut off into the blob store, before the commit that names it.
    pub(crate) async fn keep_wholes(&self, job: &Job<'_>, wholes: &[WholeText]) -> Result<()> {
        let Some(blobs) = &self.inner.blobs else { return Ok(()) };
        for whole in wholes {
            let put = PutBlob::new(job.actor.tenant, job.now).at_most(self.inner.file_bytes_max);
            blobs.put(put, blob::of_bytes(whole.text.clone())).await?;
        }
        Ok(())
    }

    /// A message that the actor may read.
    async fn read_message(
        &self,
        asking: &Asking<'_>,
        name: &TicketName,
        seq: u32,
    ) -> Result<Box<Message>> {
        let (case, _) = self.seen(asking, name).await?;
        let key = RecordKey::Message(case.ticket.id, seq);
        let found = self.inner.store.get_one(asking.actor.tenant, key).await?;
        let reads_notes = asking.scope(Permission::ReadNotes).permits(&case.ticket);
        match found.map(|stored| stored.record) {
            Some(Record::Message(message)) if reads_notes || message.public().is_some() => {
                Ok(message)
            }
            _ => {
                let text = format!("no message `{seq}`");
                Err(Rejection::at(Code::NotFound, "seq", text).into())
            }
        }
    }

    fn blobs(&self) -> Result<&dyn BlobStore> {
        self.inner.blobs.as_deref().ok_or_else(|| {
            let text = "the engine has no blob store: build it `with_blobs`";
            Rejection::new(Code::NotConfigured, text).into()
        })
    }
}

/// The keys of a ticket's messages.
fn message_keys(ticket: TicketId, n_messages: u32) -> impl Iterator<Item = RecordKey> {
    (1..=n_messages).map(move |seq| RecordKey::Message(ticket, seq))
}
