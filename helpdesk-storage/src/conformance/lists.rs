//! Which rows a list has: scopes, shelves, conditions, and lists of other things.

use super::Outcome;
use super::kit::{
    Kit, Random, area, at, case, contact, id, invalid, key, message, nonsense, organization, same,
    so, stream, ticket, ticket_id,
};
use crate::{CountBy, CountQuery, Expect, ListKind, Shelf};
use helpdesk_core::access::scope::Scope;
use helpdesk_core::calendar::{BundledZones, CalendarDef, LocalSpan, WeeklyHours};
use helpdesk_core::case::record::{ConfigRecord, Record};
use helpdesk_core::condition::{Condition, Schema, Terms};
use helpdesk_core::event::{StreamId, StreamKind};
use helpdesk_core::id::{AgentId, ContactId, Key, OrganizationId};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::ticket::priority::Priority;
use helpdesk_core::ticket::status::StatusCategory;
use helpdesk_core::ticket::{Follower, Ticket};
use serde_json::json;
use uuid::Uuid;

area!("list":
    a_scope_lists_what_it_permits,
    a_scope_of_very_many_lists_what_it_permits,
    a_changed_ticket_changes_lists,
    shelves_keep_spam_and_deleted_apart,
    a_condition_lists_what_it_holds_on,
    a_condition_asks_the_calendars_of_the_query,
    a_condition_sees_requester_organization_and_text,
    things_are_listed_by_id,
    messages_are_listed_by_number,
    configurations_are_listed_newest_first,
    a_list_page_has_a_row_and_at_most_a_thousand,
    a_cursor_of_another_list_is_refused,
);

pub(super) fn some_ids(from: u128, n: u128) -> Vec<Uuid> {
    (from..from + n).map(id).collect()
}

pub(super) fn some_keys() -> Result<Vec<Key>, String> {
    ["billing", "it", "sales"].into_iter().map(key).collect()
}

/// A ticket with everything that lists look at drawn at random.
pub(super) fn any_ticket(random: &mut Random, n: u64) -> Result<Ticket, String> {
    let mut it = ticket(n)?;
    let second = |random: &mut Random| at(i64::try_from(random.below(20)).unwrap_or(0));
    it.requester = ContactId(id(u128::from(random.below(4))));
    it.organization = random.maybe(&some_ids(20, 3)).map(OrganizationId);
    it.group = random.maybe(&some_keys()?);
    it.queue = random.maybe(&some_keys()?);
    it.assignee = random.maybe(&some_ids(30, 3)).map(AgentId);
    it.priority = random.maybe(Priority::ALL);
    let category = random.below(6);
    it.category = StatusCategory::ALL[usize::try_from(category).unwrap_or(0)];
    it.status = key(["b", "a", "d", "c"][usize::try_from(random.below(4)).unwrap_or(0)])?;
    it.number.n = random.below(30);
    it.times.created_at = second(random);
    it.times.updated_at = second(random);
    it.times.last_requester_at = (random.below(3) > 0).then(|| second(random));
    it.spam = random.below(8) == 0;
    it.deleted = random.below(8) == 0;
    for contact in some_ids(0, 6) {
        if random.below(6) == 0 {
            it.followers.push(Follower::Contact { id: ContactId(contact) });
        }
    }
    it.followers
        .extend(random.maybe(&some_ids(0, 4)).map(|id| Follower::Agent { id: AgentId(id) }));
    it.followers.sort_unstable();
    Ok(it)
}

/// A scope drawn at random.
pub(super) fn any_scope(random: &mut Random, depth: u32) -> Result<Scope, String> {
    let one = |random: &mut Random, from| id(from + u128::from(random.below(5)));
    let kinds = if depth == 0 { 8 } else { 10 };
    Ok(match random.below(kinds) {
        0 => Scope::None,
        1 => Scope::All,
        2 => Scope::Requester(ContactId(one(random, 0))),
        3 => Scope::Participant(ContactId(one(random, 0))),
        4 => {
            let ids = some_ids(20, 4).into_iter().map(OrganizationId);
            Scope::Organizations(ids.filter(|_| random.below(2) == 0).collect())
        }
        5 => {
            let keys = some_keys()?.into_iter();
            Scope::Groups(keys.filter(|_| random.below(2) == 0).collect())
        }
        6 => Scope::NoGroup,
        7 => Scope::Assigned(AgentId(one(random, 30))),
        kind => {
            let n = random.below(4);
            let parts: Result<Vec<_>, String> =
                (0..n).map(|_| any_scope(random, depth - 1)).collect();
            if kind == 8 { Scope::And(parts?) } else { Scope::Or(parts?) }
        }
    })
}

/// Tickets drawn at random, stored.
pub(super) async fn any_tickets(kit: &Kit, random: &mut Random) -> Result<Vec<Ticket>, String> {
    let tickets: Result<Vec<_>, String> = (1..=60).map(|n| any_ticket(random, n)).collect();
    let tickets = tickets?;
    kit.open(tickets.clone()).await?;
    Ok(tickets)
}

/// The ids of those wanted, by number and then id.
pub(super) fn ids_of<'a>(tickets: impl Iterator<Item = &'a Ticket>) -> Vec<Uuid> {
    let mut found: Vec<_> = tickets.map(|it| (it.number.n, it.id.0)).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, id)| id).collect()
}

async fn a_scope_lists_what_it_permits(kit: Kit) -> Outcome {
    let mut random = Random(1);
    let tickets = any_tickets(&kit, &mut random).await?;
    for round in 0..200_usize {
        let mut query = kit.query(ListKind::Cases(Shelf::All), 1 + round % 30);
        query.scope = any_scope(&mut random, 3)?;
        let wanted = ids_of(tickets.iter().filter(|it| query.scope.permits(it)));
        same(&format!("{:?}", query.scope), kit.tickets(&query).await?, wanted)?;
    }
    Ok(())
}

async fn a_scope_of_very_many_lists_what_it_permits(kit: Kit) -> Outcome {
    let mut random = Random(2);
    let tickets = any_tickets(&kit, &mut random).await?;
    let many: Vec<Scope> = (0..2_000).map(|n| Scope::Requester(ContactId(id(3 + n)))).collect();
    let organizations = some_ids(22, 40_000).into_iter().map(OrganizationId).collect();
    let mut deep = Scope::NoGroup;
    for n in 0..30 {
        let more = Scope::Assigned(AgentId(id(30 + n % 3)));
        deep = if n % 2 == 0 { Scope::Or(vec![deep, more]) } else { Scope::And(vec![deep, more]) };
    }
    for scope in [Scope::Or(many), Scope::Organizations(organizations), deep] {
        let mut query = kit.query(ListKind::Cases(Shelf::All), 7);
        query.scope = scope;
        let wanted = ids_of(tickets.iter().filter(|it| query.scope.permits(it)));
        same("the tickets", kit.tickets(&query).await?, wanted)?;
    }
    Ok(())
}

async fn a_changed_ticket_changes_lists(kit: Kit) -> Outcome {
    let mut random = Random(3);
    let mut tickets = any_tickets(&kit, &mut random).await?;
    for n in 0..20_u64 {
        let at = usize::try_from(random.below(60)).unwrap_or(0);
        let stream = StreamId::case(tickets[at].id);
        let changed = any_ticket(&mut random, at as u64 + 1)?;
        let version = kit.version(stream).await?;
        kit.commit(kit.put(stream, version, case(changed.clone()))).await?;
        tickets[at] = changed;
        let mut query = kit.query(ListKind::Cases(Shelf::All), 10 + n as usize);
        query.scope = any_scope(&mut random, 2)?;
        let wanted = ids_of(tickets.iter().filter(|it| query.scope.permits(it)));
        same(&format!("{:?}", query.scope), kit.tickets(&query).await?, wanted)?;
    }
    Ok(())
}

async fn shelves_keep_spam_and_deleted_apart(kit: Kit) -> Outcome {
    let tickets = any_tickets(&kit, &mut Random(4)).await?;
    for (shelf, lies) in [
        (Shelf::Live, (|it| !it.spam && !it.deleted) as fn(&Ticket) -> bool),
        (Shelf::Spam, |it| it.spam && !it.deleted),
        (Shelf::Deleted, |it| it.deleted),
        (Shelf::All, |_| true),
    ] {
        let wanted = ids_of(tickets.iter().filter(|it| lies(it)));
        let query = kit.query(ListKind::Cases(shelf), 5);
        same(&format!("{shelf:?}"), kit.tickets(&query).await?, wanted)?;
    }
    Ok(())
}

/// A condition.
pub(super) fn condition(source: &serde_json::Value) -> Result<Condition, String> {
    Condition::parse(source, &Schema::default()).map_err(|faults| format!("{source}: {faults:?}"))
}

async fn a_condition_lists_what_it_holds_on(kit: Kit) -> Outcome {
    let tickets = any_tickets(&kit, &mut Random(5)).await?;
    let (now, terms) = (at(10), Terms::default());
    for source in [
        json!({"field": "priority", "in": ["high", "urgent"]}),
        json!({"field": "priority", "is_not": "low"}),
        json!({"field": "priority", "not_in": ["low", "normal"]}),
        json!({"field": "group", "is": "it"}),
        json!({"field": "group", "unset": true}),
        json!({"field": "assignee", "set": true}),
        json!({"field": "assignee", "is": id(31).to_string()}),
        json!({"field": "requester", "in": [id(1).to_string(), id(2).to_string()]}),
        json!({"field": "organization", "is": id(21).to_string()}),
        json!({"field": "status", "in": ["a", "b"]}),
        json!({"field": "status_category", "not_in": ["solved", "closed"]}),
        json!({"all": [
            {"field": "status_category", "in": ["new", "open", "pending"]},
            {"any": [{"field": "priority", "is": "urgent"}, {"field": "group", "is": "sales"}]},
        ]}),
        json!({"not": {"field": "group", "is": "billing"}}),
    ] {
        let condition = condition(&source)?;
        let facts = |it: &Ticket| {
            helpdesk_core::case::facts::holds(&condition, it, Default::default(), now, &terms)
        };
        for limit in [1, 7, 100] {
            let mut query = kit.query(ListKind::Cases(Shelf::Live), limit);
            query.condition = condition.clone();
            query.now = now;
            let wanted = ids_of(tickets.iter().filter(|it| it.is_live() && facts(it)));
            same(&source.to_string(), kit.tickets(&query).await?, wanted)?;
        }
    }
    let mut query = kit.query(ListKind::Cases(Shelf::All), 7);
    query.condition = Condition::Never;
    same("never", kit.tickets(&query).await?, Vec::new())
}

async fn a_condition_asks_the_calendars_of_the_query(kit: Kit) -> Outcome {
    let tickets = any_tickets(&kit, &mut Random(6)).await?;
    let all = ids_of(tickets.iter().filter(|it| it.is_live()));
    let always = CalendarDef::new("UTC").with_weekly(WeeklyHours::every_day(&[LocalSpan::DAY]));
    let mut terms = Terms::default();
    let added = terms.calendars.add(key("always")?, &always, &BundledZones::new());
    added.map_err(|error| error.to_string())?;
    let mut query = kit.query(ListKind::Cases(Shelf::Live), 7);
    query.now = at(10);
    query.condition = condition(&json!({"field": "now", "in_hours": "always"}))?;
    same("without the calendar", kit.tickets(&query).await?, Vec::new())?;
    query.terms = terms.clone();
    same("in its hours", kit.tickets(&query).await?, all.clone())?;
    let mut count = CountQuery::all(query.tenant, CountBy::Nothing, query.now);
    count.condition = query.condition.clone();
    count.terms = terms;
    let buckets = kit.store.count(&count).await.map_err(|error| error.to_string())?;
    same("the count", buckets.iter().map(|bucket| bucket.n).sum::<u64>(), all.len() as u64)
}

async fn a_condition_sees_requester_organization_and_text(kit: Kit) -> Outcome {
    let mut vip = contact(1);
    vip.tags = vec!["vip".to_owned()];
    let mut company = organization(20);
    company.requester_tier = Some(key("premium")?);
    let mut first = ticket(1)?;
    first.organization = Some(company.id);
    first.newest_public_seq = 2;
    let mut second = ticket(2)?;
    second.requester = ContactId(id(2));
    let mut change = kit.change();
    for (stream, record) in [
        (StreamId::contact(vip.id), Record::Contact(Box::new(vip))),
        (StreamId::organization(company.id), Record::Organization(Box::new(company))),
        (stream(1), case(first)),
        (stream(2), case(second)),
    ] {
        change.expect.push(Expect { stream, version: 0 });
        change.put.push(record);
    }
    change.put.push(Record::Message(Box::new(message(1, 1, "a refund, please"))));
    change.put.push(Record::Message(Box::new(message(1, 2, "my money back"))));
    kit.commit(change).await?;
    for (source, wanted) in [
        (json!({"field": "requester_tags", "has_any": ["vip"]}), vec![id(1)]),
        (json!({"field": "requester_tags", "has_none": ["vip"]}), vec![id(2)]),
        (json!({"field": "requester_tier", "is": "premium"}), vec![id(1)]),
        (json!({"field": "body", "has_word": ["money back"]}), vec![id(1)]),
        (json!({"field": "body", "has_word": ["refund"]}), vec![]),
        (json!({"field": "subject", "has_word": ["ticket"]}), vec![id(1), id(2)]),
    ] {
        let mut query = kit.query(ListKind::Cases(Shelf::Live), 10);
        query.condition = condition(&source)?;
        same(&source.to_string(), kit.tickets(&query).await?, wanted)?;
    }
    Ok(())
}

async fn things_are_listed_by_id(kit: Kit) -> Outcome {
    for n in [5, 1, 4, 2, 3] {
        let stream = StreamId::contact(contact(n).id);
        kit.commit(kit.put(stream, 0, Record::Contact(Box::new(contact(n))))).await?;
        let stream = StreamId::organization(organization(n).id);
        let record = Record::Organization(Box::new(organization(n)));
        kit.commit(kit.put(stream, 0, record)).await?;
    }
    kit.open([ticket(2)?, ticket(1)?]).await?;
    for limit in 1..=6 {
        let rows = kit.rows(&kit.query(ListKind::Things(StreamKind::Contact), limit)).await?;
        let wanted: Vec<Record> = (1..=5).map(|n| Record::Contact(Box::new(contact(n)))).collect();
        same("versions", rows.iter().map(|row| row.version).collect(), vec![1; 5])?;
        same("contacts", rows.into_iter().map(|row| row.record).collect(), wanted)?;
        let query = kit.query(ListKind::Things(StreamKind::Case), limit);
        same("cases", kit.tickets(&query).await?, vec![id(1), id(2)])?;
    }
    let none = kit.rows(&kit.query(ListKind::Things(StreamKind::Agent), 3)).await?;
    same("agents", none.len(), 0)
}

async fn messages_are_listed_by_number(kit: Kit) -> Outcome {
    for (n, seq) in [(1, 3), (1, 1), (2, 1), (1, 10), (1, 2)] {
        let mut change = kit.change();
        change.put.push(Record::Message(Box::new(message(n, seq, "Hello"))));
        kit.commit(change).await?;
    }
    for limit in 1..=5 {
        let rows = kit.rows(&kit.query(ListKind::Messages(ticket_id(1)), limit)).await?;
        let found: Vec<Record> = rows.into_iter().map(|row| row.record).collect();
        let wanted: Vec<Record> =
            [1, 2, 3, 10].map(|seq| Record::Message(Box::new(message(1, seq, "Hello")))).into();
        same("messages", found, wanted)?;
    }
    Ok(())
}

async fn configurations_are_listed_newest_first(kit: Kit) -> Outcome {
    let config = |version| {
        let document = json!({"version": version});
        Record::ConfigVersion(Box::new(ConfigRecord {
            version,
            applied_at: at(0),
            document,
            calendars: Default::default(),
        }))
    };
    for version in [1, 2, 3, 10] {
        let mut change = kit.change();
        change.put.push(config(version));
        kit.commit(change).await?;
    }
    for limit in 1..=5 {
        let rows = kit.rows(&kit.query(ListKind::ConfigVersions, limit)).await?;
        let found: Vec<Record> = rows.into_iter().map(|row| row.record).collect();
        same("configurations", found, [10, 3, 2, 1].map(config).into())?;
    }
    Ok(())
}

fn every_kind() -> [ListKind; 6] {
    [
        ListKind::Cases(Shelf::Live),
        ListKind::Things(StreamKind::Contact),
        ListKind::Things(StreamKind::Case),
        ListKind::Messages(ticket_id(1)),
        ListKind::DeadLetters,
        ListKind::ConfigVersions,
    ]
}

async fn a_list_page_has_a_row_and_at_most_a_thousand(kit: Kit) -> Outcome {
    for kind in every_kind() {
        for limit in [0, PAGE_MAX + 1] {
            invalid("the limit", kit.store.list(&kit.query(kind, limit)).await)?;
        }
        same("rows", kit.page(&kit.query(kind, PAGE_MAX)).await?.rows.len(), 0)?;
    }
    Ok(())
}

async fn a_cursor_of_another_list_is_refused(kit: Kit) -> Outcome {
    for n in [1, 2] {
        kit.open([ticket(u64::from(n))?]).await?;
        let stream = StreamId::contact(contact(u128::from(n)).id);
        let mut change = kit.put(stream, 0, Record::Contact(Box::new(contact(u128::from(n)))));
        change.put.push(Record::Message(Box::new(message(1, n, "Hello"))));
        kit.commit(change).await?;
    }
    for kind in every_kind() {
        let next = kit.page(&kit.query(kind, 1)).await?.next;
        let next = next.unwrap_or_else(nonsense);
        for other in every_kind() {
            let mut query = kit.query(other, 1);
            query.after = Some(next.clone());
            let is_own = kind == other && next != nonsense();
            if !is_own {
                invalid("the cursor", kit.store.list(&query).await)?;
            }
        }
    }
    so("all kinds were tried", true)
}
