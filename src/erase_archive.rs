//! Takes whoever was erased out of archived entries: of the lines of an archive, and of what is
//! put back from one.
//!
//! What the journal had of a person is erased where it stands; an archive was written before.
//! So nothing that says who was erased may be lost with the journal: contacts stay, without what
//! they held, and a ticket's entry says which of its messages were erased.

use crate::archive::{ArchivedEntry, read_archive, to_lines};
use crate::engine::Helpdesk;
use crate::error::{Error, Result};
use helpdesk_core::case::archive::tombstone;
use helpdesk_core::case::erase::{
    People, Traces, erase_entry, is_contact_erased, named, was_erasure,
};
use helpdesk_core::case::record::{Record, RecordKey};
use helpdesk_core::event::{Recorded, StreamId, StreamKind};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{ContactId, TenantId, TicketId, Version};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_storage::{News, StoreExt};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Write};

/// What [`erase_from_archive`](Helpdesk::erase_from_archive) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct EraseArchiveReport {
    /// Lines that were read, and written again.
    pub lines: u64,
    /// Those of them that said something of somebody who was erased.
    pub erased: u64,
}

/// The erased contacts among those who were looked at.
#[derive(Debug, Default)]
pub(crate) struct Erased {
    people: People,
    asked: BTreeSet<ContactId>,
}

/// What was taken out of a ticket, or is to be.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    traces: Traces,
    /// The numbers of the entries that say so: whether one itself was seen, or only its
    /// tombstone. What came after the last of them was said of the erased ticket.
    erasures: BTreeMap<Version, bool>,
}

impl Erased {
    /// Looks at the contacts whom these entries name.
    pub(crate) async fn look_at(
        &mut self,
        desk: &Helpdesk,
        tenant: TenantId,
        entries: &[Recorded],
    ) -> Result<()> {
        let new = entries.iter().flat_map(named).filter(|contact| self.asked.insert(*contact));
        let new: Vec<RecordKey> =
            new.map(|contact| RecordKey::Stream(StreamId::contact(contact))).collect();
        for stored in desk.inner.store.get_all(tenant, &new).await?.into_iter().flatten() {
            if let Record::Contact(contact) = stored.record
                && is_contact_erased(&contact)
            {
                self.people.insert(contact.id);
            }
        }
        Ok(())
    }

    /// Who of those was erased.
    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    /// The entry without them.
    pub(crate) fn erase(&self, entry: &Recorded, taken: &Taken) -> Recorded {
        match taken.erasures.last_key_value() {
            // An address of theirs is one at any time.
            Some((last, _)) if entry.n >= *last => {
                erase_entry(entry, &Traces::default(), &self.people)
            }
            _ => erase_entry(entry, &taken.traces, &self.people),
        }
    }
}

impl Taken {
    /// Looks at one more entry of the ticket, archived or standing.
    pub(crate) fn note(&mut self, entry: &Recorded, people: &People) {
        self.traces.note(entry, people);
        if self.traces.note_erasure(entry) {
            self.erasures.insert(entry.n, true);
        } else if was_erasure(entry) {
            self.erasures.entry(entry.n).or_default();
        }
    }

    /// All was looked at. Where only the tombstone of an erasure was seen, what it took is not
    /// known: then what a requester says is taken too.
    pub(crate) fn close(&mut self) {
        self.traces.is_requester |= self.erasures.values().any(|is_known| !is_known);
    }

    /// What is known of the ticket.
    pub(crate) fn traces_mut(&mut self) -> &mut Traces {
        &mut self.traces
    }

    fn is_empty(&self) -> bool {
        self.traces.is_empty() && self.erasures.is_empty()
    }
}

/// Looks at one more entry of any ticket; tickets from which nothing was or is to be taken are left
/// out.
fn note_in(taken: &mut BTreeMap<TicketId, Taken>, entry: &Recorded, people: &People) {
    let mut alone = Taken::default();
    alone.note(entry, people);
    if !alone.is_empty() {
        let ticket = TicketId(entry.entry.stream.id);
        taken.entry(ticket).or_default().note(entry, people);
    }
}

impl Helpdesk {
    /// Copies an archive without whoever was erased since it was written ([`ErasePerson`]). It is
    /// read twice, so `open` opens it from its beginning each time; `to` is another file, which
    /// then takes its place. Nothing is lost: entry for entry stands there, an erased one as the
    /// journal would have it. What is archived after a person was erased has nothing of them, but for
    /// what a round of retention had read already: copy once that is over.
    ///
    /// ```
    /// # async fn doc(desk: helpdesk::Helpdesk, tenant: helpdesk::core::id::TenantId)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// use std::fs::{File, rename};
    /// use std::io::BufReader;
    ///
    /// // A file may be moved away at any time: lines that are archived meanwhile begin another.
    /// rename("archive/desk.ndjson", "archive/2026.ndjson")?;
    /// let open = || Ok(BufReader::new(File::open("archive/2026.ndjson")?));
    /// let copy = File::create("archive/2026.erased.ndjson")?;
    /// let report = desk.erase_from_archive(tenant, open, &copy).await?;
    /// copy.sync_all()?;
    /// rename("archive/2026.erased.ndjson", "archive/2026.ndjson")?;
    /// println!("{} of {} lines", report.erased, report.lines);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] with `invalid` for a line that is none, or of another tenant;
    /// [`Error::Archive`] when it could not be read or written; [`Error::Store`]. What was written
    /// then is no whole copy.
    ///
    /// [`ErasePerson`]: helpdesk_core::command::ErasePerson
    pub async fn erase_from_archive<R: BufRead>(
        &self,
        tenant: TenantId,
        mut open: impl FnMut() -> io::Result<R>,
        mut to: impl Write,
    ) -> Result<EraseArchiveReport> {
        let mut erased = Erased::default();
        let mut taken = self.erasures(tenant).await?;
        let mut pages = ArchivePages::new(tenant, open().map_err(Error::Archive)?);
        while let Some(page) = pages.next()? {
            erased.look_at(self, tenant, &page).await?;
            for entry in &page {
                note_in(&mut taken, entry, erased.people());
            }
        }
        taken.values_mut().for_each(Taken::close);
        let mut report = EraseArchiveReport::default();
        let mut pages = ArchivePages::new(tenant, open().map_err(Error::Archive)?);
        while let Some(page) = pages.next()? {
            let mut lines = Vec::with_capacity(page.len());
            for entry in page {
                let left = match taken.get(&TicketId(entry.entry.stream.id)) {
                    Some(taken) => erased.erase(&entry, taken),
                    None => entry.clone(),
                };
                report.lines += 1;
                report.erased += u64::from(left != entry);
                lines.push(ArchivedEntry::new(tenant, left));
            }
            to.write_all(&to_lines(&lines)?).map_err(Error::Archive)?;
        }
        to.flush().map_err(Error::Archive)?;
        Ok(report)
    }

    /// What was erased from tickets, as the journal says.
    async fn erasures(&self, tenant: TenantId) -> Result<BTreeMap<TicketId, Taken>> {
        let mut found: BTreeMap<TicketId, Taken> = BTreeMap::new();
        let mut news = News::new(tenant, 0, vec![StreamKind::Case]);
        while let Some(entries) = news.next(&*self.inner.store).await? {
            for entry in &entries {
                note_in(&mut found, entry, &People::new());
            }
        }
        Ok(found)
    }

    /// Entries that are to be put back where their tombstones stand, without whoever was erased
    /// since; how many had somebody. `standing` is the whole journal of their ticket.
    pub(crate) async fn erase_from_restored(
        &self,
        tenant: TenantId,
        ticket: TicketId,
        standing: &[Recorded],
        back: &mut [Recorded],
    ) -> Result<u64> {
        let mut erased = Erased::default();
        erased.look_at(self, tenant, standing).await?;
        erased.look_at(self, tenant, back).await?;
        let mut taken = Taken::default();
        for entry in standing.iter().chain(&*back) {
            taken.note(entry, erased.people());
        }
        if taken.is_empty() {
            return Ok(0);
        }
        taken.close();
        self.note_as_it_stands(tenant, ticket, erased.people(), taken.traces_mut()).await?;
        let mut n_erased = 0;
        for entry in back {
            let left = erased.erase(entry, &taken);
            if left != *entry && tombstone(&left) == tombstone(entry) {
                *entry = left;
                n_erased += 1;
            }
        }
        Ok(n_erased)
    }
}

/// Entries of an archive, some at once.
struct ArchivePages<R> {
    tenant: TenantId,
    lines: R,
    n_read: u64,
}

impl<R: BufRead> ArchivePages<R> {
    fn new(tenant: TenantId, lines: R) -> Self {
        Self { tenant, lines, n_read: 0 }
    }

    /// The next ones; `None` after the last.
    fn next(&mut self) -> Result<Option<Vec<Recorded>>> {
        let mut page = Vec::new();
        for line in read_archive(&mut self.lines).take(PAGE_MAX) {
            let ArchivedEntry { tenant, entry, .. } = line?;
            self.n_read += 1;
            check_tenant(self.tenant, tenant, self.n_read)?;
            page.push(entry);
        }
        Ok((!page.is_empty()).then_some(page))
    }
}

/// Refuses the n-th line where it is another tenant's.
pub(crate) fn check_tenant(tenant: TenantId, of: TenantId, n: u64) -> Result<()> {
    if of == tenant {
        return Ok(());
    }
    let message = format!("an entry of the tenant `{of}`");
    Err(Rejection::at(Code::Invalid, format!("line[{n}].tenant"), message).into())
}
