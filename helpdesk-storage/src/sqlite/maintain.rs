//! Housekeeping.

use super::doc::{decode, encode_run, int};
use super::failure::failed;
use super::read::run;
use super::session::{Session, doc, integer, uuid};
use crate::doc::{rewrite_run, tell_unreadable};
use crate::order::micros;
use crate::{Maintain, Result};
use helpdesk_core::case::record::DeadLetter;
use helpdesk_core::event::Recorded;
use helpdesk_core::id::TenantId;
use rusqlite::{ErrorCode, params};
use std::time::Duration;
use uuid::Uuid;

impl Session<'_> {
    /// Tidies up; how many rows were removed or moved.
    pub(super) fn maintain(&self, maintain: &Maintain) -> Result<u64> {
        match maintain {
            Maintain::Compact => return self.compact(),
            Maintain::Scrub => return self.scrub(),
            _ => {}
        }
        let tx = self.begin_write()?;
        let n_rows = match maintain {
            Maintain::PurgeCommands { tenant, now } => {
                let params = params![tenant.0.as_bytes(), micros(*now)];
                self.run(&self.sql.command_purge, params)?
            }
            Maintain::PurgeDeadLetters { tenant, before } => {
                let params = params![tenant.0.as_bytes(), micros(*before)];
                self.run(&self.sql.dead_purge, params)?
            }
            Maintain::Redrive { tenant, ids, now } => self.redrive(*tenant, ids, micros(*now))?,
            Maintain::Rewrite { tenant, entries } => self.rewrite(*tenant, entries)?,
            Maintain::PurgeTickets { tenant, tickets } => self.purge_tickets(*tenant, tickets)?,
            Maintain::Lead { job, owner, now, lease_seconds } => {
                usize::from(self.lead(job, owner, *now, *lease_seconds)?)
            }
            Maintain::Resign { job, owner } => usize::from(self.resign(job, owner)?),
            Maintain::Compact | Maintain::Scrub => 0,
        };
        tx.commit()?;
        Ok(n_rows as u64)
    }

    /// Folds the write-ahead log in and cuts it, as far as nobody reads from it just now:
    /// it waits for nobody, as everybody would wait for it.
    fn compact(&self) -> Result<u64> {
        self.conn.busy_timeout(Duration::ZERO).map_err(failed)?;
        let folded = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.conn.busy_timeout(self.busy_timeout).map_err(failed)?;
        match folded {
            Ok(()) => Ok(0),
            // Another process writes: its next checkpoint does.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(0),
            Err(error) => Err(failed(error)),
        }
    }

    /// Builds the file anew of what is in it, then cuts the log, which has the old pages.
    fn scrub(&self) -> Result<u64> {
        self.conn.execute_batch("VACUUM").map_err(failed)?;
        self.compact()
    }

    fn rewrite(&self, tenant: TenantId, entries: &[Recorded]) -> Result<usize> {
        let mut rest = entries;
        let mut n_rows = 0;
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            let stream = first.entry.stream;
            let (kind, id) = (stream.kind.as_str(), stream.id.as_bytes());
            let params = params![tenant.0.as_bytes(), kind, id, int(first.n.saturating_sub(1))];
            let found = self.first(&self.sql.event_stream, params, run)?;
            let Some(known) = found else { continue };
            let Some(position) = known.last().map(|last| int(last.position)) else { continue };
            let rewritten = rewrite_run(known, first, behind)?;
            self.run(&self.sql.event_rewrite, params![encode_run(&rewritten.run)?, position])?;
            n_rows += rewritten.n_entries;
            rest = rewritten.rest;
        }
        Ok(n_rows)
    }

    fn redrive(&self, tenant: TenantId, ids: &[Uuid], now: i64) -> Result<usize> {
        let params = params![tenant.0.as_bytes()];
        let picked = self.all(&self.sql.dead_all, params, |row| {
            let id = uuid(row, 0)?;
            if !ids.is_empty() && !ids.contains(&id) {
                return Ok(None);
            }
            // One that cannot be read, such as what a newer version wrote, stays where it is.
            let Ok(letter) = decode::<DeadLetter>("dead letter", doc(row, 2)?) else {
                tell_unreadable("dead letter", tenant.0, id);
                return Ok(None);
            };
            Ok(Some((u32::try_from(integer(row, 1)?).unwrap_or(u32::MAX), letter)))
        })?;
        let mut n_moved = 0;
        for (n_claims, letter) in picked.into_iter().flatten() {
            let id = letter.message.id;
            self.run(&self.sql.dead_remove, params![tenant.0.as_bytes(), id.as_bytes()])?;
            self.push(tenant, &letter.message, now, n_claims)?;
            n_moved += 1;
        }
        Ok(n_moved)
    }
}
