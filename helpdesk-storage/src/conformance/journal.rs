//! The journal.

use super::Outcome;
use super::kit::{Kit, area, case, contact, event, invalid, same, so, stream, ticket};
use crate::{Cursor, EventQuery, EventSource, Maintain, Page};
use helpdesk_core::case::record::Record;
use helpdesk_core::event::{Event, Recorded, StreamId, StreamKind};
use helpdesk_core::limit::PAGE_MAX;

area!("journal":
    a_stream_is_read_in_order_without_gaps,
    a_stream_is_read_in_pages,
    entries_read_back_whole,
    a_stream_of_nothing_is_empty,
    positions_grow_and_miss_nothing,
    the_feed_is_read_in_pages,
    the_feed_takes_kinds,
    the_feed_says_where_it_ends,
    news_are_told_at_once,
    a_page_has_a_row_and_at_most_a_thousand,
    a_rewritten_entry_keeps_its_place,
    what_is_not_there_is_not_rewritten,
    a_scrub_keeps_what_stands,
);

async fn events(kit: &Kit, source: EventSource, limit: usize) -> Result<Page<Recorded>, String> {
    let query = EventQuery::new(kit.tenant, source, limit);
    kit.store.events(&query).await.map_err(|error| format!("events: {error}"))
}

fn of(n: u128, after: u64) -> EventSource {
    EventSource::Stream { stream: stream(n), after }
}

fn feed(after: u64) -> EventSource {
    EventSource::Feed { after, kinds: Vec::new() }
}

/// Two events for each of two tickets in turn, three times, and one of a contact.
async fn history(kit: &Kit) -> Result<Vec<u64>, String> {
    let mut positions = Vec::new();
    for round in 0..3_u64 {
        for n in 1..=2_u64 {
            let it = stream(u128::from(n));
            let mut change = kit.put(it, round * 2, case(ticket(n)?));
            change.events = vec![event(it, Event::MarkedSpam, 1), event(it, Event::Woken, 2)];
            positions.extend(kit.commit(change).await?.position);
        }
    }
    let it = StreamId::contact(contact(1).id);
    let mut change = kit.put(it, 0, Record::Contact(Box::new(contact(1))));
    let created = Event::ContactCreated { contact: Box::new(contact(1)) };
    change.events = vec![event(it, created, 3)];
    positions.extend(kit.commit(change).await?.position);
    kit.settled_to(positions.last().copied().unwrap_or(0)).await?;
    Ok(positions)
}

fn cursor(n: u64) -> Option<Cursor> {
    Some(Cursor(n.to_string()))
}

async fn a_stream_is_read_in_order_without_gaps(kit: Kit) -> Outcome {
    history(&kit).await?;
    let page = events(&kit, of(2, 0), 10).await?;
    let numbers: Vec<u64> = page.rows.iter().map(|entry| entry.n).collect();
    same("numbers", numbers, vec![1, 2, 3, 4, 5, 6])?;
    so("all are the stream's", page.rows.iter().all(|it| it.entry.stream == stream(2)))?;
    same("the next page", page.next, None)
}

async fn a_stream_is_read_in_pages(kit: Kit) -> Outcome {
    history(&kit).await?;
    for (after, limit, numbers, next) in [
        (0, 2, vec![1, 2], cursor(2)),
        (2, 3, vec![3, 4, 5], cursor(5)),
        (4, 2, vec![5, 6], None),
        (6, 2, vec![], None),
        (99, 2, vec![], None),
    ] {
        let page = events(&kit, of(1, after), limit).await?;
        let found: Vec<u64> = page.rows.iter().map(|entry| entry.n).collect();
        same("numbers and the next page", (found, page.next), (numbers, next))?;
    }
    Ok(())
}

async fn entries_read_back_whole(kit: Kit) -> Outcome {
    let opened = Event::Opened {
        ticket: Box::new(ticket(1)?),
        imported: true,
        language_by: Some("whatlang 97".to_owned()),
    };
    let mut entry = event(stream(1), opened, 4);
    entry.at += chrono::TimeDelta::nanoseconds(7);
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.events.push(entry.clone());
    let position = kit.commit(change).await?.position.ok_or("no position")?;
    kit.settled_to(position).await?;
    let wanted = vec![Recorded { n: 1, position, entry }];
    same("of the stream", events(&kit, of(1, 0), 10).await?.rows, wanted.clone())?;
    same("of the feed", events(&kit, feed(0), 10).await?.rows, wanted)
}

async fn a_stream_of_nothing_is_empty(kit: Kit) -> Outcome {
    let page = events(&kit, of(1, 0), 10).await?;
    same("the page", page, Page { rows: Vec::new(), next: None })?;
    let page = events(&kit, feed(0), 10).await?;
    same("the page of the feed", page, Page { rows: Vec::new(), next: None })
}

async fn positions_grow_and_miss_nothing(kit: Kit) -> Outcome {
    let committed = history(&kit).await?;
    let page = events(&kit, feed(0), 100).await?;
    let positions: Vec<u64> = page.rows.iter().map(|entry| entry.position).collect();
    same("events", positions.len(), 13)?;
    so("positions start over 0", positions.first().is_some_and(|first| *first > 0))?;
    so("positions grow strictly", positions.is_sorted_by(|a, b| a < b))?;
    // A commit says the position of its last event.
    let lasts: Vec<u64> = (1..12).step_by(2).chain([12]).map(|at| positions[at]).collect();
    same("what the commits said", committed, lasts)
}

async fn the_feed_says_where_it_ends(kit: Kit) -> Outcome {
    let end = async || kit.store.feed_end(kit.tenant).await.map_err(|error| format!("{error}"));
    same("the end of nothing", end().await?, 0)?;
    let committed = history(&kit).await?;
    same("the end", Some(end().await?), committed.last().copied())?;
    same("what comes after it", events(&kit, feed(end().await?), 10).await?.rows, Vec::new())?;
    let mut change = kit.put(stream(3), 0, case(ticket(3)?));
    change.events = vec![event(stream(3), Event::MarkedSpam, 4)];
    let before = end().await?;
    let position = kit.commit(change).await?.position;
    kit.settled_to(position.unwrap_or(0)).await?;
    let later = events(&kit, feed(before), 10).await?.rows;
    same("what was committed later", later.len(), 1)?;
    same("the new end", Some(end().await?), position)
}

async fn news_are_told_at_once(kit: Kit) -> Outcome {
    for n in 1..=20_u64 {
        let it = stream(u128::from(n));
        let end = kit.store.feed_end(kit.tenant).await.map_err(|error| format!("{error}"))?;
        let mut change = kit.put(it, 0, case(ticket(n)?));
        change.events = vec![event(it, Event::MarkedSpam, 1)];
        let position = kit.commit(change).await?.position;
        let news = |kinds| EventSource::News { after: end, kinds };
        let told = events(&kit, news(vec![StreamKind::Case]), 100).await?.rows;
        same("the last of the news", told.last().map(|entry| entry.position), position)?;
        so("nothing of before", told.iter().all(|entry| entry.position > end))?;
        let others = events(&kit, news(vec![StreamKind::Agent]), 100).await?.rows;
        same("of another kind", others.len(), 0)?;
    }
    Ok(())
}

async fn the_feed_is_read_in_pages(kit: Kit) -> Outcome {
    history(&kit).await?;
    let all = events(&kit, feed(0), 100).await?.rows;
    for limit in [1, 4, 12, 13] {
        let mut found = Vec::new();
        let mut after = 0;
        loop {
            let page = events(&kit, feed(after), limit).await?;
            found.extend(page.rows);
            let Some(Cursor(next)) = page.next else { break };
            after = next.parse().map_err(|_| format!("`{next}` is no position"))?;
        }
        same("the pages together", &found, &all)?;
    }
    Ok(())
}

async fn the_feed_takes_kinds(kit: Kit) -> Outcome {
    history(&kit).await?;
    for (kinds, n) in [
        (vec![StreamKind::Case], 12),
        (vec![StreamKind::Contact], 1),
        (vec![StreamKind::Contact, StreamKind::Case], 13),
        (vec![StreamKind::Config], 0),
    ] {
        let page = events(&kit, EventSource::Feed { after: 0, kinds }, 100).await?;
        same("events", page.rows.len(), n)?;
    }
    let cases = EventSource::Feed { after: 0, kinds: vec![StreamKind::Case] };
    let page = events(&kit, cases, 12).await?;
    same("the page after the last of a kind", page.next, None)
}

async fn a_page_has_a_row_and_at_most_a_thousand(kit: Kit) -> Outcome {
    for limit in [0, PAGE_MAX + 1] {
        let query = EventQuery::new(kit.tenant, feed(0), limit);
        invalid("the limit", kit.store.events(&query).await)?;
    }
    events(&kit, of(1, 0), PAGE_MAX).await.map(|_| ())
}

async fn rewrite(kit: &Kit, entries: Vec<Recorded>) -> Result<u64, String> {
    let maintain = Maintain::Rewrite { tenant: kit.tenant, entries };
    let report = kit.store.maintain(&maintain).await;
    Ok(report.map_err(|error| format!("rewrite: {error}"))?.n_rows)
}

/// All of the journal, as it must be after entries were rewritten.
async fn rewritten(kit: &Kit, entries: &[Recorded]) -> Result<Vec<Recorded>, String> {
    let mut all = events(kit, feed(0), 100).await?.rows;
    for new in entries {
        let same = |it: &&mut Recorded| (it.entry.stream, it.n) == (new.entry.stream, new.n);
        if let Some(it) = all.iter_mut().find(same) {
            it.entry.event = new.entry.event.clone();
            it.entry.origin = new.entry.origin.clone();
        }
    }
    Ok(all)
}

async fn a_rewritten_entry_keeps_its_place(kit: Kit) -> Outcome {
    history(&kit).await?;
    let mut entries = events(&kit, of(1, 0), 100).await?.rows;
    // One of a commit's two, both of another's with another origin, and none of the last's.
    entries.remove(0);
    entries.truncate(3);
    for (i, entry) in entries.iter_mut().enumerate() {
        entry.entry.event = Event::UnmarkedSpam;
        // Nothing that a caller says of its place or time counts.
        entry.position += 1000;
        if i > 0 {
            entry.entry.origin.on_behalf_of = Some(stream(7).id);
        }
    }
    let expected = rewritten(&kit, &entries).await?;
    same("rewritten", rewrite(&kit, entries).await?, 3)?;
    same("the feed", events(&kit, feed(0), 100).await?.rows, expected.clone())?;
    let of_one = expected.into_iter().filter(|it| it.entry.stream == stream(1)).collect();
    same("the stream", events(&kit, of(1, 0), 100).await?.rows, of_one)
}

async fn what_is_not_there_is_not_rewritten(kit: Kit) -> Outcome {
    history(&kit).await?;
    let before = events(&kit, feed(0), 100).await?.rows;
    let mut entries = events(&kit, of(1, 0), 1).await?.rows;
    for entry in &mut entries {
        entry.n = 99;
        entry.entry.event = Event::UnmarkedSpam;
    }
    let mut other = entries.clone();
    for entry in &mut other {
        entry.n = 1;
        entry.entry.stream = stream(9);
    }
    entries.append(&mut other);
    same("rewritten", rewrite(&kit, entries).await?, 0)?;
    let other = Kit { tenant: helpdesk_core::id::TenantId(super::kit::id(77)), ..kit.clone() };
    same("another tenant's", rewrite(&other, before.clone()).await?, 0)?;
    same("the feed", events(&kit, feed(0), 100).await?.rows, before)
}

async fn a_scrub_keeps_what_stands(kit: Kit) -> Outcome {
    history(&kit).await?;
    let before = events(&kit, feed(0), 100).await?.rows;
    kit.store.maintain(&Maintain::Scrub).await.map_err(|error| format!("scrub: {error}"))?;
    same("the feed", events(&kit, feed(0), 100).await?.rows, before)?;
    let put = kit.put(stream(1), 6, case(ticket(1)?));
    kit.commit(put).await.map(|_| ())
}
