//! Unique keys.

use super::Outcome;
use super::kit::{Kit, area, key, same, stream, ticket, ticket_of, unique};
use crate::{StoreError, UniqueOp};
use helpdesk_core::case::record::{RecordKey, UniqueKey};
use helpdesk_core::id::TicketNumber;

area!("unique":
    a_key_finds_its_thing_as_it_stands,
    a_key_of_nothing_finds_nothing,
    anothers_key_is_refused,
    the_same_key_again_is_fine,
    a_key_can_be_taken_from_another,
    removals_come_first,
    removing_what_is_not_there_is_fine,
    kinds_of_keys_are_apart,
    mailboxes_keep_ids_apart,
    keys_are_compared_byte_by_byte,
    one_commit_cannot_give_a_key_to_two,
);

fn domain(text: &str) -> UniqueKey {
    UniqueKey::Domain { domain: text.to_owned() }
}

async fn put(kit: &Kit, ops: Vec<UniqueOp>) -> Result<(), StoreError> {
    let mut change = kit.change();
    change.unique = ops;
    kit.store.commit(change).await.map(|_| ())
}

async fn found(kit: &Kit, key: &UniqueKey) -> Result<Option<u64>, String> {
    let stored = kit.get(RecordKey::Unique(key.clone())).await?;
    stored.map(|stored| Ok(ticket_of(&stored)?.number.n)).transpose()
}

async fn give(kit: &Kit, key: &UniqueKey, n: u128) -> Outcome {
    put(kit, vec![unique(key, stream(n))]).await.map_err(|error| error.to_string())
}

async fn two(kit: &Kit) -> Outcome {
    kit.open([ticket(1)?, ticket(2)?]).await
}

async fn a_key_finds_its_thing_as_it_stands(kit: Kit) -> Outcome {
    two(&kit).await?;
    give(&kit, &domain("a"), 1).await?;
    kit.commit(kit.put(stream(1), 1, super::kit::case(ticket(1)?))).await?;
    let stored = kit.get(RecordKey::Unique(domain("a"))).await?;
    same("the version", stored.map(|stored| stored.version), Some(2))
}

async fn a_key_of_nothing_finds_nothing(kit: Kit) -> Outcome {
    give(&kit, &domain("a"), 1).await?;
    same("the ticket", found(&kit, &domain("a")).await?, None)
}

async fn anothers_key_is_refused(kit: Kit) -> Outcome {
    two(&kit).await?;
    give(&kit, &domain("a"), 1).await?;
    match put(&kit, vec![unique(&domain("b"), stream(2)), unique(&domain("a"), stream(2))]).await {
        Err(StoreError::DuplicateKey { key }) => same("the key", key, domain("a"))?,
        other => return Err(format!("should be a duplicate: {other:?}")),
    }
    same("the owner", found(&kit, &domain("a")).await?, Some(1))?;
    same("the other key's owner", found(&kit, &domain("b")).await?, None)
}

async fn the_same_key_again_is_fine(kit: Kit) -> Outcome {
    two(&kit).await?;
    give(&kit, &domain("a"), 1).await?;
    give(&kit, &domain("a"), 1).await?;
    same("the owner", found(&kit, &domain("a")).await?, Some(1))
}

async fn a_key_can_be_taken_from_another(kit: Kit) -> Outcome {
    two(&kit).await?;
    give(&kit, &domain("a"), 1).await?;
    let op = UniqueOp::Put { key: domain("a"), stream: stream(2), replace: true };
    put(&kit, vec![op]).await.map_err(|error| error.to_string())?;
    same("the owner", found(&kit, &domain("a")).await?, Some(2))
}

async fn removals_come_first(kit: Kit) -> Outcome {
    two(&kit).await?;
    give(&kit, &domain("a"), 1).await?;
    let ops = vec![unique(&domain("a"), stream(2)), UniqueOp::Remove { key: domain("a") }];
    put(&kit, ops).await.map_err(|error| error.to_string())?;
    same("the owner", found(&kit, &domain("a")).await?, Some(2))
}

async fn removing_what_is_not_there_is_fine(kit: Kit) -> Outcome {
    two(&kit).await?;
    give(&kit, &domain("a"), 1).await?;
    for _ in 0..2 {
        put(&kit, vec![UniqueOp::Remove { key: domain("a") }])
            .await
            .map_err(|error| error.to_string())?;
        same("the owner", found(&kit, &domain("a")).await?, None)?;
    }
    give(&kit, &domain("a"), 2).await
}

async fn kinds_of_keys_are_apart(kit: Kit) -> Outcome {
    let number: TicketNumber = "7".parse().map_err(|_| "a number")?;
    let text = || "7".to_owned();
    let keys = [
        UniqueKey::Number { number },
        UniqueKey::Identity { key: text() },
        UniqueKey::Domain { domain: text() },
        UniqueKey::Message { mailbox: None, external_id: text() },
        UniqueKey::Thread { mailbox: None, thread_key: text() },
        UniqueKey::Imported { external_id: text() },
    ];
    for (n, key) in (1..).zip(&keys) {
        kit.open([ticket(n)?]).await?;
        give(&kit, key, u128::from(n)).await?;
    }
    for (n, key) in (1..).zip(&keys) {
        same("the owner", found(&kit, key).await?, Some(n))?;
    }
    Ok(())
}

async fn mailboxes_keep_ids_apart(kit: Kit) -> Outcome {
    two(&kit).await?;
    let in_mailbox = |mailbox| UniqueKey::Message { mailbox, external_id: "<1@a>".to_owned() };
    give(&kit, &in_mailbox(Some(key("sales")?)), 1).await?;
    give(&kit, &in_mailbox(Some(key("help")?)), 2).await?;
    same("in none", found(&kit, &in_mailbox(None)).await?, None)?;
    same("in the first", found(&kit, &in_mailbox(Some(key("sales")?))).await?, Some(1))
}

async fn keys_are_compared_byte_by_byte(kit: Kit) -> Outcome {
    let texts = ["a", "A", "a ", "ä", "a\u{308}", "a\u{0}b", "a\u{0}c", "%", "'"];
    for (n, text) in (1..).zip(texts) {
        kit.open([ticket(n)?]).await?;
        give(&kit, &domain(text), u128::from(n)).await?;
    }
    for (n, text) in (1..).zip(texts) {
        same("the owner", found(&kit, &domain(text)).await?, Some(n))?;
    }
    Ok(())
}

async fn one_commit_cannot_give_a_key_to_two(kit: Kit) -> Outcome {
    two(&kit).await?;
    match put(&kit, vec![unique(&domain("a"), stream(1)), unique(&domain("a"), stream(2))]).await {
        Err(StoreError::DuplicateKey { .. }) => {}
        other => return Err(format!("should be a duplicate: {other:?}")),
    }
    same("the owner", found(&kit, &domain("a")).await?, None)
}
