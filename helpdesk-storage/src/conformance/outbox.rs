//! The outbox.

use super::Outcome;
use super::kit::{Kit, area, at, id, invalid, outbox, same};
use crate::{ClaimWhat, Claimed, LeaseBody, LeasedThing, NewOutbox, SettleHow};
use uuid::Uuid;

area!("outbox":
    messages_come_by_time_as_they_were_committed,
    only_the_first_of_a_lane_is_claimed,
    a_leased_first_holds_its_lane,
    a_first_to_be_tried_again_holds_its_lane,
    a_first_in_the_future_holds_its_lane,
    waiting_messages_have_no_due_time,
    the_next_of_a_lane_follows,
    a_commit_finishes_a_message,
    an_id_is_taken_once,
    a_lease_that_ended_is_taken_by_another,
);

pub(super) async fn queue(kit: &Kit, messages: &[NewOutbox]) -> Outcome {
    let mut change = kit.change();
    change.outbox = messages.to_vec();
    kit.commit(change).await.map(|_| ())
}

pub(super) fn ids(claimed: &Claimed) -> Vec<Uuid> {
    let id = |lease: &crate::Lease| match lease.token.thing {
        LeasedThing::Outbox { id } => id,
        LeasedThing::Timer { .. } => Uuid::nil(),
    };
    claimed.leases.iter().map(id).collect()
}

async fn claim(kit: &Kit, now: i64) -> Result<Claimed, String> {
    kit.claim(ClaimWhat::Outbox, now, 10).await
}

async fn messages_come_by_time_as_they_were_committed(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(3, 3, 9), outbox(2, 2, 5), outbox(1, 1, 5)]).await?;
    let claimed = claim(&kit, 9).await?;
    same("messages", ids(&claimed), vec![id(2), id(1), id(3)])?;
    let wanted = LeaseBody::Outbox(Box::new(outbox(2, 2, 5).message));
    same("the message", &claimed.leases[0].body, &wanted)?;
    let first = claimed.leases[0].token;
    same("its numbers", (first.generation, first.attempt), (0, 1))?;
    same("when the next is due", claimed.next_due, None)
}

async fn only_the_first_of_a_lane_is_claimed(kit: Kit) -> Outcome {
    // The order of commit counts, not the time.
    queue(&kit, &[outbox(1, 7, 5), outbox(2, 7, 3)]).await?;
    queue(&kit, &[outbox(3, 8, 4), outbox(4, 7, 1)]).await?;
    same("messages", ids(&claim(&kit, 9).await?), vec![id(3), id(1)])
}

async fn a_leased_first_holds_its_lane(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0), outbox(2, 7, 0)]).await?;
    claim(&kit, 0).await?;
    let claimed = claim(&kit, 59).await?;
    same("messages", (ids(&claimed), claimed.next_due), (vec![], Some(at(60))))
}

async fn a_first_to_be_tried_again_holds_its_lane(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0), outbox(2, 7, 0)]).await?;
    let first = kit.claim_one(ClaimWhat::Outbox, 0).await?;
    let retry = SettleHow::Retry { at: at(100), error: "busy".to_owned() };
    kit.settled(first.token, 1, retry).await?;
    let claimed = claim(&kit, 99).await?;
    same("messages", (ids(&claimed), claimed.next_due), (vec![], Some(at(100))))?;
    same("messages", ids(&claim(&kit, 100).await?), vec![id(1)])
}

async fn a_first_in_the_future_holds_its_lane(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 50), outbox(2, 7, 0)]).await?;
    let claimed = claim(&kit, 49).await?;
    same("messages", (ids(&claimed), claimed.next_due), (vec![], Some(at(50))))
}

async fn waiting_messages_have_no_due_time(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0), outbox(2, 7, 0), outbox(3, 8, 500)]).await?;
    let claimed = claim(&kit, 0).await?;
    same("when the next is due", claimed.next_due, Some(at(500)))
}

async fn the_next_of_a_lane_follows(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0), outbox(2, 7, 20), outbox(3, 7, 0)]).await?;
    let first = kit.claim_one(ClaimWhat::Outbox, 0).await?;
    kit.settled(first.token, 1, SettleHow::Done).await?;
    let claimed = claim(&kit, 19).await?;
    same("messages", (ids(&claimed), claimed.next_due), (vec![], Some(at(20))))?;
    let second = kit.claim_one(ClaimWhat::Outbox, 20).await?;
    kit.settled(second.token, 21, SettleHow::Dead { error: "no".to_owned() }).await?;
    same("messages", ids(&claim(&kit, 21).await?), vec![id(3)])
}

async fn a_commit_finishes_a_message(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0), outbox(2, 7, 0)]).await?;
    let first = kit.claim_one(ClaimWhat::Outbox, 0).await?;
    let mut change = kit.change();
    change.done.push(first.token);
    kit.commit(change).await?;
    kit.stale(first.token, 1).await?;
    same("messages", ids(&claim(&kit, 1).await?), vec![id(2)])
}

async fn an_id_is_taken_once(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0)]).await?;
    let mut change = kit.change();
    change.outbox = vec![outbox(1, 8, 0)];
    invalid("an id that is there", kit.store.commit(change).await)?;
    let mut change = kit.change();
    change.outbox = vec![outbox(2, 7, 0), outbox(2, 7, 0)];
    invalid("an id given twice", kit.store.commit(change).await)?;
    let first = kit.claim_one(ClaimWhat::Outbox, 0).await?;
    let mut change = kit.change();
    change.done.push(first.token);
    change.outbox = vec![outbox(1, 8, 0)];
    invalid("an id that is done in the same commit", kit.store.commit(change).await)?;
    kit.settled(first.token, 1, SettleHow::Release).await?;
    same("messages", ids(&claim(&kit, 1).await?), vec![id(1)])
}

async fn a_lease_that_ended_is_taken_by_another(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0)]).await?;
    let first = kit.claim_one(ClaimWhat::Outbox, 0).await?;
    let second = kit.claim_one(ClaimWhat::Outbox, 60).await?;
    same("its attempts", (second.token.attempt, second.attempts), (2, 2))?;
    kit.stale(first.token, 61).await?;
    kit.settled(second.token, 61, SettleHow::Done).await
}
