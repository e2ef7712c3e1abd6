//! Several commits in one transaction: their statements are sent without waiting for each
//! other's answers, and the disk is waited for once.

use super::check;
use super::failure::{Kind, ambiguous, corrupt, kind};
use super::keys::UniquePlan;
use super::query::{Query, send_together};
use super::read::column;
use super::{PostgresStore, committed, write};
use crate::plan::Plan;
use crate::{ChangeSet, Committed, Result, Series};
use deadpool_postgres::Client;
use helpdesk_core::id::CommandId;
use std::collections::BTreeSet;
use tokio_postgres::{Error, IsolationLevel};

/// Commits of one transaction: what they lock is locked until its end, and while it is
/// open the feed stands still.
pub(super) const TOGETHER_MAX: usize = 64;

/// A change set as a statement.
struct Sent<'a> {
    change: &'a ChangeSet,
    plan: Plan,
    query: Query,
}

impl PostgresStore {
    /// Commits them in their order, each for itself, in one transaction where all goes well.
    pub(super) async fn commit_together(
        &self,
        changes: &[ChangeSet],
        series: &mut Series,
    ) -> Vec<Result<Committed>> {
        if follow(changes, series)
            && let Some(sent) = self.statements_of(changes).filter(|sent| sent.len() > 1)
            && let Some(results) = self.try_together(&sent).await
        {
            for (change, result) in changes.iter().zip(&results) {
                series.note(change.commit_id, result);
            }
            return results;
        }
        let mut results = Vec::with_capacity(changes.len());
        for change in changes {
            let result = match series.check(change) {
                Ok(()) => self.commit_one(change).await,
                Err(error) => Err(error),
            };
            series.note(change.commit_id, &result);
            results.push(result);
        }
        results
    }

    /// Their statements, with places in the feed one behind the other; `None` where one of them
    /// is refused by its looks, or there are too many places.
    fn statements_of<'a>(&self, changes: &'a [ChangeSet]) -> Option<Vec<Sent<'a>>> {
        let mut n_before = 0;
        let mut sent = Vec::with_capacity(changes.len());
        for change in changes {
            let unique = UniquePlan::of(&change.unique);
            if check::is_refused(change) || unique.is_refused {
                return None;
            }
            let plan = Plan::new(change).ok()?;
            let query = write::commit(&self.tables, change, &plan, &unique, n_before).ok()?;
            n_before += write::int(change.events.len().max(change.outbox.len()) as u64);
            if n_before > write::POSITIONS_MAX {
                return None;
            }
            sent.push(Sent { change, plan, query });
        }
        Some(sent)
    }

    /// What each of them did, where all of it was done; `None` where none of it was.
    async fn try_together(&self, sent: &[Sent<'_>]) -> Option<Vec<Result<Committed>>> {
        let mut client = self.connections.get().await.ok()?;
        let work = async {
            // Dropped before its end, it is rolled back.
            let begin = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
            let tx = begin.start().await.map_err(End::Undone)?;
            let queries: Vec<&Query> = sent.iter().map(|it| &it.query).collect();
            let mode = self.options.statements;
            let answers = send_together(&tx, mode, &queries).await.map_err(End::Undone)?;
            if answers.iter().any(Vec::is_empty) {
                // An expectation does not hold. Why, each finds out in its turn.
                tx.rollback().await.map_err(End::Undone)?;
                return Ok(None);
            }
            tx.commit().await.map_err(End::Unsure)?;
            Ok(Some(answers))
        };
        match self.connections.within(work).await {
            Ok(answers) => {
                let done = sent.iter().zip(answers?).map(|(it, rows)| {
                    let row = rows.first().ok_or_else(|| corrupt("a commit without a row"))?;
                    committed(it.change, &it.plan, column(row, 0)?)
                });
                Some(done.collect())
            }
            Err(End::Unsure(error)) if kind(&error) == Kind::Lost => {
                // It may be known as closed only a while later.
                drop(Client::take(client));
                let unknown = |_: &Sent<'_>| Err(ambiguous("the connection was lost"));
                Some(sent.iter().map(unknown).collect())
            }
            Err(End::Undone(error) | End::Unsure(error)) => {
                if kind(&error) == Kind::Lost {
                    drop(Client::take(client));
                }
                None
            }
        }
    }
}

/// Whether each comes after what was committed, or stands before it: then where all are, each is
/// in its turn.
fn follow(changes: &[ChangeSet], series: &Series) -> bool {
    let mut before: BTreeSet<CommandId> = BTreeSet::new();
    changes.iter().all(|change| {
        let is_in_turn = change.after.is_none_or(|after| before.contains(&after));
        before.insert(change.commit_id);
        is_in_turn || series.check(change).is_ok()
    })
}

/// How a transaction failed.
enum End {
    /// Before its end was sent.
    Undone(Error),
    /// At its end.
    Unsure(Error),
}
