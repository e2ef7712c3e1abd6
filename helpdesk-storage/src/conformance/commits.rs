//! Commits, and the versions that follow from them.

use super::Outcome;
use super::kit::{
    Kit, area, at, case, command, contact, event, id, message, organization, outbox, same, set, so,
    stream, ticket, unique,
};
use crate::{
    ChangeSet, ClaimWhat, Committed, Conflict, EventQuery, EventSource, Expect, StoreError,
};
use chrono::TimeDelta;
use helpdesk_core::agent::{Agent, AgentLoad, Presence};
use helpdesk_core::case::record::{ConfigRecord, Numbers, Record, RecordKey, Stored, UniqueKey};
use helpdesk_core::event::{Event, StreamId, TimerKind};
use helpdesk_core::id::{AgentId, CommandId};

area!("commit":
    nothing_is_there_at_first,
    a_record_of_every_kind_reads_back,
    several_keys_are_answered_in_their_order,
    a_message_is_replaced,
    instants_keep_their_nanoseconds,
    odd_and_long_texts_survive,
    a_refused_commit_leaves_nothing,
    commits_of_many_are_each_for_itself,
    what_comes_after_a_commit_stands_or_falls_with_it,
    nothing_comes_after_another_call,
    a_stream_that_is_not_expected_is_invalid,
    what_is_named_twice_is_invalid,
    what_is_no_part_of_put_is_invalid,
    events_count_the_version,
    a_record_without_events_moves_on_by_one,
    an_existing_thing_is_not_absent,
    a_stale_version_is_a_conflict,
    an_absent_thing_has_version_zero,
    an_expectation_alone_changes_nothing,
    events_without_record_move_the_version,
    events_of_nothing_are_invalid,
    streams_are_numbered_each_by_itself,
    a_lost_race_is_not_written,
);

async fn nothing_is_there_at_first(kit: Kit) -> Outcome {
    let keys = [
        RecordKey::Stream(stream(1)),
        RecordKey::Unique(UniqueKey::Domain { domain: "example.com".to_owned() }),
        RecordKey::Message(super::kit::ticket_id(1), 1),
        RecordKey::ConfigVersion(1),
        RecordKey::Command(CommandId(id(1))),
        RecordKey::DeadLetter(id(1)),
    ];
    let found = kit.store.get(kit.tenant, &keys).await.map_err(|error| error.to_string())?;
    same("records", found, vec![None; keys.len()])?;
    let found = kit.store.get(kit.tenant, &[]).await.map_err(|error| error.to_string())?;
    same("records of no keys", found, Vec::new())
}

fn one_of_each(kit: &Kit) -> Result<Vec<(RecordKey, Option<StreamId>, Record)>, String> {
    let agent_id = AgentId(id(5));
    let agent = Agent {
        id: agent_id,
        name: "Ada".to_owned(),
        email: None,
        roles: Vec::new(),
        groups: Vec::new(),
        skills: Vec::new(),
        languages: Vec::new(),
        capacity: Default::default(),
        tier: None,
        shift: None,
        manager: None,
        active: true,
    };
    let document = serde_json::json!({"rules": [1.5, null, "é"]});
    let config = Box::new(ConfigRecord {
        version: 1,
        applied_at: at(1),
        document,
        calendars: Default::default(),
    });
    let numbers = Numbers { next: [("HD".into(), 64)].into() };
    let streams = [
        (stream(1), case(ticket(1)?)),
        (StreamId::contact(contact(2).id), Record::Contact(Box::new(contact(2)))),
        (
            StreamId::organization(organization(3).id),
            Record::Organization(Box::new(organization(3))),
        ),
        (StreamId::agent(agent_id), Record::Agent(Box::new(agent))),
        (StreamId::presence(agent_id), Record::Presence(Presence::none(agent_id))),
        (StreamId::load(agent_id), Record::Load(AgentLoad::none(agent_id))),
        (StreamId::config(kit.tenant), Record::Config(config.clone())),
        (StreamId::numbers(kit.tenant), Record::Numbers(numbers)),
    ];
    let mut all: Vec<_> = streams
        .into_iter()
        .map(|(stream, record)| (RecordKey::Stream(stream), Some(stream), record))
        .collect();
    all.push((RecordKey::ConfigVersion(1), None, Record::ConfigVersion(config)));
    let text = message(1, 1, "Hello");
    all.push((RecordKey::Message(text.ticket_id, 1), None, Record::Message(Box::new(text))));
    Ok(all)
}

async fn a_record_of_every_kind_reads_back(kit: Kit) -> Outcome {
    let all = one_of_each(&kit)?;
    let mut change = kit.change();
    for (_, stream, record) in &all {
        change.expect.extend(stream.map(|stream| Expect { stream, version: 0 }));
        change.put.push(record.clone());
    }
    change.command = Some(command(9, "aa", 60));
    kit.commit(change).await?;
    for (key, stream, record) in all {
        let version = u64::from(stream.is_some());
        same("the record", kit.get(key).await?, Some(Stored { version, record }))?;
    }
    let kept = kit.get(RecordKey::Command(CommandId(id(9)))).await?;
    let record = Record::Command(Box::new(command(9, "aa", 60)));
    same("the command", kept, Some(Stored { version: 0, record }))
}

async fn several_keys_are_answered_in_their_order(kit: Kit) -> Outcome {
    kit.open([ticket(1)?, ticket(2)?]).await?;
    let keys = [2, 7, 1, 2].map(|n| RecordKey::Stream(stream(n)));
    let found = kit.store.get(kit.tenant, &keys).await.map_err(|error| error.to_string())?;
    let ids: Result<Vec<_>, String> = found
        .iter()
        .map(|row| row.as_ref().map(|row| Ok(super::kit::ticket_of(row)?.number.n)).transpose())
        .collect();
    same("tickets", ids?, vec![Some(2), None, Some(1), Some(2)])
}

async fn a_message_is_replaced(kit: Kit) -> Outcome {
    let mut redacted = message(1, 1, "");
    redacted.redacted = true;
    for text in [message(1, 1, "My card number"), redacted.clone()] {
        let mut change = kit.change();
        change.put.push(Record::Message(Box::new(text)));
        kit.commit(change).await?;
    }
    let kept = kit.get(RecordKey::Message(redacted.ticket_id, 1)).await?;
    let record = Record::Message(Box::new(redacted));
    same("the message", kept, Some(Stored { version: 0, record }))
}

async fn instants_keep_their_nanoseconds(kit: Kit) -> Outcome {
    let mut exact = ticket(1)?;
    exact.times.updated_at = at(1) + TimeDelta::nanoseconds(123_456_789);
    kit.open([exact.clone()]).await?;
    let kept = kit.get(RecordKey::Stream(stream(1))).await?;
    same("the case", kept, Some(Stored { version: 1, record: case(exact) }))
}

async fn odd_and_long_texts_survive(kit: Kit) -> Outcome {
    let texts = [
        "\u{0}nul".to_owned(),
        "'; DROP TABLE hd_ticket; --".to_owned(),
        "日本語 🙂 e\u{301} \u{feff}\r\n\"".to_owned(),
        "x".repeat(1 << 20),
    ];
    for (seq, text) in (1..).zip(texts) {
        let message = message(1, seq, &text);
        let mut change = kit.change();
        change.put.push(Record::Message(Box::new(message.clone())));
        kit.commit(change).await?;
        let kept = kit.get(RecordKey::Message(message.ticket_id, seq)).await?;
        let wanted = Stored { version: 0, record: Record::Message(Box::new(message)) };
        so(&format!("text {seq} reads back"), kept == Some(wanted))?;
    }
    Ok(())
}

/// Everything that a change set can do, about ticket 1.
fn everything(kit: &Kit) -> Result<ChangeSet, String> {
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.put.push(Record::Message(Box::new(message(1, 1, "Hello"))));
    change.unique.push(unique(&UniqueKey::Domain { domain: "a.example".to_owned() }, stream(1)));
    change.events.push(event(stream(1), Event::MarkedSpam, 0));
    change.timers.push(set(stream(1), TimerKind::Snooze, 0));
    change.outbox.push(outbox(1, 1, 0));
    change.command = Some(command(9, "aa", 60));
    Ok(change)
}

async fn a_refused_commit_leaves_nothing(kit: Kit) -> Outcome {
    kit.open([ticket(2)?]).await?;
    let taken = UniqueKey::Domain { domain: "b.example".to_owned() };
    let mut change = kit.change();
    change.unique.push(unique(&taken, stream(2)));
    kit.commit(change).await?;

    let mut conflict = everything(&kit)?;
    conflict.expect.push(Expect { stream: stream(2), version: 7 });
    kit.refused(conflict).await?;
    let mut duplicate = everything(&kit)?;
    duplicate.unique.push(unique(&taken, stream(1)));
    kit.refused(duplicate).await?;
    let mut twice = everything(&kit)?;
    twice.outbox.push(outbox(1, 1, 0));
    kit.refused(twice).await?;

    let keys = [
        RecordKey::Stream(stream(1)),
        RecordKey::Message(super::kit::ticket_id(1), 1),
        RecordKey::Unique(UniqueKey::Domain { domain: "a.example".to_owned() }),
        RecordKey::Command(CommandId(id(9))),
    ];
    let found = kit.store.get(kit.tenant, &keys).await.map_err(|error| error.to_string())?;
    same("records", found, vec![None; 4])?;
    let news = EventSource::News { after: 0, kinds: Vec::new() };
    let query = EventQuery::new(kit.tenant, news, 10);
    let page = kit.store.events(&query).await.map_err(|error| error.to_string())?;
    same("events", page.rows.len(), 0)?;
    for what in [ClaimWhat::Timers, ClaimWhat::Outbox] {
        let claimed = kit.claim(what, 100, 10).await?;
        same("leases", (claimed.leases.len(), claimed.next_due), (0, None))?;
    }
    // And the same change set without its fault still fits.
    kit.commit(everything(&kit)?).await.map(|_| ())
}

async fn commits_of_many_are_each_for_itself(kit: Kit) -> Outcome {
    let lost = kit.put(stream(1), 5, case(ticket(1)?));
    let first = kit.put(stream(1), 0, case(ticket(1)?));
    let second = kit.put(stream(1), 1, case(ticket(1)?));
    let mut doubled = kit.put(stream(2), 0, case(ticket(2)?));
    doubled.outbox = vec![outbox(1, 1, 0)];
    let mut again = kit.put(stream(3), 0, case(ticket(3)?));
    again.outbox = vec![outbox(1, 1, 0)];
    let all = vec![lost, first, second, doubled, again];
    let results = kit.store.commit_many(all).await;
    let well: Vec<bool> = results.iter().map(Result::is_ok).collect();
    same("which were committed", well, vec![false, true, true, true, false])?;
    for (n, version) in [(1, 2), (2, 1), (3, 0)] {
        same("the version", kit.version(stream(n)).await?, version)?;
    }
    same("results of nothing", kit.store.commit_many(Vec::new()).await.len(), 0)
}

/// A change set that comes after another one of its call.
fn after(mut change: ChangeSet, before: &ChangeSet) -> ChangeSet {
    change.after = Some(before.commit_id);
    change
}

fn is_after(result: &Result<Committed, StoreError>, before: &ChangeSet) -> bool {
    matches!(result, Err(StoreError::NotAfter { commit_id }) if *commit_id == before.commit_id)
}

async fn what_comes_after_a_commit_stands_or_falls_with_it(kit: Kit) -> Outcome {
    let put = |commit, n: u64, version| -> Result<ChangeSet, String> {
        let mut change = kit.put(stream(n.into()), version, case(ticket(n)?));
        change.commit_id = CommandId(id(commit));
        Ok(change)
    };
    let first = put(101, 1, 0)?;
    let second = after(put(102, 1, 1)?, &first);
    // Another commit leads to what this one would have led to: what comes after this one is
    // not taken in for it.
    let lost = put(103, 1, 1)?;
    let next = after(put(104, 1, 2)?, &lost);
    let last = after(put(105, 2, 0)?, &next);
    let other = after(put(106, 3, 0)?, &second);
    let all = [&first, &second, &lost, &next, &last, &other].map(Clone::clone).to_vec();
    let results = kit.store.commit_many(all).await;
    let well: Vec<bool> = results.iter().map(Result::is_ok).collect();
    same("which were committed", well, vec![true, true, false, false, false, true])?;
    so("the fourth comes after the third", is_after(&results[3], &lost))?;
    so("the fifth comes after the fourth", is_after(&results[4], &next))?;
    for (n, version) in [(1, 2), (2, 0), (3, 1)] {
        same("the version", kit.version(stream(n)).await?, version)?;
    }

    // So many that a backend may do them in parts.
    let mut chain = vec![put(200, 4, 0)?];
    for n in 1..150 {
        chain.push(after(put(200 + u128::from(n), 4, n)?, &chain[chain.len() - 1]));
    }
    let results = kit.store.commit_many(chain).await;
    so("all of a chain are committed", results.iter().all(Result::is_ok))?;
    same("the version", kit.version(stream(4)).await?, 150)
}

async fn nothing_comes_after_another_call(kit: Kit) -> Outcome {
    let put = |commit, n: u64| -> Result<ChangeSet, String> {
        let mut change = kit.put(stream(n.into()), 0, case(ticket(n)?));
        change.commit_id = CommandId(id(commit));
        Ok(change)
    };
    let mut done = put(101, 1)?;
    done.command = Some(command(101, "abc", 100));
    kit.commit(done.clone()).await?;
    let alone = after(put(102, 2)?, &done);
    let result = kit.store.commit(alone.clone()).await;
    so("what was committed by another call", is_after(&result, &done))?;
    // Done before, it is done no more; and what stands behind is not before.
    let later = put(103, 3)?;
    let early = after(put(104, 4)?, &later);
    let all = vec![done.clone(), alone, early, later.clone()];
    let results = kit.store.commit_many(all).await;
    so("a replay", matches!(&results[0], Ok(committed) if committed.replayed.is_some()))?;
    so("after a replay", is_after(&results[1], &done))?;
    so("before what it comes after", is_after(&results[2], &later))?;
    so("what stands behind", results[3].is_ok())?;
    for (n, version) in [(1, 1), (2, 0), (3, 1), (4, 0)] {
        same("the version", kit.version(stream(n)).await?, version)?;
    }
    Ok(())
}

async fn a_stream_that_is_not_expected_is_invalid(kit: Kit) -> Outcome {
    let mut change = kit.change();
    change.put.push(case(ticket(1)?));
    super::kit::invalid("a put", kit.store.commit(change).await)?;
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.events.push(event(stream(2), Event::Woken, 0));
    super::kit::invalid("an event", kit.store.commit(change).await)
}

async fn what_is_named_twice_is_invalid(kit: Kit) -> Outcome {
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.put.push(case(ticket(1)?));
    super::kit::invalid("a thing put twice", kit.store.commit(change).await)?;
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.put.extend(["a", "b"].map(|text| Record::Message(Box::new(message(1, 1, text)))));
    super::kit::invalid("a message put twice", kit.store.commit(change).await)?;
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.expect.push(Expect { stream: stream(1), version: 0 });
    super::kit::invalid("a thing expected twice", kit.store.commit(change).await)
}

async fn what_is_no_part_of_put_is_invalid(kit: Kit) -> Outcome {
    let mut change = kit.change();
    change.put.push(Record::Command(Box::new(command(1, "aa", 60))));
    super::kit::invalid("a command that is put", kit.store.commit(change).await)
}

async fn events_count_the_version(kit: Kit) -> Outcome {
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.events = (0..3).map(|_| event(stream(1), Event::Woken, 0)).collect();
    let committed = kit.commit(change).await?;
    same("versions", committed.versions, vec![(stream(1), 3)])?;
    same("the version", kit.version(stream(1)).await?, 3)
}

async fn a_record_without_events_moves_on_by_one(kit: Kit) -> Outcome {
    for version in 0..3 {
        let committed = kit.commit(kit.put(stream(1), version, case(ticket(1)?))).await?;
        same("versions", committed.versions, vec![(stream(1), version + 1)])?;
        same("the position", committed.position, None)?;
    }
    same("the version", kit.version(stream(1)).await?, 3)
}

async fn conflict(kit: &Kit, change: ChangeSet, expected: u64, actual: u64) -> Outcome {
    let error = kit.refused(change).await?;
    so("a conflict is a lost race", error.is_lost_race())?;
    match error {
        StoreError::Conflict(found) => {
            same("the conflict", found, Conflict { stream: stream(1), expected, actual })
        }
        other => Err(format!("should be a conflict: {other:?}")),
    }
}

async fn an_existing_thing_is_not_absent(kit: Kit) -> Outcome {
    kit.open([ticket(1)?]).await?;
    conflict(&kit, kit.put(stream(1), 0, case(ticket(1)?)), 0, 1).await
}

async fn a_stale_version_is_a_conflict(kit: Kit) -> Outcome {
    kit.open([ticket(1)?]).await?;
    kit.commit(kit.put(stream(1), 1, case(ticket(1)?))).await?;
    conflict(&kit, kit.put(stream(1), 1, case(ticket(1)?)), 1, 2).await?;
    conflict(&kit, kit.put(stream(1), 3, case(ticket(1)?)), 3, 2).await
}

async fn an_absent_thing_has_version_zero(kit: Kit) -> Outcome {
    conflict(&kit, kit.put(stream(1), 4, case(ticket(1)?)), 4, 0).await
}

async fn an_expectation_alone_changes_nothing(kit: Kit) -> Outcome {
    kit.open([ticket(1)?]).await?;
    let mut change = kit.put(stream(2), 0, case(ticket(2)?));
    change.expect.push(Expect { stream: stream(1), version: 1 });
    let committed = kit.commit(change).await?;
    same("versions", committed.versions, vec![(stream(2), 1)])?;
    same("the version", kit.version(stream(1)).await?, 1)?;
    let mut change = kit.put(stream(2), 1, case(ticket(2)?));
    change.expect.push(Expect { stream: stream(1), version: 0 });
    conflict(&kit, change, 0, 1).await
}

async fn events_without_record_move_the_version(kit: Kit) -> Outcome {
    kit.open([ticket(1)?]).await?;
    let mut change = kit.change();
    change.expect.push(Expect { stream: stream(1), version: 1 });
    change.events = vec![event(stream(1), Event::Woken, 0), event(stream(1), Event::Woken, 0)];
    let committed = kit.commit(change).await?;
    same("versions", committed.versions, vec![(stream(1), 3)])?;
    same("the version", kit.version(stream(1)).await?, 3)
}

async fn events_of_nothing_are_invalid(kit: Kit) -> Outcome {
    let mut change = kit.change();
    change.expect.push(Expect { stream: stream(1), version: 0 });
    change.events.push(event(stream(1), Event::Woken, 0));
    super::kit::invalid("events without a record", kit.store.commit(change).await)
}

async fn streams_are_numbered_each_by_itself(kit: Kit) -> Outcome {
    let contact_stream = StreamId::contact(contact(1).id);
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.expect.push(Expect { stream: contact_stream, version: 0 });
    change.put.push(Record::Contact(Box::new(contact(1))));
    change.events = vec![
        event(stream(1), Event::Woken, 0),
        event(contact_stream, Event::ContactJoined { into: contact(2).id }, 0),
        event(stream(1), Event::Woken, 0),
    ];
    let mut versions = kit.commit(change).await?.versions;
    versions.sort_unstable();
    same("versions", versions, vec![(stream(1), 2), (contact_stream, 1)])
}

async fn a_lost_race_is_not_written(kit: Kit) -> Outcome {
    kit.open([ticket(1)?]).await?;
    let mut changed = ticket(1)?;
    changed.subject = "Lost".to_owned();
    kit.refused(kit.put(stream(1), 0, case(changed))).await?;
    let kept = kit.get(RecordKey::Stream(stream(1))).await?;
    same("the case", kept, Some(Stored { version: 1, record: case(ticket(1)?) }))
}
