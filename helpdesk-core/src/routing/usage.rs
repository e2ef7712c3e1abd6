//! How often each routing rule decided, counted from the journal.

use super::rules::RoutingRule;
use crate::event::{Event, Recorded, RoutedBy};
use crate::id::Key;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// What one rule did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleHits {
    /// The rule.
    pub rule: Key,
    /// Whether the configuration in force has it.
    pub in_force: bool,
    /// How often it decided.
    pub n_hits: u64,
    /// When it did so last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_hit_at: Option<DateTime<Utc>>,
}

/// What the rules of a desk did in a time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RuleUsage {
    /// The rules in force, in the order in which they are tried, then those that
    /// are gone and decided in that time, by key.
    pub rules: Vec<RuleHits>,
    /// The rules in force that decided nothing in that time, in their order.
    pub dead: Vec<Key>,
    /// How often no rule held, and the mailbox's or the desk's default queue took
    /// the ticket.
    pub n_default: u64,
    /// How often no rule held, and there was no default.
    pub n_unroutable: u64,
}

/// Counts the hits of rules in `[from, until)`.
///
/// Give it the journal, or only the entries of tickets, in any order: only the
/// events that say where a ticket was routed, by a rule or by none, count. A ticket
/// that is routed twice counts twice.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use helpdesk_core::routing::usage::RuleCounter;
/// let counter = RuleCounter::new(DateTime::UNIX_EPOCH, DateTime::<Utc>::MAX_UTC);
/// // counter.see(&recorded); …
/// assert!(counter.finish(&[]).rules.is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct RuleCounter {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    hits: BTreeMap<Key, (u64, DateTime<Utc>)>,
    n_default: u64,
    n_unroutable: u64,
}

impl RuleCounter {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self { from, until, hits: BTreeMap::new(), n_default: 0, n_unroutable: 0 }
    }

    /// Counts an entry of the journal, where it counts.
    pub fn see(&mut self, recorded: &Recorded) {
        let at = recorded.entry.at;
        if at < self.from || at >= self.until {
            return;
        }
        match &recorded.entry.event {
            Event::Routed { by: RoutedBy::Rule { rule, .. }, .. } => {
                let (n, last_at) = self.hits.entry(rule.clone()).or_insert((0, at));
                *n += 1;
                *last_at = at.max(*last_at);
            }
            Event::Routed { by: RoutedBy::MailboxDefault | RoutedBy::DeskDefault, .. } => {
                self.n_default += 1;
            }
            Event::Unroutable => self.n_unroutable += 1,
            _ => {}
        }
    }

    /// What was counted, beside the rules in force, which are given in their order.
    #[must_use]
    pub fn finish(mut self, in_force: &[RoutingRule]) -> RuleUsage {
        let mut usage = RuleUsage {
            n_default: self.n_default,
            n_unroutable: self.n_unroutable,
            ..RuleUsage::default()
        };
        let hits_of = |rule: Key, in_force: bool, hits: Option<(u64, DateTime<Utc>)>| RuleHits {
            rule,
            in_force,
            n_hits: hits.map_or(0, |(n, _)| n),
            last_hit_at: hits.map(|(_, at)| at),
        };
        for rule in in_force {
            let hits = self.hits.remove(&rule.key);
            if hits.is_none() {
                usage.dead.push(rule.key.clone());
            }
            usage.rules.push(hits_of(rule.key.clone(), true, hits));
        }
        let gone = self.hits.into_iter().map(|(rule, hits)| hits_of(rule, false, Some(hits)));
        usage.rules.extend(gone);
        usage
    }
}
