//! Commands that were committed before.

use super::Outcome;
use super::kit::{Kit, area, at, case, command, id, outbox, same, stream, ticket};
use crate::{ChangeSet, ClaimWhat, Maintain, StoreError};
use helpdesk_core::case::record::RecordKey;
use helpdesk_core::id::CommandId;

area!("command":
    the_same_command_is_replayed,
    a_replay_comes_before_all_checks,
    another_command_of_the_same_id_is_refused,
    an_expired_command_is_forgotten,
    a_refused_command_is_not_kept,
    expired_commands_are_purged,
);

fn opens(kit: &Kit, n: u64, seconds: i64, sha256: &str) -> Result<ChangeSet, String> {
    let mut change = kit.put(stream(u128::from(n)), 0, case(ticket(n)?));
    change.at = at(seconds);
    change.command = Some(command(9, sha256, seconds + 60));
    Ok(change)
}

async fn the_same_command_is_replayed(kit: Kit) -> Outcome {
    let first = kit.commit(opens(&kit, 1, 0, "aa")?).await?;
    same("the first outcome", first.replayed, None)?;
    let mut again = opens(&kit, 2, 5, "aa")?;
    again.outbox.push(outbox(1, 1, 0));
    let again = kit.commit(again).await?;
    same("the second outcome", again.replayed, Some(command(9, "aa", 60)))?;
    same("versions", again.versions, Vec::new())?;
    same("the position", again.position, None)?;
    same("the version of what it would have made", kit.version(stream(2)).await?, 0)?;
    same("messages", kit.claim(ClaimWhat::Outbox, 9, 9).await?.leases.len(), 0)
}

async fn a_replay_comes_before_all_checks(kit: Kit) -> Outcome {
    kit.commit(opens(&kit, 1, 0, "aa")?).await?;
    // Its expectation holds no more, which does not matter.
    let again = kit.commit(opens(&kit, 1, 0, "aa")?).await?;
    same("the outcome", again.replayed, Some(command(9, "aa", 60)))
}

async fn another_command_of_the_same_id_is_refused(kit: Kit) -> Outcome {
    kit.commit(opens(&kit, 1, 0, "aa")?).await?;
    match kit.refused(opens(&kit, 2, 0, "bb")?).await? {
        StoreError::KeyReused { command_id } => same("the id", command_id, CommandId(id(9)))?,
        other => return Err(format!("should be a reused id: {other:?}")),
    }
    same("the version", kit.version(stream(2)).await?, 0)
}

async fn an_expired_command_is_forgotten(kit: Kit) -> Outcome {
    kit.commit(opens(&kit, 1, 0, "aa")?).await?;
    // It expires at 60, which is no more inside.
    kit.refused(opens(&kit, 2, 59, "bb")?).await?;
    let committed = kit.commit(opens(&kit, 2, 60, "bb")?).await?;
    same("the outcome", committed.replayed, None)?;
    let again = kit.commit(opens(&kit, 3, 61, "bb")?).await?;
    same("the outcome of the new one", again.replayed, Some(command(9, "bb", 120)))
}

async fn a_refused_command_is_not_kept(kit: Kit) -> Outcome {
    let mut lost = opens(&kit, 1, 0, "aa")?;
    for expect in &mut lost.expect {
        expect.version = 3;
    }
    kit.refused(lost).await?;
    let committed = kit.commit(opens(&kit, 1, 0, "bb")?).await?;
    same("the outcome", committed.replayed, None)
}

async fn expired_commands_are_purged(kit: Kit) -> Outcome {
    for (n, expires) in [(1, 10), (2, 20), (3, 30)] {
        let mut change = kit.change();
        change.command = Some(command(n, "aa", expires));
        kit.commit(change).await?;
    }
    let purge = Maintain::PurgeCommands { tenant: kit.tenant, now: at(20) };
    let report = kit.store.maintain(&purge).await.map_err(|error| error.to_string())?;
    same("rows", report.n_rows, 2)?;
    for (n, there) in [(1, false), (2, false), (3, true)] {
        let kept = kit.get(RecordKey::Command(CommandId(id(n)))).await?;
        same("whether it is kept", kept.is_some(), there)?;
    }
    Ok(())
}
