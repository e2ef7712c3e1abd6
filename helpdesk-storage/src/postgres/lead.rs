//! Jobs that one node at a time does: a lease row for each.

use super::PostgresStore;
use super::query::Query;
use super::read::{column, count};
use crate::Result;
use crate::lead::checked_name;
use crate::order::{instant, lease_end, micros};
use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

/// The word that a node leads a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leadership {
    /// Grows whenever another node takes over: a number to fence the job's own writes with.
    pub generation: u64,
    /// Until then, exclusively; take the lead again before.
    pub until: DateTime<Utc>,
}

impl PostgresStore {
    /// Takes the lead of a job, or keeps it; `None` while another owner has it. Times are
    /// the callers': nodes whose clocks differ by more than they leave of a lease may both
    /// lead for that long.
    ///
    /// # Errors
    ///
    /// As [`Store::claim`](crate::Store::claim);
    /// [`StoreError::Invalid`](crate::StoreError::Invalid) for a name of no chars, more than
    /// 200, or with `U+0000`.
    pub async fn lead(
        &self,
        job: &str,
        owner: &str,
        now: DateTime<Utc>,
        lease_seconds: u32,
    ) -> Result<Option<Leadership>> {
        let p = &self.tables;
        let mut query = Query::kept();
        let job = query.bind(checked_name(job)?.to_owned(), Type::TEXT);
        let owner = query.bind(checked_name(owner)?.to_owned(), Type::TEXT);
        let now_at = query.bind(micros(now), Type::INT8);
        let until = query.bind(lease_end(now, lease_seconds), Type::INT8);
        query.text = format!(
            "INSERT INTO {p}lease AS l (name, owner, generation, until) \
             VALUES ({job}, {owner}, 1, {until}) ON CONFLICT (name) DO UPDATE SET \
             owner = excluded.owner, until = excluded.until, \
             generation = l.generation + CASE WHEN l.owner = excluded.owner THEN 0 ELSE 1 END \
             WHERE l.owner = excluded.owner OR l.until <= {now_at} RETURNING generation, until"
        );
        let rows = self.rows(&query).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (generation, until) = (count(column(row, 0)?)?, instant(column(row, 1)?));
        Ok(Some(Leadership { generation, until }))
    }

    /// Gives the lead of a job back, so that another node need not wait for its end; nothing
    /// happens where this owner has it not.
    ///
    /// # Errors
    ///
    /// As [`lead`](Self::lead).
    pub async fn resign(&self, job: &str, owner: &str) -> Result<()> {
        self.give_back(job, owner).await.map(|_| ())
    }

    /// As [`resign`](Self::resign); how many leads were given back.
    pub(super) async fn give_back(&self, job: &str, owner: &str) -> Result<u64> {
        let p = &self.tables;
        let mut query = Query::kept();
        let job = query.bind(checked_name(job)?.to_owned(), Type::TEXT);
        let owner = query.bind(checked_name(owner)?.to_owned(), Type::TEXT);
        let over = query.bind(i64::MIN, Type::INT8);
        query.text = format!(
            "UPDATE {p}lease SET until = {over} \
             WHERE name = {job} AND owner = {owner} AND until > {over} RETURNING 1"
        );
        Ok(self.rows(&query).await?.len() as u64)
    }
}
