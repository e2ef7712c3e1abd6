//! What is removed for good, who does it, and how far consumers of the journal have read.

use super::Outcome;
use super::kit::{
    Kit, area, at, case, contact, event, message, same, set, so, stream, ticket, ticket_id, unique,
};
use crate::{ClaimWhat, EventQuery, EventSource, Expect, Follower, ListKind, Maintain, StoreError};
use helpdesk_core::case::archive::tombstone;
use helpdesk_core::case::record::{Record, RecordKey, UniqueKey};
use helpdesk_core::event::{Event, Recorded, StreamId, TimerKind};
use helpdesk_core::id::Version;
use std::sync::Arc;

area!("retention":
    a_purged_ticket_leaves_nothing,
    a_ticket_at_another_version_is_not_purged,
    positions_go_on_after_a_purge,
    a_purged_tickets_id_begins_anew,
    a_tombstone_keeps_its_place_and_can_be_filled_again,
    one_owner_leads_a_job,
    a_lead_ends_and_is_given_back,
    a_lead_has_a_name,
    a_checkpoint_is_committed_with_what_was_made,
    of_two_followers_one_goes_on,
);

fn number(n: u64) -> UniqueKey {
    let number = helpdesk_core::id::TicketNumber { prefix: Arc::from("HD"), n };
    UniqueKey::Number { number }
}

/// The n-th ticket with a message, two events, a key and a timer.
async fn open(kit: &Kit, n: u64) -> Outcome {
    let of = stream(u128::from(n));
    let mut change = kit.put(of, 0, case(ticket(n)?));
    change.put.push(Record::Message(Box::new(message(u128::from(n), 1, "hello"))));
    change.events = vec![event(of, Event::MarkedSpam, 1), event(of, Event::UnmarkedSpam, 1)];
    change.unique = vec![unique(&number(n), of)];
    change.timers = vec![set(of, TimerKind::Snooze, 5)];
    let committed = kit.commit(change).await?;
    kit.settled_to(committed.position.unwrap_or(0)).await
}

async fn purge(kit: &Kit, tickets: &[(u128, Version)]) -> Result<u64, String> {
    let tickets = tickets.iter().map(|(n, version)| (ticket_id(*n), *version)).collect();
    maintain(kit, Maintain::PurgeTickets { tenant: kit.tenant, tickets }).await
}

async fn maintain(kit: &Kit, maintain: Maintain) -> Result<u64, String> {
    let report = kit.store.maintain(&maintain).await;
    Ok(report.map_err(|error| format!("{maintain:?}: {error}"))?.n_rows)
}

async fn feed(kit: &Kit, after: u64) -> Result<Vec<Recorded>, String> {
    let source = EventSource::Feed { after, kinds: Vec::new() };
    let page = kit.store.events(&EventQuery::new(kit.tenant, source, 100)).await;
    Ok(page.map_err(|error| format!("feed: {error}"))?.rows)
}

async fn history(kit: &Kit, n: u128) -> Result<Vec<Recorded>, String> {
    let source = EventSource::Stream { stream: stream(n), after: 0 };
    let page = kit.store.events(&EventQuery::new(kit.tenant, source, 100)).await;
    Ok(page.map_err(|error| format!("history: {error}"))?.rows)
}

/// What one ticket has: record, message, key, entries.
async fn left(kit: &Kit, n: u64) -> Result<[usize; 4], String> {
    let wide = u128::from(n);
    let record = kit.get(RecordKey::Stream(stream(wide))).await?;
    let message = kit.get(RecordKey::Message(ticket_id(wide), 1)).await?;
    let key = kit.get(RecordKey::Unique(number(n))).await?;
    let is_there = |it: Option<_>| usize::from(it.is_some());
    Ok([is_there(record), is_there(message), is_there(key), history(kit, wide).await?.len()])
}

async fn a_purged_ticket_leaves_nothing(kit: Kit) -> Outcome {
    let other = kit.other();
    for n in 1..=3 {
        open(&kit, n).await?;
    }
    open(&other, 2).await?;
    same("removed", purge(&kit, &[(1, 2), (2, 2)]).await?, 2)?;
    for n in [1, 2] {
        same("left of a purged ticket", left(&kit, n).await?, [0; 4])?;
    }
    for (of, n) in [(&kit, 3), (&other, 2)] {
        same("left of another", left(of, n).await?, [1, 1, 1, 2])?;
        same("its timer", of.claim(ClaimWhat::Timers, 9, 10).await?.leases.len(), 1)?;
    }
    let cases = kit.rows(&kit.query(ListKind::Cases(crate::Shelf::All), 10)).await?;
    same("tickets in a list", cases.len(), 1)?;
    let of_purged = |row: &&Recorded| [stream(1), stream(2)].contains(&row.entry.stream);
    same("entries in the feed", feed(&kit, 0).await?.iter().filter(of_purged).count(), 0)?;
    same("once more", purge(&kit, &[(1, 2), (2, 2)]).await?, 0)
}

async fn a_ticket_at_another_version_is_not_purged(kit: Kit) -> Outcome {
    open(&kit, 1).await?;
    for version in [0, 1, 3] {
        same("removed", purge(&kit, &[(1, version), (7, version)]).await?, 0)?;
    }
    same("left", left(&kit, 1).await?, [1, 1, 1, 2])
}

async fn positions_go_on_after_a_purge(kit: Kit) -> Outcome {
    for n in 1..=2 {
        open(&kit, n).await?;
    }
    let mut end = feed(&kit, 0).await?.last().map_or(0, |row| row.position);
    // The journal's last entries are those of the ticket that goes, twice.
    for (gone, next) in [(2, 3), (3, 4)] {
        same("removed", purge(&kit, &[(gone, 2)]).await?, 1)?;
        open(&kit, next).await?;
        let news = feed(&kit, end).await?;
        same("entries behind the end", news.len(), 2)?;
        so("of the new ticket", news.iter().all(|row| row.entry.stream == stream(next.into())))?;
        end = news.last().map_or(0, |row| row.position);
    }
    let all = feed(&kit, 0).await?;
    let places: Vec<_> = all.iter().filter(|row| row.entry.stream.id.is_nil()).collect();
    so("one place that is nobody's at most", places.len() <= 1)
}

async fn a_purged_tickets_id_begins_anew(kit: Kit) -> Outcome {
    open(&kit, 1).await?;
    same("removed", purge(&kit, &[(1, 2)]).await?, 1)?;
    open(&kit, 1).await?;
    same("left", left(&kit, 1).await?, [1, 1, 1, 2])?;
    same("numbers", history(&kit, 1).await?.iter().map(|row| row.n).collect::<Vec<_>>(), vec![1, 2])
}

async fn a_tombstone_keeps_its_place_and_can_be_filled_again(kit: Kit) -> Outcome {
    open(&kit, 1).await?;
    open(&kit, 2).await?;
    let before = feed(&kit, 0).await?;
    let entries: Vec<Recorded> = history(&kit, 1).await?.iter().map(tombstone).collect();
    let rewrite = |entries| Maintain::Rewrite { tenant: kit.tenant, entries };
    same("archived", maintain(&kit, rewrite(entries.clone())).await?, 2)?;
    let after = feed(&kit, 0).await?;
    for (left, entry) in after.iter().zip(&before) {
        let is_archived = entry.entry.stream == stream(1);
        same("an entry", left, &if is_archived { tombstone(entry) } else { entry.clone() })?;
    }
    let put_back: Vec<Recorded> =
        before.iter().filter(|row| row.entry.stream == stream(1)).cloned().collect();
    same("put back", maintain(&kit, rewrite(put_back)).await?, 2)?;
    same("the feed", feed(&kit, 0).await?, before)
}

async fn lead(kit: &Kit, job: &str, owner: &str, now: i64) -> Result<u64, String> {
    let (job, owner) = (job.to_owned(), owner.to_owned());
    maintain(kit, Maintain::Lead { job, owner, now: at(now), lease_seconds: 60 }).await
}

async fn resign(kit: &Kit, job: &str, owner: &str) -> Result<u64, String> {
    let (job, owner) = (job.to_owned(), owner.to_owned());
    maintain(kit, Maintain::Resign { job, owner }).await
}

async fn one_owner_leads_a_job(kit: Kit) -> Outcome {
    same("the first", lead(&kit, "retention", "a", 0).await?, 1)?;
    same("another", lead(&kit, "retention", "b", 59).await?, 0)?;
    same("another job", lead(&kit, "digest", "b", 59).await?, 1)?;
    same("the first again", lead(&kit, "retention", "a", 30).await?, 1)?;
    same("another, while it is kept", lead(&kit, "retention", "b", 89).await?, 0)?;
    // A lead is nothing that a tenant has.
    same("the feed", feed(&kit, 0).await?.len(), 0)
}

async fn a_lead_ends_and_is_given_back(kit: Kit) -> Outcome {
    same("the first", lead(&kit, "retention", "a", 0).await?, 1)?;
    same("another at its end", lead(&kit, "retention", "b", 60).await?, 1)?;
    same("the first", lead(&kit, "retention", "a", 61).await?, 0)?;
    same("given back by who has it not", resign(&kit, "retention", "a").await?, 0)?;
    same("still", lead(&kit, "retention", "a", 62).await?, 0)?;
    same("given back", resign(&kit, "retention", "b").await?, 1)?;
    same("twice", resign(&kit, "retention", "b").await?, 0)?;
    same("then", lead(&kit, "retention", "a", 63).await?, 1)?;
    same("of a job that nobody led", resign(&kit, "digest", "a").await?, 0)
}

async fn a_lead_has_a_name(kit: Kit) -> Outcome {
    let long = "x".repeat(201);
    for (job, owner) in [("", "a"), ("a", ""), (&long, "a"), ("a", &long), ("a\0", "a")] {
        let (job, owner) = (job.to_owned(), owner.to_owned());
        let resign = Maintain::Resign { job: job.clone(), owner: owner.clone() };
        let lead = Maintain::Lead { job, owner, now: at(0), lease_seconds: 60 };
        for it in [lead, resign] {
            super::kit::invalid("a name", kit.store.maintain(&it).await)?;
        }
    }
    same("200 chars", lead(&kit, &"ä".repeat(200), "a", 0).await?, 1)
}

async fn follower(kit: &Kit) -> Result<Follower, String> {
    let opened = Follower::open(&*kit.store, kit.tenant, "reports").await;
    opened.map_err(|error| format!("open: {error}"))
}

async fn read(kit: &Kit, follower: &mut Follower, limit: usize) -> Result<usize, String> {
    let entries = follower.next(&*kit.store, limit).await;
    Ok(entries.map_err(|error| format!("next: {error}"))?.len())
}

async fn a_checkpoint_is_committed_with_what_was_made(kit: Kit) -> Outcome {
    open(&kit, 1).await?;
    let mut first = follower(&kit).await?;
    same("entries", read(&kit, &mut first, 1).await?, 1)?;
    let made = StreamId::contact(contact(7).id);
    // What was made is refused, and the checkpoint with it.
    let mut change = kit.put(made, 3, Record::Contact(Box::new(contact(7))));
    change.at = at(2);
    let refused = first.commit(&*kit.store, change).await;
    so("refused", matches!(refused, Err(StoreError::Conflict(_))))?;
    same("kept", follower(&kit).await?.checkpoint(), 0)?;
    let change = kit.put(made, 0, Record::Contact(Box::new(contact(7))));
    first.commit(&*kit.store, change).await.map_err(|error| error.to_string())?;
    same("made", kit.version(made).await?, 1)?;
    same("kept", follower(&kit).await?.checkpoint(), first.checkpoint())?;
    same("the rest", read(&kit, &mut first, 10).await?, 1)?;
    first.keep(&*kit.store, at(3)).await.map_err(|error| error.to_string())?;
    let mut again = follower(&kit).await?;
    same("nothing comes again", read(&kit, &mut again, 10).await?, 0)?;
    let mut others = follower(&kit.other()).await?;
    same(
        "of another tenant",
        (others.checkpoint(), read(&kit.other(), &mut others, 9).await?),
        (0, 0),
    )?;
    same("the feed has no entry of it", feed(&kit, 0).await?.len(), 2)
}

async fn of_two_followers_one_goes_on(kit: Kit) -> Outcome {
    open(&kit, 1).await?;
    let (mut one, mut two) = (follower(&kit).await?, follower(&kit).await?);
    for it in [&mut one, &mut two] {
        same("entries", read(&kit, it, 10).await?, 2)?;
    }
    one.keep(&*kit.store, at(2)).await.map_err(|error| error.to_string())?;
    let lost = two.keep(&*kit.store, at(2)).await;
    so("the other lost", matches!(lost, Err(StoreError::Conflict(_))))?;
    // In a change set of the caller's, as in a host's own transaction.
    open(&kit, 2).await?;
    same("entries", read(&kit, &mut one, 10).await?, 2)?;
    let mut change = kit.change();
    one.put_in(&mut change);
    let of_checkpoint = StreamId::checkpoint("reports");
    same("expected", change.expect.clone(), vec![Expect { stream: of_checkpoint, version: 1 }])?;
    one.note(&kit.commit(change).await?);
    same("kept", follower(&kit).await?.checkpoint(), one.checkpoint())?;
    one.set_checkpoint(0);
    one.keep(&*kit.store, at(3)).await.map_err(|error| error.to_string())?;
    same("set back", follower(&kit).await?.checkpoint(), 0)
}
