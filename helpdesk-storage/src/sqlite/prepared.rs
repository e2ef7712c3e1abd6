//! What of a commit needs no database, done before the turn comes: the caller of each
//! writes its documents, while others commit or wait for the disk.

use super::doc::{Doc, encode, encode_command, encode_record, encode_run, is_one_run};
use crate::plan::Plan;
use crate::{ChangeSet, Result};
use std::borrow::Cow;

/// A change set that makes sense, with its documents.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    change_set: Cow<'a, ChangeSet>,
    /// Its numbers.
    pub(super) plan: Plan,
    /// Of each of `put`.
    pub(super) records: Vec<String>,
    /// Of each run of `events`.
    pub(super) runs: Vec<Doc>,
    /// Of each of `outbox`.
    pub(super) messages: Vec<String>,
    /// Of `command`.
    pub(super) command: Option<String>,
}

impl<'a> Prepared<'a> {
    /// Prepares a change set.
    pub(super) fn new(change_set: Cow<'a, ChangeSet>) -> Result<Self> {
        let plan = Plan::new(&change_set)?;
        let records = change_set.put.iter().map(encode_record).collect::<Result<_>>()?;
        let runs = change_set.events.chunk_by(is_one_run).map(encode_run).collect::<Result<_>>()?;
        let messages = change_set.outbox.iter().map(|new| encode(&new.message));
        let messages = messages.collect::<Result<_>>()?;
        let command = change_set.command.as_ref().map(encode_command).transpose()?;
        Ok(Self { change_set, plan, records, runs, messages, command })
    }

    pub(super) fn change_set(&self) -> &ChangeSet {
        &self.change_set
    }
}
