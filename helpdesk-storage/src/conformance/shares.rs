//! Each tenant's share of a claim.

use super::kit::{Kit, area, at, id, outbox, same, set, stream};
use super::outbox::queue;
use super::{Need, Outcome};
use crate::{ClaimParams, ClaimWhat, Claimed};
use helpdesk_core::event::TimerKind;
use helpdesk_core::id::TenantId;

area!("shares" needs Need::Shares =>
    a_tenant_gets_no_more_than_its_share,
    what_is_beyond_a_share_is_due_next,
    the_next_claim_goes_on_with_the_rest,
    a_share_is_of_those_that_are_due,
    a_claim_is_full_before_shares_are,
    a_great_backlog_does_not_hold_up_another,
);

const BOTH: [ClaimWhat; 2] = [ClaimWhat::Timers, ClaimWhat::Outbox];

/// Timers and messages of a tenant, due at these seconds.
async fn work(kit: &Kit, seconds: &[i64]) -> Outcome {
    let mut change = kit.change();
    let mut messages = Vec::new();
    for (n, second) in (1..).zip(seconds) {
        change.timers.push(set(stream(n), TimerKind::Snooze, *second));
        messages.push(outbox(n, n, *second));
    }
    kit.commit(change).await?;
    queue(kit, &messages).await
}

async fn claim(
    kit: &Kit,
    what: ClaimWhat,
    now: i64,
    max: usize,
    share: usize,
) -> Result<Claimed, String> {
    let params = ClaimParams::new(what, at(now), max).with_share(share);
    kit.store.claim(&params).await.map_err(|error| format!("claim: {error}"))
}

fn whose(claimed: &Claimed) -> Vec<TenantId> {
    claimed.leases.iter().map(|lease| lease.token.tenant).collect()
}

async fn a_tenant_gets_no_more_than_its_share(kit: Kit) -> Outcome {
    let (a, b) = (kit.tenant, kit.other().tenant);
    work(&kit, &[1, 2, 3, 4]).await?;
    work(&kit.other(), &[5, 6]).await?;
    for what in BOTH {
        let claimed = claim(&kit, what, 9, 10, 2).await?;
        same("tenants", whose(&claimed), vec![a, a, b, b])?;
    }
    Ok(())
}

async fn what_is_beyond_a_share_is_due_next(kit: Kit) -> Outcome {
    work(&kit, &[1, 2, 3]).await?;
    work(&kit.other(), &[7]).await?;
    for what in BOTH {
        let claimed = claim(&kit, what, 9, 10, 2).await?;
        same("when the next is due", claimed.next_due, Some(at(3)))?;
    }
    Ok(())
}

async fn the_next_claim_goes_on_with_the_rest(kit: Kit) -> Outcome {
    work(&kit, &[1, 2, 3]).await?;
    for what in BOTH {
        let sizes = [2, 1, 0];
        for n in sizes {
            same("leases", claim(&kit, what, 9, 10, 2).await?.leases.len(), n)?;
        }
    }
    Ok(())
}

async fn a_share_is_of_those_that_are_due(kit: Kit) -> Outcome {
    work(&kit, &[1, 20]).await?;
    work(&kit.other(), &[2, 30]).await?;
    for what in BOTH {
        let claimed = claim(&kit, what, 9, 10, 2).await?;
        same("leases", (claimed.leases.len(), claimed.next_due), (2, Some(at(20))))?;
        same("of none", claim(&kit, what, 9, 10, 0).await?.leases.len(), 0)?;
    }
    Ok(())
}

async fn a_claim_is_full_before_shares_are(kit: Kit) -> Outcome {
    work(&kit, &[1, 3, 5]).await?;
    work(&kit.other(), &[2, 4, 6]).await?;
    let (a, b) = (kit.tenant, kit.other().tenant);
    for what in BOTH {
        let claimed = claim(&kit, what, 9, 3, 2).await?;
        same("tenants", whose(&claimed), vec![a, b, a])?;
        same("when the next is due", claimed.next_due, Some(at(4)))?;
    }
    Ok(())
}

async fn a_great_backlog_does_not_hold_up_another(kit: Kit) -> Outcome {
    let seconds: Vec<i64> = (0..150).collect();
    work(&kit, &seconds).await?;
    work(&kit.other(), &[200]).await?;
    for what in BOTH {
        let claimed = claim(&kit, what, 999, 120, 100).await?;
        same("leases", claimed.leases.len(), 101)?;
        let last = claimed.leases.last().map(|lease| lease.token.tenant);
        same("the last one's tenant", last, Some(TenantId(id(0xB))))?;
    }
    Ok(())
}
