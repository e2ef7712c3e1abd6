//! Orders, cursors and pages, the same for every backend.

use crate::plan::invalid;
use crate::{Cursor, Direction, ListKind, Order, OrderBy, Page, Result, Shelf};
use chrono::{DateTime, TimeDelta, Utc};
use helpdesk_core::case::Case;
#[cfg(feature = "sqlite")]
use helpdesk_core::case::summary::CaseSummary;
use helpdesk_core::event::StreamKind;
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::priority::Priority;
use helpdesk_core::ticket::status::StatusCategory;
use std::cmp::Ordering;
use uuid::Uuid;

/// An instant as stores compare it: whole microseconds, rounded down.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// The instant with these microseconds.
pub(crate) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The end of a lease, in microseconds.
pub(crate) fn lease_end(now: DateTime<Utc>, lease_seconds: u32) -> i64 {
    let length = TimeDelta::seconds(i64::from(lease_seconds));
    micros(now.checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// By what a case stands where it does in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SortValue {
    /// A number, or an instant in microseconds.
    Int(i64),
    /// The rank of a category and a status key.
    Status(i64, String),
    /// Not set: last either way.
    Unset,
}

/// The rank of a category, as tables keep it.
pub(crate) fn category_rank(category: StatusCategory) -> i64 {
    rank(StatusCategory::ALL.iter().position(|known| *known == category))
}

/// The rank of a priority, as tables keep it.
pub(crate) fn priority_rank(priority: Priority) -> i64 {
    rank(Priority::ALL.iter().position(|known| *known == priority))
}

fn rank(position: Option<usize>) -> i64 {
    position.and_then(|at| i64::try_from(at).ok()).unwrap_or(i64::MAX)
}

/// A ticket's number as orders see it.
pub(crate) fn number_rank(ticket: &Ticket) -> i64 {
    count_rank(ticket.number.n)
}

/// A number in the order of columns.
pub(crate) fn count_rank(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// By what this case is ordered.
pub(crate) fn sort_value(by: OrderBy, case: &Case) -> SortValue {
    let ticket = &case.ticket;
    let times = &ticket.times;
    match by {
        OrderBy::Number => SortValue::Int(number_rank(ticket)),
        OrderBy::CreatedAt => SortValue::Int(micros(times.created_at)),
        OrderBy::UpdatedAt => SortValue::Int(micros(times.updated_at)),
        OrderBy::LastRequesterAt => {
            times.last_requester_at.map_or(SortValue::Unset, |at| SortValue::Int(micros(at)))
        }
        OrderBy::Priority => {
            ticket.priority.map_or(SortValue::Unset, |it| SortValue::Int(priority_rank(it)))
        }
        OrderBy::DueAt => case.due_at().map_or(SortValue::Unset, |at| SortValue::Int(micros(at))),
        OrderBy::Status => {
            SortValue::Status(category_rank(ticket.category), ticket.status.as_str().to_owned())
        }
    }
}

/// A place in an order of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// By the order.
    pub(crate) value: SortValue,
    /// The ticket, for ties.
    pub(crate) id: Uuid,
}

impl Place {
    /// Where this case stands.
    pub(crate) fn of(by: OrderBy, case: &Case) -> Self {
        Self { value: sort_value(by, case), id: case.ticket.id.0 }
    }

    /// Where the case of this summary stands.
    #[cfg(feature = "sqlite")]
    pub(crate) fn of_summary(by: OrderBy, summary: &CaseSummary) -> Self {
        let optional = |at: Option<DateTime<Utc>>| {
            at.map_or(SortValue::Unset, |at| SortValue::Int(micros(at)))
        };
        let value = match by {
            OrderBy::Number => SortValue::Int(count_rank(summary.number.n)),
            OrderBy::CreatedAt => SortValue::Int(micros(summary.created_at)),
            OrderBy::UpdatedAt => SortValue::Int(micros(summary.updated_at)),
            OrderBy::LastRequesterAt => optional(summary.last_requester_at),
            OrderBy::Priority => {
                summary.priority.map_or(SortValue::Unset, |it| SortValue::Int(priority_rank(it)))
            }
            OrderBy::DueAt => optional(summary.due_at),
            OrderBy::Status => {
                let rank = category_rank(summary.category);
                SortValue::Status(rank, summary.status.as_str().to_owned())
            }
        };
        Self { value, id: summary.id.0 }
    }

    /// How two places of one order compare.
    pub(crate) fn compare(&self, other: &Self, direction: Direction) -> Ordering {
        let turn = |ordering: Ordering| match direction {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        };
        let by_value = match (&self.value, &other.value) {
            (SortValue::Unset, SortValue::Unset) => Ordering::Equal,
            (SortValue::Unset, _) => Ordering::Greater,
            (_, SortValue::Unset) => Ordering::Less,
            (SortValue::Int(a), SortValue::Int(b)) => turn(a.cmp(b)),
            (SortValue::Status(a, x), SortValue::Status(b, y)) => turn((a, x).cmp(&(b, y))),
            // Two values of one order are of one kind.
            (SortValue::Int(_), SortValue::Status(..)) => Ordering::Less,
            (SortValue::Status(..), SortValue::Int(_)) => Ordering::Greater,
        };
        by_value.then(self.id.cmp(&other.id))
    }
}

impl Order {
    /// How two cases stand in this order, the same for every backend.
    #[must_use]
    pub fn compare(self, a: &Case, b: &Case) -> Ordering {
        Place::of(self.by, a).compare(&Place::of(self.by, b), self.direction)
    }

    /// Where a page ended whose last case this is.
    #[must_use]
    pub fn cursor_after(self, case: &Case) -> Cursor {
        case_cursor(self, &Place::of(self.by, case))
    }

    /// Whether the case comes after such a place.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`](crate::StoreError::Invalid) for a cursor of another order.
    pub fn is_after(self, case: &Case, cursor: &Cursor) -> Result<bool> {
        let place = case_place(self, cursor)?;
        Ok(Place::of(self.by, case).compare(&place, self.direction) == Ordering::Greater)
    }
}

/// Whether a ticket lies on a shelf.
pub(crate) fn on_shelf(shelf: Shelf, ticket: &Ticket) -> bool {
    match shelf {
        Shelf::Live => ticket.is_live(),
        Shelf::Spam => ticket.spam && !ticket.deleted,
        Shelf::Deleted => ticket.deleted,
        Shelf::All => true,
    }
}

/// Refuses a limit that is no page.
pub(crate) fn check_limit(limit: usize) -> Result<()> {
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(());
    }
    Err(invalid(format!("a page has 1 to {PAGE_MAX} rows, not {limit}")))
}

/// Cuts `limit + 1` rows to a page.
pub(crate) fn page<T>(mut rows: Vec<T>, limit: usize, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(cursor) } else { None };
    Page { rows, next }
}

/// The `ORDER BY` of an order, in whatever way a database puts what is not set behind.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn order_by(order: Order, unset_last: impl Fn(&str, &str) -> String) -> String {
    let way = match order.direction {
        Direction::Ascending => "ASC",
        Direction::Descending => "DESC",
    };
    let column = column(order.by);
    if order.by == OrderBy::Status {
        return format!("status_category {way}, status {way}, id");
    }
    if is_optional(order.by) {
        return format!("{}, id", unset_last(column, way));
    }
    format!("{column} {way}, id")
}

/// The column that an order goes by first.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn column(by: OrderBy) -> &'static str {
    match by {
        OrderBy::Number => "number",
        OrderBy::CreatedAt => "created_at",
        OrderBy::UpdatedAt => "updated_at",
        OrderBy::LastRequesterAt => "last_requester_at",
        OrderBy::Priority => "priority",
        OrderBy::DueAt => "due_at",
        OrderBy::Status => "status_category",
    }
}

/// Whether a ticket may have nothing that the order goes by.
pub(crate) fn is_optional(by: OrderBy) -> bool {
    matches!(by, OrderBy::LastRequesterAt | OrderBy::Priority | OrderBy::DueAt)
}

/// The word of an order in a cursor.
fn order_word(order: Order) -> &'static str {
    use Direction::{Ascending, Descending};
    match (order.by, order.direction) {
        (OrderBy::Number, Ascending) => "number+",
        (OrderBy::Number, Descending) => "number-",
        (OrderBy::CreatedAt, Ascending) => "created_at+",
        (OrderBy::CreatedAt, Descending) => "created_at-",
        (OrderBy::UpdatedAt, Ascending) => "updated_at+",
        (OrderBy::UpdatedAt, Descending) => "updated_at-",
        (OrderBy::LastRequesterAt, Ascending) => "last_requester_at+",
        (OrderBy::LastRequesterAt, Descending) => "last_requester_at-",
        (OrderBy::Priority, Ascending) => "priority+",
        (OrderBy::Priority, Descending) => "priority-",
        (OrderBy::DueAt, Ascending) => "due_at+",
        (OrderBy::DueAt, Descending) => "due_at-",
        (OrderBy::Status, Ascending) => "status+",
        (OrderBy::Status, Descending) => "status-",
    }
}

/// A cursor after a case.
pub(crate) fn case_cursor(order: Order, place: &Place) -> Cursor {
    let word = order_word(order);
    let id = place.id.simple();
    Cursor(match &place.value {
        SortValue::Int(value) => format!("{word}.{value}.{id}"),
        // A key has no `.`, so the parts can be told apart.
        SortValue::Status(rank, status) => format!("{word}.{rank}:{status}.{id}"),
        SortValue::Unset => format!("{word}.~.{id}"),
    })
}

/// Reads a cursor of [`case_cursor`].
pub(crate) fn case_place(order: Order, cursor: &Cursor) -> Result<Place> {
    let mut parts = cursor.0.split('.');
    let (word, value, id) = (parts.next(), parts.next(), parts.next());
    if word != Some(order_word(order)) || parts.next().is_some() {
        return Err(foreign());
    }
    let value = match (order.by, value.ok_or_else(foreign)?) {
        (by, "~") if is_optional(by) => SortValue::Unset,
        (OrderBy::Status, text) => {
            let (rank, status) = text.split_once(':').ok_or_else(foreign)?;
            SortValue::Status(number(rank)?, status.to_owned())
        }
        (_, text) => SortValue::Int(number(text)?),
    };
    Ok(Place { value, id: uuid(id)? })
}

/// The word of a list other than of cases in a cursor.
fn kind_word(kind: ListKind) -> String {
    match kind {
        ListKind::Cases(_) => "cases".to_owned(),
        ListKind::Things(kind) => kind.as_str().to_owned(),
        ListKind::Messages(ticket) => format!("messages:{}", ticket.0.simple()),
        ListKind::DeadLetters => "dead_letters".to_owned(),
        ListKind::ConfigVersions => "config_versions".to_owned(),
    }
}

/// A cursor after a thing, by its id.
pub(crate) fn thing_cursor(kind: StreamKind, id: Uuid) -> Cursor {
    Cursor(format!("{}.{}", kind_word(ListKind::Things(kind)), id.simple()))
}

/// Reads a cursor of [`thing_cursor`].
pub(crate) fn thing_place(kind: StreamKind, cursor: &Cursor) -> Result<Uuid> {
    let rest = rest(ListKind::Things(kind), cursor)?;
    uuid(Some(rest))
}

/// A cursor after a number: of a message or a configuration.
pub(crate) fn number_cursor(kind: ListKind, n: u64) -> Cursor {
    Cursor(format!("{}.{n}", kind_word(kind)))
}

/// Reads a cursor of [`number_cursor`].
pub(crate) fn number_place(kind: ListKind, cursor: &Cursor) -> Result<u64> {
    rest(kind, cursor)?.parse().map_err(|_| foreign())
}

/// A cursor after a dead letter.
pub(crate) fn dead_cursor(died_at: i64, id: Uuid) -> Cursor {
    Cursor(format!("{}.{died_at}.{}", kind_word(ListKind::DeadLetters), id.simple()))
}

/// Reads a cursor of [`dead_cursor`].
pub(crate) fn dead_place(cursor: &Cursor) -> Result<(i64, Uuid)> {
    let rest = rest(ListKind::DeadLetters, cursor)?;
    let (died_at, id) = rest.split_once('.').ok_or_else(foreign)?;
    Ok((number(died_at)?, uuid(Some(id))?))
}

fn rest(kind: ListKind, cursor: &Cursor) -> Result<&str> {
    let (word, rest) = cursor.0.split_once('.').ok_or_else(foreign)?;
    if word == kind_word(kind) { Ok(rest) } else { Err(foreign()) }
}

fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| foreign())
}

fn uuid(text: Option<&str>) -> Result<Uuid> {
    text.and_then(|text| Uuid::try_parse(text).ok()).ok_or_else(foreign)
}

fn foreign() -> crate::StoreError {
    invalid("the cursor is not one of this list and order")
}
