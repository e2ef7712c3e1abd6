//! Lists of summaries.

use super::Outcome;
use super::kit::{Kit, Random, area, at, clock, id, key, same, ticket};
use super::lists::{any_scope, any_ticket, any_tickets, condition};
use crate::{Direction, ListKind, ListQuery, Order, OrderBy, Page, Projection, Shelf};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{Record, Stored};
use helpdesk_core::case::summary::CaseSummary;
use helpdesk_core::event::StreamKind;
use helpdesk_core::ticket::priority::TicketType;
use serde_json::{Value, json};

area!("summaries":
    a_summary_says_of_a_case_what_lists_show,
    summaries_stand_in_the_order_of_cases,
    a_page_of_summaries_goes_on_as_one_of_cases,
    drawn_conditions_list_what_they_hold_on,
    other_things_have_one_form,
);

fn summaries(rows: &[Stored]) -> Result<Vec<(u64, CaseSummary)>, String> {
    let summary = |row: &Stored| match &row.record {
        Record::Summary(summary) => Ok((row.version, (**summary).clone())),
        other => Err(format!("not a summary: {other:?}")),
    };
    rows.iter().map(summary).collect()
}

/// The same page as summaries; each of them is what its case says.
async fn both(kit: &Kit, query: &ListQuery) -> Result<Page<Stored>, String> {
    let full = kit.page(query).await?;
    let mut query = query.clone();
    query.projection = Projection::Summary;
    let page = kit.page(&query).await?;
    let of_case = |row: &Stored| match &row.record {
        Record::Case(case) => Ok((row.version, CaseSummary::of(case))),
        other => Err(format!("not a case: {other:?}")),
    };
    let wanted: Result<Vec<_>, String> = full.rows.iter().map(of_case).collect();
    same("summaries", summaries(&page.rows)?, wanted?)?;
    same("where the next page starts", page.next.clone(), full.next)?;
    Ok(page)
}

async fn a_summary_says_of_a_case_what_lists_show(kit: Kit) -> Outcome {
    let mut full = ticket(1)?;
    full.subject = "Umlauts: \u{e4}\u{f6}, quotes: \", a tab: \t".to_owned();
    full.ticket_type = Some(TicketType::Incident);
    full.tier = Some(key("l2")?);
    full.tags = vec!["a".to_owned(), "b".to_owned()];
    full.times.last_requester_at = Some(at(3) + chrono::TimeDelta::nanoseconds(1_999));
    let mut due = Case::new(full);
    due.clocks = vec![clock(Some(at(30)))?, clock(Some(at(20)))?, clock(None)?];
    kit.open_cases(vec![due, Case::new(ticket(2)?)]).await?;
    let page = both(&kit, &kit.query(ListKind::Cases(Shelf::Live), 10)).await?;
    let rows = summaries(&page.rows)?;
    let whats: Vec<_> =
        rows.iter().map(|(version, it)| (*version, it.number.n, it.due_at)).collect();
    same("rows", whats, vec![(1, 1, Some(at(20))), (1, 2, None)])?;
    let last_requester_at = rows[0].1.last_requester_at;
    let micros = at(3) + chrono::TimeDelta::microseconds(1);
    same("the last message", last_requester_at, Some(micros))
}

async fn summaries_stand_in_the_order_of_cases(kit: Kit) -> Outcome {
    let mut random = Random(11);
    any_tickets(&kit, &mut random).await?;
    for by in [
        OrderBy::Number,
        OrderBy::CreatedAt,
        OrderBy::UpdatedAt,
        OrderBy::LastRequesterAt,
        OrderBy::Priority,
        OrderBy::DueAt,
        OrderBy::Status,
    ] {
        for direction in [Direction::Ascending, Direction::Descending] {
            let mut query = kit.query(ListKind::Cases(Shelf::Live), 25);
            query.order = Order { by, direction };
            query.scope = any_scope(&mut random, 2)?;
            both(&kit, &query).await?;
        }
    }
    Ok(())
}

async fn a_page_of_summaries_goes_on_as_one_of_cases(kit: Kit) -> Outcome {
    let mut random = Random(12);
    let mut cases = Vec::new();
    for n in 1..=20 {
        let mut case = Case::new(any_ticket(&mut random, n)?);
        let due = [None, Some(at(i64::try_from(random.below(5)).unwrap_or(0)))];
        case.clocks.push(clock(due[usize::from(random.below(3) > 0)])?);
        cases.push(case);
    }
    kit.open_cases(cases).await?;
    for by in [OrderBy::DueAt, OrderBy::LastRequesterAt, OrderBy::Status, OrderBy::Priority] {
        let mut query = kit.query(ListKind::Cases(Shelf::All), 3);
        query.order = Order { by, direction: Direction::Descending };
        loop {
            let page = both(&kit, &query).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

/// A test drawn at random, of fields that a store may keep in columns.
fn any_test(random: &mut Random) -> Value {
    let words = |random: &mut Random, from: &[&str]| -> Vec<String> {
        let all = from.iter().filter(|_| random.below(2) == 0);
        all.map(|word| (*word).to_owned()).collect()
    };
    let ids = |from: u128| (from..from + 3).map(|n| id(n).to_string()).collect::<Vec<_>>();
    let (field, all) = match random.below(7) {
        0 => ("status", ["a", "b", "x"].map(str::to_owned).to_vec()),
        1 => ("status_category", ["new", "open", "closed"].map(str::to_owned).to_vec()),
        2 => ("priority", ["low", "high", "urgent"].map(str::to_owned).to_vec()),
        3 => ("group", ["it", "sales", "x"].map(str::to_owned).to_vec()),
        4 => ("assignee", ids(30)),
        5 => ("requester", ids(1)),
        _ => ("organization", ids(20)),
    };
    let one = all[usize::try_from(random.below(3)).unwrap_or(0)].clone();
    let mut some = words(random, &all.iter().map(String::as_str).collect::<Vec<_>>());
    some.push(one.clone());
    match random.below(6) {
        0 => json!({"field": field, "is": one}),
        1 => json!({"field": field, "is_not": one}),
        2 => json!({"field": field, "in": some}),
        3 => json!({"field": field, "not_in": some}),
        4 if field != "status" && field != "status_category" && field != "requester" => {
            json!({"field": field, "set": true})
        }
        _ => json!({"field": "group", "unset": true}),
    }
}

/// A condition drawn at random.
fn any_condition(random: &mut Random, depth: u32) -> Value {
    let parts = |random: &mut Random| -> Vec<Value> {
        (0..1 + random.below(3)).map(|_| any_condition(random, depth - 1)).collect()
    };
    match if depth == 0 { 9 } else { random.below(8) } {
        0 | 1 => json!({"all": parts(random)}),
        2 | 3 => json!({"any": parts(random)}),
        4 => json!({"not": any_condition(random, depth - 1)}),
        _ => any_test(random),
    }
}

async fn drawn_conditions_list_what_they_hold_on(kit: Kit) -> Outcome {
    let mut random = Random(13);
    let tickets = any_tickets(&kit, &mut random).await?;
    for round in 0..150_usize {
        let source = any_condition(&mut random, 3);
        let mut query = kit.query(ListKind::Cases(Shelf::Live), 1 + round % 20);
        query.condition = condition(&source)?;
        let (now, terms) = (query.now, query.terms.clone());
        let holds = |it: &helpdesk_core::ticket::Ticket| {
            let around = Default::default();
            helpdesk_core::case::facts::holds(&query.condition, it, around, now, &terms)
        };
        let wanted = tickets.iter().filter(|it| it.is_live() && holds(it));
        let wanted = super::lists::ids_of(wanted);
        same(&source.to_string(), kit.tickets(&query).await?, wanted)?;
        both(&kit, &query).await?;
    }
    Ok(())
}

async fn other_things_have_one_form(kit: Kit) -> Outcome {
    kit.open([ticket(1)?]).await?;
    let mut query = kit.query(ListKind::Things(StreamKind::Contact), 10);
    query.projection = Projection::Summary;
    same("contacts", kit.page(&query).await?.rows.len(), 0)?;
    query.kind = ListKind::Things(StreamKind::Case);
    let page = kit.page(&query).await?;
    let is_case = matches!(page.rows.first().map(|row| &row.record), Some(Record::Case(_)));
    same("a thing of the kind case is a case", is_case, true)
}
