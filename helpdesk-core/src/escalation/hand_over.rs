//! To whom a step hands a ticket over.

use super::chain::{HandedOver, Owner};
use super::reason::Reason;
use super::scene::Scene;
use super::step::HandOverTo;
use super::tier;
use crate::id::Key;
use crate::ticket::Ticket;

/// Where a ticket goes that is handed over. `tiers` that it skips are told.
pub(super) fn hand_over(to: &HandOverTo, scene: &Scene<'_>) -> Result<HandedOver, Reason> {
    let ticket = scene.ticket;
    let over = match to {
        HandOverTo::Group { key } => to_group(key.clone(), ticket),
        HandOverTo::Tier { key } => to_tier(key, scene)?,
        HandOverTo::NextTier => {
            let next = tier::after(&scene.escalations.tiers, scene.tier);
            to_tier(&next.ok_or(Reason::NoNextTier)?.def.key, scene)?
        }
    };
    let same_tier = over.tier.is_none() || over.tier.as_ref() == scene.tier;
    if same_tier && ticket.group.as_ref() == Some(&over.group) {
        return Err(Reason::AlreadyThere);
    }
    Ok(over)
}

/// Who has a ticket now.
pub(super) fn owner_of(ticket: &Ticket) -> Owner {
    Owner { tier: ticket.tier.clone(), group: ticket.group.clone(), assignee: ticket.assignee }
}

fn to_group(group: Key, ticket: &Ticket) -> HandedOver {
    HandedOver {
        from: owner_of(ticket),
        tier: None,
        group,
        skipped: Vec::new(),
        skills: Vec::new(),
        assignee: None,
        watcher: ticket.last_answered_by.or(ticket.assignee),
    }
}

fn to_tier(key: &Key, scene: &Scene<'_>) -> Result<HandedOver, Reason> {
    let entered = tier::enter(&scene.escalations.tiers, key, scene.facts);
    let entered = entered.ok_or(Reason::TierGone)?;
    let def = &entered.tier.def;
    let group = def.group.clone().ok_or(Reason::TierGone)?;
    Ok(HandedOver {
        tier: Some(def.key.clone()),
        skipped: entered.skipped,
        skills: def.skills.clone(),
        ..to_group(group, scene.ticket)
    })
}
