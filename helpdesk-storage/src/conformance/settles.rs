//! How leases end.

use super::Outcome;
use super::kit::{Kit, area, at, id, outbox, same, set, stream};
use super::outbox::queue;
use crate::{ClaimWhat, LeaseBody, LeaseToken, Settle, SettleHow, StoreError};
use helpdesk_core::event::TimerKind;

area!("settle":
    what_is_done_is_gone,
    a_retry_waits_and_counts,
    a_retried_timer_keeps_its_due_time,
    an_extended_lease_stands_longer,
    a_released_lease_does_not_count,
    a_released_lease_never_fits_again,
    a_snoozed_lease_waits_and_does_not_count,
    a_snoozed_timer_keeps_its_due_time,
    a_dead_timer_is_gone,
    settlements_are_each_for_itself,
    what_was_never_leased_cannot_be_settled,
);

const BOTH: [ClaimWhat; 2] = [ClaimWhat::Timers, ClaimWhat::Outbox];

/// A timer and a message, both due at 0.
async fn work(kit: &Kit) -> Outcome {
    let mut change = kit.change();
    change.timers.push(set(stream(1), TimerKind::Snooze, 0));
    kit.commit(change).await?;
    queue(kit, &[outbox(1, 7, 0)]).await
}

fn retry(seconds: i64) -> SettleHow {
    SettleHow::Retry { at: at(seconds), error: "busy".to_owned() }
}

async fn what_is_done_is_gone(kit: Kit) -> Outcome {
    work(&kit).await?;
    for what in BOTH {
        let lease = kit.claim_one(what, 0).await?;
        kit.settled(lease.token, 1, SettleHow::Done).await?;
        kit.stale(lease.token, 1).await?;
        let left = kit.claim(what, 999, 10).await?;
        same("what is left", (left.leases.len(), left.next_due), (0, None))?;
    }
    Ok(())
}

async fn a_retry_waits_and_counts(kit: Kit) -> Outcome {
    work(&kit).await?;
    for what in BOTH {
        let first = kit.claim_one(what, 0).await?;
        kit.settled(first.token, 1, retry(30)).await?;
        kit.stale(first.token, 2).await?;
        let early = kit.claim(what, 29, 10).await?;
        same("before", (early.leases.len(), early.next_due), (0, Some(at(30))))?;
        let second = kit.claim_one(what, 30).await?;
        same("its attempts", (second.token.attempt, second.attempts), (2, 2))?;
    }
    Ok(())
}

async fn a_retried_timer_keeps_its_due_time(kit: Kit) -> Outcome {
    work(&kit).await?;
    let first = kit.claim_one(ClaimWhat::Timers, 0).await?;
    kit.settled(first.token, 1, retry(30)).await?;
    let second = kit.claim_one(ClaimWhat::Timers, 30).await?;
    match second.body {
        LeaseBody::Timer { due_at, .. } => same("its due time", due_at, at(0)),
        LeaseBody::Outbox(_) => Err("not a timer".to_owned()),
    }
}

async fn an_extended_lease_stands_longer(kit: Kit) -> Outcome {
    work(&kit).await?;
    for what in BOTH {
        let lease = kit.claim_one(what, 0).await?;
        let extend = SettleHow::Extend { lease_seconds: 60 };
        kit.settled(lease.token, 50, extend).await?;
        let early = kit.claim(what, 109, 10).await?;
        same("while it stands", (early.leases.len(), early.next_due), (0, Some(at(110))))?;
        kit.settled(lease.token, 109, SettleHow::Done).await?;
    }
    Ok(())
}

async fn a_released_lease_does_not_count(kit: Kit) -> Outcome {
    work(&kit).await?;
    for what in BOTH {
        for _ in 0..3 {
            let lease = kit.claim_one(what, 5).await?;
            same("its attempts", lease.attempts, 1)?;
            kit.settled(lease.token, 6, SettleHow::Release).await?;
        }
        let first = kit.claim_one(what, 6).await?;
        kit.settled(first.token, 6, retry(7)).await?;
        same("attempts", kit.claim_one(what, 7).await?.attempts, 2)?;
    }
    Ok(())
}

async fn a_released_lease_never_fits_again(kit: Kit) -> Outcome {
    work(&kit).await?;
    for what in BOTH {
        let first = kit.claim_one(what, 0).await?;
        kit.settled(first.token, 1, SettleHow::Release).await?;
        kit.stale(first.token, 1).await?;
        let second = kit.claim_one(what, 1).await?;
        kit.stale(first.token, 1).await?;
        kit.settled(second.token, 1, SettleHow::Done).await?;
    }
    Ok(())
}

async fn a_snoozed_lease_waits_and_does_not_count(kit: Kit) -> Outcome {
    work(&kit).await?;
    for what in BOTH {
        let first = kit.claim_one(what, 0).await?;
        kit.settled(first.token, 1, SettleHow::Snooze { until: at(50) }).await?;
        kit.stale(first.token, 2).await?;
        let early = kit.claim(what, 49, 10).await?;
        same("before", (early.leases.len(), early.next_due), (0, Some(at(50))))?;
        let second = kit.claim_one(what, 50).await?;
        same("its attempts", (second.token.attempt, second.attempts), (2, 1))?;
    }
    Ok(())
}

async fn a_snoozed_timer_keeps_its_due_time(kit: Kit) -> Outcome {
    work(&kit).await?;
    let first = kit.claim_one(ClaimWhat::Timers, 0).await?;
    kit.settled(first.token, 1, SettleHow::Snooze { until: at(50) }).await?;
    match kit.claim_one(ClaimWhat::Timers, 50).await?.body {
        LeaseBody::Timer { due_at, .. } => same("its due time", due_at, at(0)),
        LeaseBody::Outbox(_) => Err("not a timer".to_owned()),
    }
}

async fn a_dead_timer_is_gone(kit: Kit) -> Outcome {
    work(&kit).await?;
    let lease = kit.claim_one(ClaimWhat::Timers, 0).await?;
    kit.settled(lease.token, 1, SettleHow::Dead { error: "no".to_owned() }).await?;
    let left = kit.claim(ClaimWhat::Timers, 999, 10).await?;
    same("what is left", (left.leases.len(), left.next_due), (0, None))?;
    let dead = kit.page(&kit.query(crate::ListKind::DeadLetters, 10)).await?;
    same("dead letters", dead.rows.len(), 0)
}

async fn settlements_are_each_for_itself(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 1, 0), outbox(2, 2, 0), outbox(3, 3, 0)]).await?;
    let tokens: Vec<LeaseToken> = kit
        .claim(ClaimWhat::Outbox, 0, 10)
        .await?
        .leases
        .into_iter()
        .map(|lease| lease.token)
        .collect();
    let settle = |token, how| Settle { token, now: at(1), how };
    let settles = vec![
        settle(tokens[0], SettleHow::Done),
        settle(tokens[0], SettleHow::Done),
        settle(LeaseToken { attempt: 9, ..tokens[1] }, SettleHow::Done),
        settle(tokens[2], retry(5)),
    ];
    let results = kit.store.settle(settles).await.map_err(|error| error.to_string())?;
    let well: Vec<bool> = results.iter().map(Result::is_ok).collect();
    same("which stood", well, vec![true, false, false, true])?;
    for result in results {
        match result {
            Ok(()) | Err(StoreError::StaleLease) => {}
            other => return Err(format!("should be a stale lease: {other:?}")),
        }
    }
    let left = kit.claim(ClaimWhat::Outbox, 5, 10).await?;
    same("what is left", super::outbox::ids(&left), vec![id(3)])?;
    let none = kit.store.settle(Vec::new()).await.map_err(|error| error.to_string())?;
    same("results of nothing", none.len(), 0)
}

async fn what_was_never_leased_cannot_be_settled(kit: Kit) -> Outcome {
    work(&kit).await?;
    for what in BOTH {
        let lease = kit.claim_one(what, 0).await?;
        kit.settled(lease.token, 1, SettleHow::Release).await?;
        for attempt in 0..3 {
            kit.stale(LeaseToken { attempt, ..lease.token }, 1).await?;
        }
    }
    Ok(())
}
