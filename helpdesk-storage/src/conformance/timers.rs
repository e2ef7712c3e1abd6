//! Timers.

use super::Outcome;
use super::kit::{Kit, area, at, id, same, set, so, stream};
use crate::{
    ClaimParams, ClaimWhat, Lease, LeaseBody, LeasedThing, SettleHow, StoreError, TimerOp,
};
use helpdesk_core::event::{StreamId, TimerKind};
use helpdesk_core::id::AgentId;
use uuid::Uuid;

area!("timers":
    timers_come_by_due_time_kind_and_id,
    a_timer_is_due_at_its_instant,
    a_claim_takes_no_more_than_wanted,
    the_next_due_time_is_of_what_is_left,
    a_leased_timer_comes_again_when_the_lease_ends,
    a_timer_set_again_makes_its_lease_stale,
    a_canceled_timer_makes_its_lease_stale,
    generations_grow_for_ever,
    a_timer_moves,
    a_commit_finishes_leases,
    a_commit_with_a_stale_lease_does_nothing,
    a_finished_timer_can_be_set_anew,
    a_lease_cannot_be_finished_twice_in_a_commit,
    tenants_are_claimed_as_wanted,
);

use TimerKind::{AutoClose, Drain, LookAgain, PresenceEnds, Snooze};

async fn timers(kit: &Kit, ops: Vec<TimerOp>) -> Outcome {
    let mut change = kit.change();
    change.timers = ops;
    kit.commit(change).await.map(|_| ())
}

/// What was claimed: the id, its kind and when it was due.
fn body(lease: &Lease) -> Result<(Uuid, TimerKind, chrono::DateTime<chrono::Utc>), String> {
    match (&lease.body, lease.token.thing) {
        (LeaseBody::Timer { stream, kind, due_at }, thing) => {
            let of = LeasedThing::Timer { stream: *stream, kind: *kind };
            same("the token's thing", thing, of)?;
            Ok((stream.id, *kind, *due_at))
        }
        (other, _) => Err(format!("not a timer: {other:?}")),
    }
}

async fn timers_come_by_due_time_kind_and_id(kit: Kit) -> Outcome {
    let agent = StreamId::agent(AgentId(id(9)));
    timers(
        &kit,
        vec![
            set(stream(2), LookAgain, 5),
            set(stream(1), LookAgain, 5),
            set(agent, Drain, 5),
            set(agent, PresenceEnds, 5),
            set(stream(3), Snooze, 5),
            set(stream(3), AutoClose, 4),
        ],
    )
    .await?;
    let claimed = kit.claim(ClaimWhat::Timers, 5, 10).await?;
    let found: Result<Vec<_>, String> = claimed.leases.iter().map(body).collect();
    let wanted = vec![
        (id(3), AutoClose, at(4)),
        (id(9), PresenceEnds, at(5)),
        (id(3), Snooze, at(5)),
        (id(1), LookAgain, at(5)),
        (id(2), LookAgain, at(5)),
        (id(9), Drain, at(5)),
    ];
    same("timers", found?, wanted)?;
    same("when the next is due", claimed.next_due, None)?;
    let whose = claimed.leases.iter().all(|lease| lease.token.tenant == kit.tenant);
    so("all tokens are the tenant's", whose)
}

async fn a_timer_is_due_at_its_instant(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Snooze, 5)]).await?;
    let early = kit.claim(ClaimWhat::Timers, 4, 10).await?;
    same("before", (early.leases.len(), early.next_due), (0, Some(at(5))))?;
    let lease = kit.claim_one(ClaimWhat::Timers, 5).await?;
    same("its generation", lease.token.generation, 1)?;
    same("its attempts", (lease.token.attempt, lease.attempts), (1, 1))
}

async fn a_claim_takes_no_more_than_wanted(kit: Kit) -> Outcome {
    timers(&kit, (1..=5).map(|n| set(stream(n), Snooze, 5 + n as i64)).collect()).await?;
    let none = kit.claim(ClaimWhat::Timers, 99, 0).await?;
    same("of none", (none.leases.len(), none.next_due), (0, Some(at(6))))?;
    for (max, n, next) in
        [(2, 2, Some(at(8))), (2, 2, Some(at(10))), (2, 1, Some(at(159))), (2, 0, Some(at(159)))]
    {
        let claimed = kit.claim(ClaimWhat::Timers, 99, max).await?;
        same("leases", (claimed.leases.len(), claimed.next_due), (n, next))?;
    }
    Ok(())
}

async fn the_next_due_time_is_of_what_is_left(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Snooze, 5), set(stream(2), Snooze, 100)]).await?;
    let claimed = kit.claim(ClaimWhat::Timers, 10, 10).await?;
    same("of what was not claimed", claimed.next_due, Some(at(100)))?;
    let claimed = kit.claim(ClaimWhat::Timers, 10, 10).await?;
    same("of a lease that ends first", claimed.next_due, Some(at(70)))
}

async fn a_leased_timer_comes_again_when_the_lease_ends(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Snooze, 5)]).await?;
    let first = kit.claim_one(ClaimWhat::Timers, 10).await?;
    same("while it is leased", kit.claim(ClaimWhat::Timers, 69, 10).await?.leases.len(), 0)?;
    let second = kit.claim_one(ClaimWhat::Timers, 70).await?;
    same("it is the same timer", body(&second)?, (id(1), Snooze, at(5)))?;
    same("its attempts", (second.token.attempt, second.attempts), (2, 2))?;
    kit.stale(first.token, 71).await?;
    kit.settled(second.token, 71, SettleHow::Done).await?;
    let left = kit.claim(ClaimWhat::Timers, 999, 10).await?;
    same("when it is done", (left.leases.len(), left.next_due), (0, None))
}

async fn a_timer_set_again_makes_its_lease_stale(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Snooze, 5)]).await?;
    let first = kit.claim_one(ClaimWhat::Timers, 10).await?;
    timers(&kit, vec![set(stream(1), Snooze, 5)]).await?;
    kit.stale(first.token, 11).await?;
    let second = kit.claim_one(ClaimWhat::Timers, 11).await?;
    same("its generation", second.token.generation, 2)?;
    same("its attempts", (second.token.attempt, second.attempts), (1, 1))?;
    kit.stale(first.token, 11).await?;
    kit.settled(second.token, 11, SettleHow::Done).await
}

async fn a_canceled_timer_makes_its_lease_stale(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Snooze, 5), set(stream(1), AutoClose, 6)]).await?;
    let lease = kit.claim(ClaimWhat::Timers, 5, 1).await?.leases.pop().ok_or("no lease")?;
    let cancel = TimerOp::Cancel { stream: stream(1), kind: Snooze };
    timers(&kit, vec![cancel, cancel]).await?;
    kit.stale(lease.token, 6).await?;
    let other = kit.claim_one(ClaimWhat::Timers, 999).await?;
    same("the other timer", body(&other)?, (id(1), AutoClose, at(6)))
}

async fn generations_grow_for_ever(kit: Kit) -> Outcome {
    let cancel = TimerOp::Cancel { stream: stream(1), kind: Snooze };
    let mut tokens = Vec::new();
    for round in 0..6 {
        timers(&kit, vec![set(stream(1), Snooze, 0)]).await?;
        let token = kit.claim_one(ClaimWhat::Timers, 10).await?.token;
        for old in &tokens {
            kit.stale(*old, 10).await?;
        }
        so("generations grow", tokens.iter().all(|old| old.generation < token.generation))?;
        tokens.push(token);
        match round % 3 {
            0 => timers(&kit, vec![cancel]).await?,
            1 => kit.settled(token, 10, SettleHow::Done).await?,
            _ => {
                let mut change = kit.change();
                change.done.push(token);
                kit.commit(change).await?;
            }
        }
    }
    Ok(())
}

async fn a_timer_moves(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Snooze, 5), set(stream(1), Snooze, 50)]).await?;
    let early = kit.claim(ClaimWhat::Timers, 49, 10).await?;
    same("leases", (early.leases.len(), early.next_due), (0, Some(at(50))))?;
    timers(&kit, vec![set(stream(1), Snooze, 7)]).await?;
    let lease = kit.claim_one(ClaimWhat::Timers, 7).await?;
    same("the timer", body(&lease)?, (id(1), Snooze, at(7)))?;
    same("its generation", lease.token.generation, 3)
}

async fn a_commit_finishes_leases(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Snooze, 5), set(stream(2), Snooze, 5)]).await?;
    let claimed = kit.claim(ClaimWhat::Timers, 5, 10).await?;
    let mut change = kit.change();
    change.done = claimed.leases.iter().map(|lease| lease.token).collect();
    kit.commit(change).await?;
    let left = kit.claim(ClaimWhat::Timers, 999, 10).await?;
    same("what is left", (left.leases.len(), left.next_due), (0, None))
}

async fn a_commit_with_a_stale_lease_does_nothing(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Snooze, 5), set(stream(2), Snooze, 6)]).await?;
    let claimed = kit.claim(ClaimWhat::Timers, 6, 10).await?;
    kit.settled(claimed.leases[0].token, 6, SettleHow::Done).await?;
    let mut change = kit.put(stream(1), 0, super::kit::case(super::kit::ticket(1)?));
    change.done = claimed.leases.iter().rev().map(|lease| lease.token).collect();
    match kit.refused(change).await? {
        StoreError::StaleLease => {}
        other => return Err(format!("should be a stale lease: {other:?}")),
    }
    same("the version", kit.version(stream(1)).await?, 0)?;
    kit.settled(claimed.leases[1].token, 6, SettleHow::Done).await
}

async fn a_finished_timer_can_be_set_anew(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Drain, 5)]).await?;
    let first = kit.claim_one(ClaimWhat::Timers, 5).await?;
    let mut change = kit.change();
    change.done.push(first.token);
    change.timers.push(set(stream(1), Drain, 6));
    kit.commit(change).await?;
    kit.stale(first.token, 6).await?;
    let second = kit.claim_one(ClaimWhat::Timers, 6).await?;
    same("the timer", body(&second)?, (id(1), Drain, at(6)))
}

async fn a_lease_cannot_be_finished_twice_in_a_commit(kit: Kit) -> Outcome {
    timers(&kit, vec![set(stream(1), Snooze, 5)]).await?;
    let lease = kit.claim_one(ClaimWhat::Timers, 5).await?;
    let mut change = kit.change();
    change.done = vec![lease.token, lease.token];
    match kit.refused(change).await? {
        StoreError::StaleLease => kit.settled(lease.token, 5, SettleHow::Done).await,
        other => Err(format!("should be a stale lease: {other:?}")),
    }
}

async fn tenants_are_claimed_as_wanted(kit: Kit) -> Outcome {
    let other = kit.other();
    timers(&kit, vec![set(stream(1), Snooze, 5)]).await?;
    timers(&other, vec![set(stream(1), Snooze, 6)]).await?;
    let mut params = ClaimParams::new(ClaimWhat::Timers, at(4), 10);
    for (tenants, next) in [
        (None, Some(at(5))),
        (Some(vec![other.tenant]), Some(at(6))),
        (Some(vec![other.tenant, kit.tenant]), Some(at(5))),
        (Some(vec![]), None),
    ] {
        params.tenants = tenants;
        let claimed = kit.store.claim(&params).await.map_err(|error| error.to_string())?;
        same("when the next is due", claimed.next_due, next)?;
    }
    params.now = at(10);
    params.tenants = None;
    let claimed = kit.store.claim(&params).await.map_err(|error| error.to_string())?;
    let whose: Vec<_> = claimed.leases.iter().map(|lease| lease.token.tenant).collect();
    same("tenants", whose, vec![kit.tenant, other.tenant])
}
