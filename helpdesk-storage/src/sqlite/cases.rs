//! Lists and counts of cases.

use super::doc::{count, decode, int};
use super::failure::failed;
use super::filter::{Where, order_by};
use super::session::{Session, TenantThings, doc, integer};
use super::summary::summary;
use crate::matching::{Wanted, group_of};
use crate::order::{Place, case_cursor, case_place, page};
use crate::{Bucket, CountBy, CountQuery, ListQuery, Page, Projection, Result, Shelf};
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{Record, Stored};
use helpdesk_core::case::summary::CaseSummary;
use helpdesk_core::id::Version;
use rusqlite::{params, params_from_iter};
use std::collections::BTreeMap;
use uuid::Uuid;

impl Session<'_> {
    /// A page of cases.
    pub(super) fn list_cases(&self, query: &ListQuery, shelf: Shelf) -> Result<Page<Stored>> {
        let order = query.order;
        let wanted = Wanted::of_list(query, shelf);
        let mut filter = Where::new(query.tenant, shelf);
        filter.and_scope(&query.scope.to_filter());
        filter.and_condition(&query.condition);
        if let Some(cursor) = &query.after {
            filter.and_after(order, &case_place(order, cursor)?);
        }
        let mut sql = format!(
            "SELECT rowid FROM {}ticket WHERE {} ORDER BY {}",
            self.prefix,
            filter.sql,
            order_by(order)
        );
        if filter.is_exact {
            // Then sorting may drop all but the first rows.
            sql += &format!(" LIMIT {}", query.limit + 1);
        }
        let wanted = (!filter.is_exact).then_some(wanted);
        let related = self.related(query.tenant);
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(filter.values)).map_err(failed)?;
        let mut found: Vec<(Place, Stored)> = Vec::new();
        while found.len() <= query.limit {
            let Some(row) = rows.next().map_err(failed)? else { break };
            found.extend(self.list_row(integer(row, 0)?, query, wanted, &related)?);
        }
        let page = page(found, query.limit, |(place, _)| case_cursor(order, place));
        Ok(Page {
            rows: page.rows.into_iter().map(|(_, stored)| stored).collect(),
            next: page.next,
        })
    }

    /// The row of a list, and its place in the order; none where it is not wanted.
    fn list_row(
        &self,
        rowid: i64,
        query: &ListQuery,
        wanted: Option<Wanted<'_>>,
        related: &TenantThings<'_, '_>,
    ) -> Result<Option<(Place, Stored)>> {
        let by = query.order.by;
        if wanted.is_none() && query.projection == Projection::Summary {
            return self.first(&self.sql.ticket_summary, params![rowid], |row| {
                let (version, summary) = summary(row)?;
                let place = Place::of_summary(by, &summary);
                Ok((place, Stored { version, record: Record::Summary(Box::new(summary)) }))
            });
        }
        let Some((version, case)) = self.case_at(rowid)? else { return Ok(None) };
        if let Some(wanted) = wanted
            && !wanted.takes(&case, related)?
        {
            return Ok(None);
        }
        let place = Place::of(by, &case);
        let record = match query.projection {
            Projection::Full => Record::Case(case),
            Projection::Summary => Record::Summary(Box::new(CaseSummary::of(&case))),
        };
        Ok(Some((place, Stored { version, record })))
    }

    fn case_at(&self, rowid: i64) -> Result<Option<(Version, Box<Case>)>> {
        self.first(&self.sql.ticket_row, params![rowid], |row| {
            Ok((count(integer(row, 0)?)?, decode("case", doc(row, 1)?)?))
        })
    }

    /// How many cases, by group.
    pub(super) fn count(&self, query: &CountQuery) -> Result<Vec<Bucket>> {
        let wanted = Wanted::of_count(query);
        let mut filter = Where::new(query.tenant, query.shelf);
        filter.and_scope(&query.scope.to_filter());
        filter.and_condition(&query.condition);
        let counts = if filter.is_exact {
            self.count_rows(query, filter)?
        } else {
            self.count_cases(query, wanted, filter)?
        };
        let bucket =
            |(key, n): (_, u64)| Bucket { key, n: n.min(query.cap), capped: n > query.cap };
        Ok(counts.into_iter().map(bucket).collect())
    }

    /// Counts by columns alone.
    fn count_rows(
        &self,
        query: &CountQuery,
        filter: Where,
    ) -> Result<BTreeMap<Option<String>, u64>> {
        let from = format!("FROM {}ticket WHERE {}", self.prefix, filter.sql);
        let cap = int(query.cap).saturating_add(1);
        let sql = match query.by {
            CountBy::Nothing => {
                format!("SELECT count(*), NULL FROM (SELECT 1 {from} LIMIT {cap})")
            }
            CountBy::Status => format!("SELECT count(*), status {from} GROUP BY status"),
            CountBy::Assignee => {
                format!("SELECT count(*), assignee_id {from} GROUP BY assignee_id")
            }
            CountBy::Group => format!("SELECT count(*), group_key {from} GROUP BY group_key"),
            CountBy::Queue => format!("SELECT count(*), queue_key {from} GROUP BY queue_key"),
        };
        let by_id = query.by == CountBy::Assignee;
        let rows = self.all(&sql, params_from_iter(filter.values), |row| {
            let key = if by_id {
                let id: Option<[u8; 16]> = row.get(1).map_err(failed)?;
                id.map(|id| Uuid::from_bytes(id).to_string())
            } else {
                row.get(1).map_err(failed)?
            };
            Ok((key, count(integer(row, 0)?)?))
        })?;
        Ok(rows.into_iter().collect())
    }

    /// Counts case by case.
    fn count_cases(
        &self,
        query: &CountQuery,
        wanted: Wanted<'_>,
        filter: Where,
    ) -> Result<BTreeMap<Option<String>, u64>> {
        let mut counts = BTreeMap::new();
        if query.by == CountBy::Nothing {
            counts.insert(None, 0);
        }
        let related = self.related(query.tenant);
        let sql = format!("SELECT doc FROM {}ticket WHERE {}", self.prefix, filter.sql);
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(filter.values)).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let case: Case = decode("case", doc(row, 0)?)?;
            if !wanted.takes(&case, &related)? {
                continue;
            }
            let n = counts.entry(group_of(query.by, &case.ticket)).or_default();
            *n += 1;
            if query.by == CountBy::Nothing && *n > query.cap {
                break;
            }
        }
        Ok(counts)
    }
}
