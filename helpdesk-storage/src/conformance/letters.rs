//! Dead letters, and housekeeping.

use super::Outcome;
use super::kit::{Kit, area, at, case, command, id, outbox, same, stream, ticket};
use super::outbox::{ids, queue};
use crate::{ClaimWhat, ListKind, Maintain, SettleHow};
use helpdesk_core::case::record::{DeadLetter, Record, RecordKey, Stored};
use uuid::Uuid;

area!("dead_letters":
    a_dead_letter_says_why,
    dead_letters_are_listed_by_time_of_death,
    redriven_letters_start_anew,
    redriven_letters_go_behind,
    one_letter_is_redriven_alone,
    no_old_lease_fits_a_redriven_letter,
    old_letters_are_purged,
    compacting_keeps_everything,
);

async fn kill(kit: &Kit, now: i64) -> Outcome {
    let lease = kit.claim_one(ClaimWhat::Outbox, now).await?;
    kit.settled(lease.token, now, SettleHow::Dead { error: "gone".to_owned() }).await
}

async fn dead(kit: &Kit) -> Result<Vec<Uuid>, String> {
    let rows = kit.rows(&kit.query(ListKind::DeadLetters, 2)).await?;
    rows.into_iter()
        .map(|row| match row.record {
            Record::DeadLetter(letter) => Ok(letter.message.id),
            other => Err(format!("not a dead letter: {other:?}")),
        })
        .collect()
}

async fn maintain(kit: &Kit, maintain: Maintain) -> Result<u64, String> {
    let report = kit.store.maintain(&maintain).await;
    report.map(|report| report.n_rows).map_err(|error| format!("maintain: {error}"))
}

fn redrive(kit: &Kit, ids: Vec<Uuid>, now: i64) -> Maintain {
    Maintain::Redrive { tenant: kit.tenant, ids, now: at(now) }
}

async fn a_dead_letter_says_why(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0)]).await?;
    for now in [0, 10] {
        let lease = kit.claim_one(ClaimWhat::Outbox, now).await?;
        let retry = SettleHow::Retry { at: at(now + 10), error: "busy".to_owned() };
        kit.settled(lease.token, now, retry).await?;
    }
    kill(&kit, 20).await?;
    let letter = DeadLetter {
        message: outbox(1, 7, 0).message,
        attempts: 3,
        died_at: at(20),
        error: "gone".to_owned(),
    };
    let wanted = Stored { version: 0, record: Record::DeadLetter(Box::new(letter)) };
    let kept = kit.get(RecordKey::DeadLetter(id(1))).await?;
    same("the letter", kept.as_ref(), Some(&wanted))?;
    let page = kit.page(&kit.query(ListKind::DeadLetters, 10)).await?;
    same("the list", page.rows, vec![wanted])?;
    let left = kit.claim(ClaimWhat::Outbox, 999, 10).await?;
    same("what is left", (left.leases.len(), left.next_due), (0, None))
}

/// Letters 1 to 5: 3 and 4 die at 10, 1 and 2 at 20, 5 at 30.
async fn five(kit: &Kit) -> Outcome {
    for (n, now) in [(4, 10), (3, 10), (1, 20), (2, 20), (5, 30)] {
        queue(kit, &[outbox(n, n, 0)]).await?;
        kill(kit, now).await?;
    }
    Ok(())
}

async fn dead_letters_are_listed_by_time_of_death(kit: Kit) -> Outcome {
    five(&kit).await?;
    same("letters", dead(&kit).await?, [3, 4, 1, 2, 5].map(id).into())
}

async fn redriven_letters_start_anew(kit: Kit) -> Outcome {
    five(&kit).await?;
    same("rows", maintain(&kit, redrive(&kit, Vec::new(), 40)).await?, 5)?;
    same("letters", dead(&kit).await?, Vec::new())?;
    let early = kit.claim(ClaimWhat::Outbox, 39, 10).await?;
    same("before", (early.leases.len(), early.next_due), (0, Some(at(40))))?;
    let claimed = kit.claim(ClaimWhat::Outbox, 40, 10).await?;
    same("messages", ids(&claimed), [3, 4, 1, 2, 5].map(id).into())?;
    let attempts: Vec<u32> = claimed.leases.iter().map(|lease| lease.attempts).collect();
    same("attempts", attempts, vec![1; 5])
}

async fn redriven_letters_go_behind(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0)]).await?;
    kill(&kit, 0).await?;
    queue(&kit, &[outbox(2, 7, 0)]).await?;
    maintain(&kit, redrive(&kit, Vec::new(), 5)).await?;
    let first = kit.claim(ClaimWhat::Outbox, 9, 10).await?;
    same("the first", ids(&first), vec![id(2)])?;
    kit.settled(first.leases[0].token, 9, SettleHow::Done).await?;
    same("the second", ids(&kit.claim(ClaimWhat::Outbox, 9, 10).await?), vec![id(1)])
}

async fn one_letter_is_redriven_alone(kit: Kit) -> Outcome {
    five(&kit).await?;
    let some = redrive(&kit, vec![id(1), id(99)], 40);
    same("rows", maintain(&kit, some.clone()).await?, 1)?;
    same("letters", dead(&kit).await?, [3, 4, 2, 5].map(id).into())?;
    same("rows of the same again", maintain(&kit, some).await?, 0)
}

async fn no_old_lease_fits_a_redriven_letter(kit: Kit) -> Outcome {
    queue(&kit, &[outbox(1, 7, 0)]).await?;
    let old = kit.claim_one(ClaimWhat::Outbox, 0).await?;
    kit.settled(old.token, 0, SettleHow::Dead { error: "gone".to_owned() }).await?;
    maintain(&kit, redrive(&kit, vec![id(1)], 5)).await?;
    kit.stale(old.token, 5).await?;
    let new = kit.claim_one(ClaimWhat::Outbox, 5).await?;
    kit.stale(old.token, 5).await?;
    kit.settled(new.token, 5, SettleHow::Done).await
}

async fn old_letters_are_purged(kit: Kit) -> Outcome {
    five(&kit).await?;
    let purge = Maintain::PurgeDeadLetters { tenant: kit.tenant, before: at(20) };
    same("rows", maintain(&kit, purge).await?, 2)?;
    same("letters", dead(&kit).await?, [1, 2, 5].map(id).into())
}

async fn compacting_keeps_everything(kit: Kit) -> Outcome {
    let mut change = kit.put(stream(1), 0, case(ticket(1)?));
    change.command = Some(command(9, "aa", 60));
    change.outbox.push(outbox(1, 7, 0));
    kit.commit(change).await?;
    maintain(&kit, Maintain::Compact).await?;
    same("the version", kit.version(stream(1)).await?, 1)?;
    kit.claim_one(ClaimWhat::Outbox, 0).await.map(|_| ())
}
