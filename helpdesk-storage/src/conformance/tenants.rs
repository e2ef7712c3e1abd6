//! Tenant B never sees A's rows, in every method.

use super::Outcome;
use super::kit::{
    Kit, area, at, case, command, event, id, message, outbox, same, set, stream, ticket, unique,
};
use crate::{
    ClaimWhat, CountBy, CountQuery, EventQuery, EventSource, LeaseToken, ListKind, Maintain,
    SettleHow, Shelf, StoreError,
};
use helpdesk_core::case::record::{ConfigRecord, Record, RecordKey, UniqueKey};
use helpdesk_core::event::{Event, StreamKind, TimerKind};
use helpdesk_core::id::CommandId;

area!("tenants":
    another_tenant_gets_nothing,
    another_tenant_lists_and_counts_nothing,
    another_tenant_reads_no_events,
    another_tenant_claims_nothing,
    another_tenants_lease_does_not_fit,
    the_same_ids_are_other_things,
    lanes_are_each_tenants_own,
    housekeeping_touches_one_tenant,
);

fn domain() -> UniqueKey {
    UniqueKey::Domain { domain: "a.example".to_owned() }
}

/// One of everything.
async fn fill(kit: &Kit) -> Outcome {
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.put.push(Record::Message(Box::new(message(1, 1, "Hello"))));
    let config = ConfigRecord {
        version: 1,
        applied_at: at(0),
        document: serde_json::json!({}),
        calendars: Default::default(),
    };
    change.put.push(Record::ConfigVersion(Box::new(config)));
    change.unique.push(unique(&domain(), stream(1)));
    change.events.push(event(stream(1), Event::Woken, 0));
    change.timers.push(set(stream(1), TimerKind::Snooze, 0));
    change.outbox = vec![outbox(1, 1, 0), outbox(2, 2, 0)];
    change.command = Some(command(9, "aa", 60));
    kit.commit(change).await?;
    let dead = kit.claim(ClaimWhat::Outbox, 0, 1).await?;
    let how = SettleHow::Dead { error: "gone".to_owned() };
    kit.settled(dead.leases[0].token, 0, how).await
}

async fn another_tenant_gets_nothing(kit: Kit) -> Outcome {
    fill(&kit).await?;
    let keys = [
        RecordKey::Stream(stream(1)),
        RecordKey::Unique(domain()),
        RecordKey::Message(super::kit::ticket_id(1), 1),
        RecordKey::ConfigVersion(1),
        RecordKey::Command(CommandId(id(9))),
        RecordKey::DeadLetter(id(1)),
    ];
    for (tenant, there) in [(kit.tenant, true), (kit.other().tenant, false)] {
        let found = kit.store.get(tenant, &keys).await.map_err(|error| error.to_string())?;
        let which: Vec<bool> = found.iter().map(Option::is_some).collect();
        same("what is there", which, vec![there; keys.len()])?;
    }
    Ok(())
}

async fn another_tenant_lists_and_counts_nothing(kit: Kit) -> Outcome {
    fill(&kit).await?;
    for (it, n) in [(kit.clone(), 1), (kit.other(), 0)] {
        for kind in [
            ListKind::Cases(Shelf::All),
            ListKind::Things(StreamKind::Case),
            ListKind::Messages(super::kit::ticket_id(1)),
            ListKind::DeadLetters,
            ListKind::ConfigVersions,
        ] {
            same(&format!("{kind:?}"), it.rows(&it.query(kind, 10)).await?.len(), n)?;
        }
        let query = CountQuery::all(it.tenant, CountBy::Nothing, at(0));
        let buckets = it.store.count(&query).await.map_err(|error| error.to_string())?;
        let counts: Vec<u64> = buckets.iter().map(|bucket| bucket.n).collect();
        same("counts", counts, vec![n as u64])?;
    }
    Ok(())
}

async fn another_tenant_reads_no_events(kit: Kit) -> Outcome {
    fill(&kit).await?;
    kit.settled_to(1).await?;
    for (it, n) in [(kit.clone(), 1), (kit.other(), 0)] {
        for source in [
            EventSource::Stream { stream: stream(1), after: 0 },
            EventSource::Feed { after: 0, kinds: Vec::new() },
            EventSource::Feed { after: 0, kinds: vec![StreamKind::Case] },
        ] {
            let query = EventQuery::new(it.tenant, source, 10);
            let page = it.store.events(&query).await.map_err(|error| error.to_string())?;
            same("events", page.rows.len(), n)?;
        }
        let end = it.store.feed_end(it.tenant).await.map_err(|error| error.to_string())?;
        same("whether the feed has an end", end > 0, n > 0)?;
    }
    Ok(())
}

async fn another_tenant_claims_nothing(kit: Kit) -> Outcome {
    fill(&kit).await?;
    for what in [ClaimWhat::Timers, ClaimWhat::Outbox] {
        let claimed = kit.other().claim(what, 10, 10).await?;
        same("leases", (claimed.leases.len(), claimed.next_due), (0, None))?;
        same("the owner's", kit.claim(what, 10, 10).await?.leases.len(), 1)?;
    }
    Ok(())
}

async fn another_tenants_lease_does_not_fit(kit: Kit) -> Outcome {
    let other = kit.other();
    fill(&kit).await?;
    for what in [ClaimWhat::Timers, ClaimWhat::Outbox] {
        let own = kit.claim_one(what, 10).await?.token;
        other.stale(LeaseToken { tenant: other.tenant, ..own }, 10).await?;
        // Nor in a commit, under either name.
        for token in [own, LeaseToken { tenant: other.tenant, ..own }] {
            let mut change = other.change();
            change.done.push(token);
            match other.refused(change).await? {
                StoreError::StaleLease => {}
                error => return Err(format!("should be a stale lease: {error:?}")),
            }
        }
        kit.settled(own, 10, SettleHow::Done).await?;
    }
    Ok(())
}

async fn the_same_ids_are_other_things(kit: Kit) -> Outcome {
    let other = kit.other();
    // Everything of one fits beside the other's: keys, ids, commands, numbers.
    fill(&kit).await?;
    fill(&other).await?;
    let mut changed = ticket(1)?;
    changed.subject = "Of the other".to_owned();
    other.commit(other.put(stream(1), 1, case(changed))).await?;
    same("the version", kit.version(stream(1)).await?, 1)?;
    same("the other's version", other.version(stream(1)).await?, 2)?;
    let mut change = other.change();
    change.unique.push(crate::UniqueOp::Remove { key: domain() });
    change.timers.push(crate::TimerOp::Cancel { stream: stream(1), kind: TimerKind::Snooze });
    other.commit(change).await?;
    let kept = kit.get(RecordKey::Unique(domain())).await?;
    same("whether the key is kept", kept.is_some(), true)?;
    kit.claim_one(ClaimWhat::Timers, 10).await.map(|_| ())
}

async fn lanes_are_each_tenants_own(kit: Kit) -> Outcome {
    let other = kit.other();
    for it in [&kit, &other] {
        super::outbox::queue(it, &[outbox(1, 7, 0)]).await?;
    }
    kit.claim_one(ClaimWhat::Outbox, 0).await?;
    other.claim_one(ClaimWhat::Outbox, 0).await.map(|_| ())
}

async fn housekeeping_touches_one_tenant(kit: Kit) -> Outcome {
    let other = kit.other();
    fill(&kit).await?;
    fill(&other).await?;
    let tenant = other.tenant;
    for (maintain, n) in [
        (Maintain::PurgeCommands { tenant, now: at(999) }, 1),
        (Maintain::Redrive { tenant, ids: vec![id(1)], now: at(1) }, 1),
        (Maintain::PurgeDeadLetters { tenant, before: at(999) }, 0),
    ] {
        let report = kit.store.maintain(&maintain).await.map_err(|error| error.to_string())?;
        same(&format!("{maintain:?}"), report.n_rows, n)?;
    }
    let keys = [RecordKey::Command(CommandId(id(9))), RecordKey::DeadLetter(id(1))];
    let found = kit.store.get(kit.tenant, &keys).await.map_err(|error| error.to_string())?;
    same("what is kept", found.iter().flatten().count(), 2)
}
