//! Jobs that one engine at a time does. A row for each stands among the things of no tenant,
//! so processes that share the file see it too.

use super::doc::{decode, encode};
use super::session::{Session, doc, integer};
use crate::Result;
use crate::lead::{Lead, checked_name};
use chrono::{DateTime, Utc};
use helpdesk_core::id::derived_command_id;
use rusqlite::params;
use uuid::Uuid;

impl Session<'_> {
    /// Takes the lead of a job, or keeps it; whether the owner has it then.
    pub(super) fn lead(
        &self,
        job: &str,
        owner: &str,
        now: DateTime<Utc>,
        lease_seconds: u32,
    ) -> Result<bool> {
        let (id, owner) = (id_of(checked_name(job)?), checked_name(owner)?);
        let before = self.leader(id)?;
        let (generation, known) = before.unzip();
        let Some(taken) = Lead::take(known.as_ref(), owner, now, lease_seconds) else {
            return Ok(false);
        };
        let is_kept = known.is_some_and(|it| it.owner == taken.owner);
        let generation = generation.unwrap_or(0) + i64::from(!is_kept);
        self.run(&self.sql.lead_put, params![id.as_bytes(), generation, encode(&taken)?])?;
        Ok(true)
    }

    /// Gives the lead of a job back; whether the owner had it.
    pub(super) fn resign(&self, job: &str, owner: &str) -> Result<bool> {
        let (id, owner) = (id_of(checked_name(job)?), checked_name(owner)?);
        let Some((generation, mut lead)) = self.leader(id)? else { return Ok(false) };
        if lead.owner != owner || lead.until == i64::MIN {
            return Ok(false);
        }
        lead.until = i64::MIN;
        self.run(&self.sql.lead_put, params![id.as_bytes(), generation, encode(&lead)?])?;
        Ok(true)
    }

    /// Who leads or led, and how often that changed.
    fn leader(&self, id: Uuid) -> Result<Option<(i64, Lead)>> {
        self.first(&self.sql.lead_get, params![id.as_bytes()], |row| {
            Ok((integer(row, 0)?, decode("lead", doc(row, 1)?)?))
        })
    }
}

fn id_of(job: &str) -> Uuid {
    derived_command_id(&[b"lead", job.as_bytes()]).0
}
