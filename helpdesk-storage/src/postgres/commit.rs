//! Commits: one, or many with as few statements as they need.

use super::RETRIES_MAX;
use super::batch::Batch;
use super::check;
use super::connect::Connections;
use super::failure::{Kind, ambiguous, busy, commit_failed, corrupt, kind, kind_of, unavailable};
use super::options::StatementMode;
use super::query::{Link, Query};
use super::read::{column, count};
use super::write::{self, Locked};
use crate::{ChangeSet, Committed, Result, Series};
use deadpool_postgres::Client;
use std::sync::Arc;

/// What commits, apart from the store so that it can go on where a caller stops waiting.
#[derive(Debug)]
pub(super) struct Committer {
    pub(super) connections: Arc<Connections>,
    pub(super) statements: StatementMode,
    /// What stands before a table's name.
    pub(super) tables: String,
}

/// How a batch ended.
pub(super) enum Ended {
    /// Each was done.
    Done(Vec<Result<Committed>>),
    /// None was done, for a reason of some of them: others may be done without these.
    Undone,
    /// The same for all of them.
    Failed(Failure),
}

/// That a commit was tried already, and not done.
struct Undone;

/// Why none of a batch has a result of its own.
pub(super) enum Failure {
    /// The server cannot be reached, with these words.
    Unreachable(String),
    /// They may have been done.
    Ambiguous,
}

impl Failure {
    pub(super) fn told<T>(&self) -> Result<T> {
        Err(match self {
            Self::Unreachable(why) => unavailable(None, why.clone()),
            Self::Ambiguous => ambiguous("the connection was lost"),
        })
    }
}

impl Committer {
    /// Commits them in their order, each for itself: as many as fit by one statement. Where
    /// that is not done, halves are tried, down to the one for which it was not.
    pub(super) async fn commit_series(&self, changes: &[ChangeSet]) -> Vec<Result<Committed>> {
        let mut series = Series::default();
        let mut results = Vec::with_capacity(changes.len());
        let mut rest = changes;
        // How many of the rest to try together, the first ones last.
        let mut spans = vec![changes.len()];
        while let Some(n) = spans.pop() {
            let Some((first, _)) = rest.split_first() else { break };
            let batch = Batch::of(rest.iter().take(n), &series);
            let n_taken = batch.members().len();
            let ends = if n_taken > 1 {
                match self.commit_batch(&batch).await {
                    Ended::Done(ends) => ends,
                    Ended::Failed(failure) => (0..n_taken).map(|_| failure.told()).collect(),
                    Ended::Undone => {
                        let half = n_taken / 2;
                        spans.extend([n - n_taken, n_taken - half, half]);
                        continue;
                    }
                }
            } else {
                vec![match series.check(first) {
                    Ok(()) => self.commit_one(first).await,
                    Err(error) => Err(error),
                }]
            };
            let (done, later) = rest.split_at(ends.len());
            for (change, end) in done.iter().zip(&ends) {
                series.note(change.commit_id, end);
            }
            if n > ends.len() {
                spans.push(n - ends.len());
            }
            rest = later;
            results.extend(ends);
        }
        results
    }

    /// Commits all of a batch, or none of it, by one statement.
    pub(super) async fn commit_batch(&self, batch: &Batch<'_>) -> Ended {
        let Ok(query) = write::commit(&self.tables, batch, Locked::Leave, 0) else {
            return Ended::Undone;
        };
        let client = match self.connections.get().await {
            Ok(client) => client,
            Err(error) => return Ended::Failed(Failure::Unreachable(error.to_string())),
        };
        match self.connections.within(self.link(&client).rows(&query)).await {
            Ok(rows) => {
                let Some(row) = rows.first() else { return Ended::Undone };
                let done = batch.members().iter().map(|member| {
                    let base = count(column(row, 0)?)?;
                    Ok(member.committed(base))
                });
                Ended::Done(done.collect())
            }
            Err(error) if kind(&error) == Kind::Lost => {
                // It may be known as closed only a while later.
                drop(Client::take(client));
                Ended::Failed(Failure::Ambiguous)
            }
            Err(_) => Ended::Undone,
        }
    }

    /// Commits one, and waits for transactions that have locked what it expects.
    pub(super) async fn commit_one(&self, change: &ChangeSet) -> Result<Committed> {
        self.commit_after(change, None).await
    }

    /// Commits one that was undone as a batch of its own, or finds out why it cannot be done.
    pub(super) async fn commit_undone(&self, change: &ChangeSet) -> Result<Committed> {
        self.commit_after(change, Some(Undone)).await
    }

    async fn commit_after(&self, change: &ChangeSet, undone: Option<Undone>) -> Result<Committed> {
        let batch = Batch::of_one(change)?;
        let make = |batch: &Batch<'_>| write::commit(&self.tables, batch, Locked::Wait, 0);
        let query = batch.as_ref().map(make).transpose()?;
        let client = self.connections.get().await?;
        let query = batch.as_ref().zip(query.as_ref());
        let committed = self.commit_on(&client, change, query, undone).await;
        if committed.as_ref().err().and_then(kind_of) == Some(Kind::Lost) {
            // It may be known as closed only a while later.
            drop(Client::take(client));
        }
        committed
    }

    async fn commit_on(
        &self,
        client: &Client,
        change: &ChangeSet,
        query: Option<(&Batch<'_>, &Query)>,
        mut undone: Option<Undone>,
    ) -> Result<Committed> {
        let link = self.link(client);
        for _ in 0..RETRIES_MAX {
            if let (Some((batch, query)), None) = (query, undone.take()) {
                match self.connections.within(link.rows(query)).await {
                    Ok(rows) => {
                        if let Some(row) = rows.first() {
                            return committed(batch, column(row, 0)?);
                        }
                    }
                    Err(error) => match kind(&error) {
                        Kind::Again => continue,
                        Kind::Raced => {}
                        _ => return Err(commit_failed(error)),
                    },
                }
            }
            let check = check::check(link, &self.tables, change);
            match self.connections.within(check).await {
                Ok(Some(replayed)) => return Ok(replayed),
                Ok(None) => {}
                Err(error) if kind_of(&error) == Some(Kind::Again) => {}
                Err(error) => return Err(error),
            }
        }
        Err(busy())
    }

    fn link<'a>(&self, client: &'a Client) -> Link<'a> {
        Link::Pooled(client, self.statements)
    }
}

/// What a batch of one did, whose first event comes after this position.
pub(super) fn committed(batch: &Batch<'_>, base: i64) -> Result<Committed> {
    let base = count(base)?;
    let one = batch.members().first().map(|member| member.committed(base));
    one.ok_or_else(|| corrupt("a commit of nothing"))
}
