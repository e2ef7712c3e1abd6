//! Orders and cursors of cases.

use super::Outcome;
use super::kit::{Kit, Random, area, at, case, clock, invalid, same, stream, ticket};
use super::lists::any_tickets;
use crate::{Cursor, Direction, ListKind, Order, OrderBy, Shelf};
use helpdesk_core::case::Case;
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::priority::Priority;
use std::cmp::Ordering;
use uuid::Uuid;

area!("order":
    every_order_is_kept_over_pages,
    unset_values_come_last_either_way,
    the_first_clock_makes_the_due_order,
    ties_go_by_id_either_way,
    a_cursor_of_another_order_is_refused,
    pages_stay_in_step_while_tickets_come,
    a_full_last_page_has_no_next,
);

const ORDERS: [OrderBy; 6] = [
    OrderBy::Number,
    OrderBy::CreatedAt,
    OrderBy::UpdatedAt,
    OrderBy::LastRequesterAt,
    OrderBy::Priority,
    OrderBy::Status,
];
const DIRECTIONS: [Direction; 2] = [Direction::Ascending, Direction::Descending];

/// How two tickets stand in an order, as its documentation says.
fn compare(order: Order, a: &Ticket, b: &Ticket) -> Ordering {
    fn last<T: Ord>(a: Option<T>, b: Option<T>, direction: Direction) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => turn(a.cmp(&b), direction),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
    fn turn(ordering: Ordering, direction: Direction) -> Ordering {
        if direction == Direction::Descending { ordering.reverse() } else { ordering }
    }
    let (x, y) = (&a.times, &b.times);
    let way = order.direction;
    let ordering = match order.by {
        OrderBy::Number => turn(a.number.n.cmp(&b.number.n), way),
        OrderBy::CreatedAt => turn(x.created_at.cmp(&y.created_at), way),
        OrderBy::UpdatedAt => turn(x.updated_at.cmp(&y.updated_at), way),
        OrderBy::LastRequesterAt => last(x.last_requester_at, y.last_requester_at, way),
        OrderBy::Priority => last(a.priority, b.priority, way),
        // Tickets alone have no clocks; `the_first_clock_makes_the_due_order` has.
        OrderBy::DueAt => Ordering::Equal,
        OrderBy::Status => turn((a.category, &a.status).cmp(&(b.category, &b.status)), way),
    };
    ordering.then(a.id.cmp(&b.id))
}

fn sorted(order: Order, mut tickets: Vec<Ticket>) -> Vec<Uuid> {
    tickets.sort_by(|a, b| compare(order, a, b));
    tickets.into_iter().map(|ticket| ticket.id.0).collect()
}

async fn every_order_is_kept_over_pages(kit: Kit) -> Outcome {
    let tickets = any_tickets(&kit, &mut Random(6)).await?;
    for by in ORDERS {
        for direction in DIRECTIONS {
            let order = Order { by, direction };
            for limit in [1, 7, 59, 60, 61] {
                let mut query = kit.query(ListKind::Cases(Shelf::All), limit);
                query.order = order;
                let wanted = sorted(order, tickets.clone());
                same(&format!("{order:?} by {limit}"), kit.tickets(&query).await?, wanted)?;
            }
        }
    }
    Ok(())
}

async fn the_first_clock_makes_the_due_order(kit: Kit) -> Outcome {
    let mut cases = Vec::new();
    // The third waits for nothing, the fourth's clock was met and has no date.
    let dues: [&[Option<i64>]; 4] = [&[Some(30), Some(20)], &[None, Some(10)], &[], &[None]];
    for (n, dues) in (1..).zip(dues) {
        let mut case = Case::new(ticket(n)?);
        for due in dues {
            case.clocks.push(clock(due.map(at))?);
        }
        cases.push(case);
    }
    kit.open_cases(cases).await?;
    for (direction, wanted) in
        [(Direction::Ascending, [2, 1, 3, 4]), (Direction::Descending, [1, 2, 3, 4])]
    {
        for limit in [1, 3, 4] {
            let mut query = kit.query(ListKind::Cases(Shelf::All), limit);
            query.order = Order { by: OrderBy::DueAt, direction };
            let wanted: Vec<Uuid> = wanted.map(|n| stream(n).id).to_vec();
            same(&format!("{direction:?} by {limit}"), kit.tickets(&query).await?, wanted)?;
        }
    }
    Ok(())
}

async fn unset_values_come_last_either_way(kit: Kit) -> Outcome {
    let mut tickets = vec![ticket(1)?, ticket(2)?, ticket(3)?];
    tickets[1].priority = Some(Priority::Low);
    tickets[2].priority = Some(Priority::Urgent);
    kit.open(tickets).await?;
    for (direction, wanted) in
        [(Direction::Ascending, [2, 3, 1]), (Direction::Descending, [3, 2, 1])]
    {
        let mut query = kit.query(ListKind::Cases(Shelf::Live), 1);
        query.order = Order { by: OrderBy::Priority, direction };
        same("tickets", kit.tickets(&query).await?, wanted.map(super::kit::id).into())?;
    }
    Ok(())
}

async fn ties_go_by_id_either_way(kit: Kit) -> Outcome {
    for n in [3, 1, 2] {
        let mut it = ticket(n)?;
        it.times.created_at = at(0);
        kit.open([it]).await?;
    }
    for direction in DIRECTIONS {
        let mut query = kit.query(ListKind::Cases(Shelf::Live), 1);
        query.order = Order { by: OrderBy::CreatedAt, direction };
        same("tickets", kit.tickets(&query).await?, [1, 2, 3].map(super::kit::id).into())?;
    }
    Ok(())
}

async fn a_cursor_of_another_order_is_refused(kit: Kit) -> Outcome {
    kit.open([ticket(1)?, ticket(2)?]).await?;
    let all: Vec<Order> = ORDERS
        .into_iter()
        .flat_map(|by| DIRECTIONS.map(|direction| Order { by, direction }))
        .collect();
    for order in &all {
        let mut query = kit.query(ListKind::Cases(Shelf::Live), 1);
        query.order = *order;
        let next = kit.page(&query).await?.next.ok_or("no next page")?;
        for other in all.iter().filter(|other| *other != order) {
            let mut query = kit.query(ListKind::Cases(Shelf::Live), 1);
            query.order = *other;
            query.after = Some(next.clone());
            invalid(&format!("{order:?} in {other:?}"), kit.store.list(&query).await)?;
        }
        for cut in [Cursor(String::new()), Cursor(format!("{}x", next.0))] {
            query.after = Some(cut);
            invalid("a cursor that was changed", kit.store.list(&query).await)?;
        }
    }
    Ok(())
}

async fn pages_stay_in_step_while_tickets_come(kit: Kit) -> Outcome {
    kit.open([ticket(2)?, ticket(4)?, ticket(6)?]).await?;
    let mut query = kit.query(ListKind::Cases(Shelf::Live), 2);
    let first = kit.page(&query).await?;
    same("the first page", first.rows.len(), 2)?;
    // One comes before the cursor, one after; the last row of the page goes.
    kit.open([ticket(1)?, ticket(5)?]).await?;
    let mut gone = ticket(4)?;
    gone.deleted = true;
    kit.commit(kit.put(stream(4), 1, case(gone))).await?;
    query.after = first.next;
    same("the rest", kit.tickets(&query).await?, [5, 6].map(super::kit::id).into())
}

async fn a_full_last_page_has_no_next(kit: Kit) -> Outcome {
    kit.open([ticket(1)?, ticket(2)?]).await?;
    let page = kit.page(&kit.query(ListKind::Cases(Shelf::Live), 2)).await?;
    same("the page", (page.rows.len(), page.next), (2, None))
}
