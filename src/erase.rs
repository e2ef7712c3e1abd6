//! Erases a person, and says what is held of one.
//!
//! A person stands in many tickets, so this is many commits: each ticket and each contact by a
//! decision of its own, then the journal's entries, then blobs. Each part does nothing where it was
//! done, so whoever was interrupted gives the command again.

use crate::answer::Asking;
use crate::attachments::SWEEP_AFTER_SECONDS;
use crate::engine::{Call, EachOutcome, Helpdesk, Job, Outcome};
use crate::error::Result;
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::access::permission::Permission;
use helpdesk_core::actor::{Actor, Author};
use helpdesk_core::article::{ArticleVote, SearchSession};
use helpdesk_core::case::archive::is_tombstone;
use helpdesk_core::case::erase::{People, Traces, acted, erase_entries};
use helpdesk_core::case::record::{Record, RecordKey, Stored};
use helpdesk_core::command::{Command, EraseFromTicket, ErasePerson};
use helpdesk_core::decide::Made;
use helpdesk_core::event::{Event, StreamId, StreamKind};
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{ArticleId, ContactId, TenantId, TicketId, Version, derived_command_id};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::query::{HeldOfPerson, HeldTicket};
use helpdesk_core::ticket::message::Message;
use helpdesk_storage::blob::BlobHash;
use helpdesk_storage::{ChangeSet, Expect, ListKind, ListQuery, Maintain, News, Pages, StoreExt};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use uuid::Uuid;

/// Where people stand in the journal.
#[derive(Debug, Default)]
struct Found {
    /// Tickets, and how in each.
    tickets: BTreeMap<TicketId, Traces>,
    /// Other things that they did something to.
    streams: BTreeSet<StreamId>,
    /// From where they did all that.
    addresses: BTreeSet<IpAddr>,
}

impl Helpdesk {
    /// Erases a person; see [`ErasePerson`].
    pub(crate) async fn erase_person(
        &self,
        actor: &Actor,
        call: &Call,
        erase: &ErasePerson,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        self.check_many(actor, call, now).await?;
        let tenant = actor.tenant;
        let people = self.people(tenant, erase.contact).await?;
        let mut whole = Outcome::of(Made { contact: Some(erase.contact), ..Made::default() });
        if erase.dry_run {
            let tickets = self.traces(tenant, &people).await?.tickets.into_keys();
            whole.each = tickets.map(erased_ticket).collect();
            return Ok(whole);
        }
        // First, so that nothing more that they write comes under these contacts.
        for &contact in &people {
            let command = Command::ErasePerson(ErasePerson { contact, dry_run: false });
            let outcome = self.erase_part(actor, call, contact.0, command, now).await?;
            whole.replayed |= outcome.replayed;
            whole.events.extend(outcome.events);
        }
        let Found { tickets, streams, .. } = self.traces(tenant, &people).await?;
        let mut files = self.files_of(tenant, &tickets).await?;
        for (&ticket, traces) in &tickets {
            let command = Command::EraseFromTicket(EraseFromTicket {
                ticket,
                of_requester: traces.is_requester,
                messages: traces.messages.iter().copied().collect(),
            });
            let outcome = self.erase_part(actor, call, ticket.0, command, now).await?;
            whole.replayed &= outcome.events.is_empty();
            whole.events.extend(outcome.events);
            whole.each.push(erased_ticket(ticket));
        }
        for (&ticket, traces) in &tickets {
            self.erase_entries(tenant, StreamId::case(ticket), traces, &people).await?;
        }
        for stream in people.iter().map(|it| StreamId::contact(*it)).chain(streams) {
            self.erase_entries(tenant, stream, &Traces::default(), &people).await?;
        }
        self.erase_searches(tenant, &tickets, now).await?;
        self.delete_unnamed(tenant, &mut files, now).await?;
        Ok(whole)
    }

    /// One contact or ticket, under an id of its own.
    async fn erase_part(
        &self,
        actor: &Actor,
        call: &Call,
        thing: Uuid,
        command: Command,
        now: DateTime<Utc>,
    ) -> Result<Outcome> {
        let parts: [&[u8]; 3] = [b"erase", call.command_id.0.as_bytes(), thing.as_bytes()];
        let one = Call::new(derived_command_id(&parts), command);
        Ok(self.run(&Job { actor, call: &one, now, lease: None }).await?.outcome)
    }

    /// Leaves no bytes of what was erased in the store's own files, beyond what is there
    /// now: SQLite builds its file anew, which takes as long as copying it. Copies of the
    /// file made before are the host's to remove.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store failed.
    pub async fn scrub(&self) -> Result<()> {
        self.inner.store.maintain(&Maintain::Scrub).await?;
        Ok(())
    }

    /// A contact and those that were joined into it, or into one of those.
    async fn people(&self, tenant: TenantId, contact: ContactId) -> Result<People> {
        let key = RecordKey::Stream(StreamId::contact(contact));
        let found = self.inner.store.get_one(tenant, key).await?;
        let Some(Record::Contact(it)) = found.map(|stored| stored.record) else {
            let text = format!("no contact `{contact}`");
            return Err(Rejection::at(Code::NotFound, "contact", text).into());
        };
        if let Some(into) = it.joined_into {
            let text = format!("the contact lives on in `{into}`: name that one");
            return Err(Rejection::at(Code::Merged, "contact", text).into());
        }
        let mut people = People::from([contact]);
        let mut to_ask = vec![contact];
        while let Some(contact) = to_ask.pop() {
            for entry in self.inner.store.history(tenant, StreamId::contact(contact)).await? {
                if let Event::ContactAbsorbed { from, .. } = entry.entry.event
                    && people.insert(from)
                {
                    to_ask.push(from);
                }
            }
        }
        Ok(people)
    }

    /// Where these people stand, and how: by the journal, and where that is in the archive, by
    /// what stands.
    async fn traces(&self, tenant: TenantId, people: &People) -> Result<Found> {
        let mut all = Found::default();
        let found = &mut all.tickets;
        let mut archived = BTreeSet::new();
        let mut news = News::new(tenant, 0, Vec::new());
        while let Some(entries) = news.next(&*self.inner.store).await? {
            for entry in &entries {
                let stream = entry.entry.stream;
                let has_acted = acted(entry, people);
                all.addresses.extend(entry.entry.origin.ip.filter(|_| has_acted));
                if stream.kind != StreamKind::Case {
                    all.streams.extend(has_acted.then_some(stream));
                    continue;
                }
                if is_tombstone(entry) {
                    archived.insert(TicketId(stream.id));
                }
                let mut traces = Traces::default();
                traces.note(entry, people);
                if !traces.is_empty() {
                    found.entry(TicketId(stream.id)).or_default().note(entry, people);
                }
            }
        }
        for ticket in archived {
            let mut traces = found.remove(&ticket).unwrap_or_default();
            self.note_as_it_stands(tenant, ticket, people, &mut traces).await?;
            if !traces.is_empty() {
                found.insert(ticket, traces);
            }
        }
        Ok(all)
    }

    /// The sessions in which was searched before these people's own tickets were opened after
    /// all, with their versions.
    async fn searches(
        &self,
        tenant: TenantId,
        tickets: &BTreeMap<TicketId, Traces>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Version, SearchSession)>> {
        let kind = ListKind::Things(StreamKind::SearchSession);
        let mut pages = Pages::new(ListQuery::all(tenant, kind, now, PAGE_MAX));
        let mut found = Vec::new();
        while let Some(rows) = pages.next(&*self.inner.store).await? {
            for Stored { version, record } in rows {
                let Record::SearchSession(session) = record else { continue };
                let traces = session.ticket.and_then(|ticket| tickets.get(&ticket));
                if traces.is_some_and(|traces| traces.is_requester) {
                    found.push((version, *session));
                }
            }
        }
        Ok(found)
    }

    /// These people's votes on those of these things that are articles.
    async fn votes(
        &self,
        tenant: TenantId,
        people: &People,
        streams: &BTreeSet<StreamId>,
    ) -> Result<Vec<ArticleVote>> {
        let articles = streams.iter().filter(|stream| stream.kind == StreamKind::Article);
        let by = |article: &StreamId| {
            let article = ArticleId(article.id);
            let vote = move |id: &ContactId| StreamId::vote(article, Author::Contact { id: *id });
            people.iter().filter_map(vote).map(RecordKey::Stream).collect::<Vec<_>>()
        };
        let keys: Vec<RecordKey> = articles.flat_map(by).collect();
        let found = self.inner.store.get_all(tenant, &keys).await?;
        let votes = found.into_iter().flatten().filter_map(|stored| match stored.record {
            Record::Vote(vote) => Some(*vote),
            _ => None,
        });
        Ok(votes.collect())
    }

    /// Empties what was searched in those sessions.
    async fn erase_searches(
        &self,
        tenant: TenantId,
        tickets: &BTreeMap<TicketId, Traces>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        for (version, mut session) in self.searches(tenant, tickets, now).await? {
            if session.searches.iter().all(|search| search.text.is_empty()) {
                continue;
            }
            session.searches.iter_mut().for_each(|search| search.text.clear());
            let stream = StreamId::search_session(session.id);
            let id = [b"searches", &stream.id.as_bytes()[..], &version.to_be_bytes()];
            let mut change = ChangeSet::new(tenant, derived_command_id(&id), now);
            change.expect.push(Expect { stream, version });
            change.put.push(Record::SearchSession(Box::new(session)));
            self.inner.store.commit(change).await?;
        }
        Ok(())
    }

    /// Looks for these people in a ticket's record and messages.
    pub(crate) async fn note_as_it_stands(
        &self,
        tenant: TenantId,
        ticket: TicketId,
        people: &People,
        traces: &mut Traces,
    ) -> Result<()> {
        let Some((_, case)) = self.inner.store.get_case(tenant, ticket).await? else {
            return Ok(());
        };
        traces.note_ticket(&case.ticket, people);
        for message in self.messages(tenant, ticket, 1..=case.ticket.counters.messages).await? {
            traces.note_message(&message.meta, people);
        }
        Ok(())
    }

    async fn erase_entries(
        &self,
        tenant: TenantId,
        stream: StreamId,
        known: &Traces,
        people: &People,
    ) -> Result<()> {
        let entries =
            erase_entries(&self.inner.store.history(tenant, stream).await?, known, people);
        if !entries.is_empty() {
            self.inner.store.maintain(&Maintain::Rewrite { tenant, entries }).await?;
        }
        Ok(())
    }

    /// The files of these messages.
    async fn files_of(
        &self,
        tenant: TenantId,
        traces: &BTreeMap<TicketId, Traces>,
    ) -> Result<BTreeSet<BlobHash>> {
        let mut files = BTreeSet::new();
        for (&ticket, traces) in traces {
            for message in self.messages(tenant, ticket, traces.messages.iter().copied()).await? {
                let hashes = message.meta.attachments.iter();
                files.extend(hashes.filter_map(|file| file.sha256.parse::<BlobHash>().ok()));
            }
        }
        Ok(files)
    }

    async fn messages(
        &self,
        tenant: TenantId,
        ticket: TicketId,
        seqs: impl Iterator<Item = u32>,
    ) -> Result<Vec<Message>> {
        let keys: Vec<RecordKey> = seqs.map(|seq| RecordKey::Message(ticket, seq)).collect();
        let found = self.inner.store.get_all(tenant, &keys).await?;
        let messages = found.into_iter().flatten().filter_map(|stored| match stored.record {
            Record::Message(message) => Some(*message),
            _ => None,
        });
        Ok(messages.collect())
    }

    /// Deletes those of these files that no message names any more. One that was put a short time ago
    /// may be just about to be named: that is left to [`sweep_files`](Self::sweep_files).
    async fn delete_unnamed(
        &self,
        tenant: TenantId,
        files: &mut BTreeSet<BlobHash>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Some(blobs) = &self.inner.blobs else { return Ok(()) };
        let before = now - TimeDelta::seconds(SWEEP_AFTER_SECONDS);
        self.strike_named(tenant, files).await?;
        for &hash in &*files {
            if blobs.head(tenant, hash).await?.is_some_and(|info| info.put_at < before) {
                blobs.delete(tenant, hash).await?;
            }
        }
        Ok(())
    }

    /// All that is held of a person, as far as the actor may read it: contacts, the
    /// tickets they asked, and what was said on those and by them.
    pub(crate) async fn export_person(
        &self,
        asking: &Asking<'_>,
        contact: ContactId,
    ) -> Result<HeldOfPerson> {
        asking.require(Permission::ExportPerson)?;
        let tenant = asking.actor.tenant;
        let people = self.people(tenant, contact).await?;
        let mut held = HeldOfPerson::default();
        for &contact in &people {
            let key = RecordKey::Stream(StreamId::contact(contact));
            let found = self.inner.store.get_one(tenant, key).await?;
            if let Some(Record::Contact(contact)) = found.map(|stored| stored.record) {
                held.contacts.push(*contact);
            }
        }
        let Found { tickets, streams, addresses } = self.traces(tenant, &people).await?;
        held.addresses = addresses;
        held.votes = self.votes(tenant, &people, &streams).await?;
        let searches = self.searches(tenant, &tickets, asking.now).await?;
        for (id, traces) in tickets {
            let Some((_, case)) = self.inner.store.get_case(tenant, id).await? else { continue };
            if !asking.scope(Permission::Read).permits(&case.ticket) {
                continue;
            }
            let reads_notes = asking.scope(Permission::ReadNotes).permits(&case.ticket);
            let all = 1..=case.ticket.counters.messages;
            let mut messages = self.messages(tenant, id, all).await?;
            messages.retain(|message| {
                let is_of_them = traces.is_requester || is_by(message, &people);
                is_of_them && (reads_notes || message.public().is_some())
            });
            let of_ticket = searches.iter().filter(|(_, session)| session.ticket == Some(id));
            held.searches.extend(of_ticket.map(|(_, session)| session.clone()));
            let number = case.ticket.number.clone();
            let ticket = traces.is_requester.then(|| Box::new(case.ticket));
            held.tickets.push(HeldTicket { id, number, ticket, messages });
        }
        Ok(held)
    }
}

fn is_by(message: &Message, people: &People) -> bool {
    matches!(message.meta.author, Author::Contact { id } if people.contains(&id))
}

fn erased_ticket(ticket: TicketId) -> EachOutcome {
    EachOutcome { ticket, replayed: false, error: None }
}
