//! Jobs that one node at a time does: a lease row for each.

use super::PostgresStore;
use super::query::Query;
use super::read::{column, count};
use crate::Result;
use crate::order::{instant, lease_end, micros};
use crate::plan::invalid;
use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

/// Chars of a job's or an owner's name.
const NAME_CHARS_MAX: usize = 200;

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
        let job = query.bind(name(job)?, Type::TEXT);
        let owner = query.bind(name(owner)?, Type::TEXT);
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
        let p = &self.tables;
        let mut query = Query::kept();
        let job = query.bind(name(job)?, Type::TEXT);
        let owner = query.bind(name(owner)?, Type::TEXT);
        let over = query.bind(i64::MIN, Type::INT8);
        query.text =
            format!("UPDATE {p}lease SET until = {over} WHERE name = {job} AND owner = {owner}");
        self.rows(&query).await.map(|_| ())
    }
}

fn name(name: &str) -> Result<String> {
    if (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.contains('\0') {
        return Ok(name.to_owned());
    }
    let message = format!("a name has 1 to {NAME_CHARS_MAX} chars, none of them U+0000");
    Err(invalid(message))
}
