//! Housekeeping.

use super::doc::decode;
use super::failure::failed;
use super::pool::Tx;
use super::session::{Session, doc, integer, uuid};
use crate::order::micros;
use crate::{Maintain, Result};
use helpdesk_core::case::record::DeadLetter;
use helpdesk_core::id::TenantId;
use rusqlite::{ErrorCode, params};
use std::time::Duration;
use uuid::Uuid;

impl Session<'_> {
    /// Tidies up; how many rows were removed or moved.
    pub(super) fn maintain(&self, maintain: &Maintain) -> Result<u64> {
        if *maintain == Maintain::Compact {
            return self.compact();
        }
        let tx = Tx::write(self.conn)?;
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
            Maintain::Compact => 0,
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

    fn redrive(&self, tenant: TenantId, ids: &[Uuid], now: i64) -> Result<usize> {
        let params = params![tenant.0.as_bytes()];
        let picked = self.all(&self.sql.dead_all, params, |row| {
            let id = uuid(row, 0)?;
            if !ids.is_empty() && !ids.contains(&id) {
                return Ok(None);
            }
            let letter: DeadLetter = decode("dead letter", doc(row, 2)?)?;
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
