//! Counting: from tickets and the journal to a report.

use super::bucket::{Bucket, buckets};
use super::{Attainment, Durations, GroupBy, Measure, Report, ReportQuery, ReportRow, Value};
use crate::clock::{Clock, ClockState};
use crate::event::{Event, Recorded, StreamKind};
use crate::fault::Fault;
use crate::id::{Key, TicketId};
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Counts a desk's journal.
///
/// First [`ticket`](Self::ticket) for each ticket that the asker may see, then
/// [`event`](Self::event) for the journal in feed order from its very start, then
/// [`finish`](Self::finish). Events of tickets that were not announced are
/// ignored: scope, spam and deletion are as they are now.
///
/// It keeps a few words for each announced ticket, and each duration that counts.
///
/// ```
/// use helpdesk_core::report::{Report, Reporter, Value, Measure};
/// let query = serde_json::from_value(serde_json::json!({
///     "from": "2026-11-20T00:00:00Z", "to": "2026-11-22T00:00:00Z",
///     "group_by": "day", "measures": ["opened"]
/// }))?;
/// let reporter = Reporter::new(&query).map_err(|faults| faults[0].to_string())?;
/// // reporter.ticket(&ticket); … reporter.event(&recorded); …
/// let report: Report = reporter.finish();
/// assert_eq!(report.rows[1].key.as_deref(), Some("2026-11-21"));
/// assert_eq!(report.totals[&Measure::Opened], Value::Count(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reporter {
    tallies: Tallies,
    /// The row of each value, by key; empty for rows of time.
    groups: BTreeMap<Option<String>, usize>,
    tickets: BTreeMap<TicketId, Track>,
}

impl Reporter {
    /// Starts a report.
    ///
    /// # Errors
    ///
    /// All faults of [`ReportQuery::check`].
    pub fn new(query: &ReportQuery) -> Result<Self, Vec<Fault>> {
        let buckets = buckets(query)?;
        let rows = buckets.iter().map(|_| Tally::default()).collect();
        let tallies = Tallies {
            from: query.from,
            to: query.to,
            group_by: query.group_by,
            measures: query.measures.iter().copied().collect(),
            buckets,
            rows,
        };
        Ok(Self { tallies, groups: BTreeMap::new(), tickets: BTreeMap::new() })
    }

    /// Announces a ticket as it is now; it counts in the row of its present
    /// values. Spam and deleted tickets are left out; a second announcement of
    /// a ticket changes nothing.
    pub fn ticket(&mut self, ticket: &Ticket) {
        if !ticket.is_live() || self.tickets.contains_key(&ticket.id) {
            return;
        }
        let row = if self.tallies.buckets.is_empty() {
            let key = value_of(ticket, self.tallies.group_by);
            let rows = &mut self.tallies.rows;
            *self.groups.entry(key).or_insert_with(|| {
                rows.push(Tally::default());
                rows.len() - 1
            })
        } else {
            0
        };
        self.tickets.insert(ticket.id, Track { row, life: None, clocks: BTreeMap::new() });
    }

    /// Whether an event of this kind can count here. One that cannot need not be
    /// passed to [`event`](Self::event), but may.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let asked = &self.tallies.measures;
        match event {
            Event::Opened { .. } => true,
            Event::Replied { message } => {
                message.author.is_human_agent() && asked.contains(&Measure::FirstReplySeconds)
            }
            Event::StatusSet { .. } => {
                let by_status =
                    [Measure::Solved, Measure::Reopened, Measure::Backlog, Measure::SolveSeconds];
                by_status.iter().any(|measure| asked.contains(measure))
            }
            Event::ClockChanged { .. } => asked.contains(&Measure::Sla),
            _ => false,
        }
    }

    /// Counts an entry of the journal. Those of one ticket must come in order.
    ///
    /// A status counts at the time of its event, but never before the one before
    /// it. Events before the ticket's `Opened` are ignored.
    pub fn event(&mut self, recorded: &Recorded) {
        let entry = &recorded.entry;
        if entry.stream.kind != StreamKind::Case {
            return;
        }
        let Some(track) = self.tickets.get_mut(&TicketId(entry.stream.id)) else { return };
        let tallies = &mut self.tallies;
        if let Event::Opened { ticket, imported, .. } = &entry.event {
            let created_at = if *imported { ticket.times.created_at } else { entry.at };
            track.life = Some(tallies.open(track.row, created_at, ticket));
            return;
        }
        if let Event::ClockChanged { change } = &entry.event {
            let clock = &change.clock;
            track.clocks.insert((clock.metric.clone(), clock.cycle), Outcome::of(clock));
            return;
        }
        let Some(life) = &mut track.life else { return };
        match &entry.event {
            Event::Replied { message } if message.author.is_human_agent() && !life.replied => {
                life.replied = true;
                let seconds = life.seconds_until(entry.at);
                tallies.keep_seconds(track.row, entry.at, Measure::FirstReplySeconds, seconds);
            }
            Event::StatusSet { category, .. } if category.is_unsolved() != life.unsolved => {
                life.unsolved = category.is_unsolved();
                life.changed_at = life.changed_at.max(entry.at);
                if life.unsolved {
                    tallies.reopen(track.row, life.changed_at);
                } else {
                    tallies.solve(track.row, life);
                }
            }
            _ => {}
        }
    }

    /// The report.
    #[must_use]
    pub fn finish(mut self) -> Report {
        for track in self.tickets.values() {
            for ((metric, _), outcome) in &track.clocks {
                self.tallies.decide(track.row, metric, *outcome);
            }
        }
        let Tallies { group_by, measures, buckets, mut rows, .. } = self.tallies;
        let mut total = Tally::default();
        let mut report_rows = Vec::new();
        if buckets.is_empty() {
            for (key, row) in self.groups {
                let tally = std::mem::take(&mut rows[row]);
                total.add(&tally);
                let values = tally.values(&measures);
                if values.values().any(|value| !value.is_zero()) {
                    report_rows.push(ReportRow { key, from: None, to: None, values });
                }
            }
        } else {
            for (bucket, mut tally) in buckets.into_iter().zip(rows) {
                total.add(&tally);
                tally.backlog = total.backlog;
                report_rows.push(ReportRow {
                    key: Some(bucket.key),
                    from: Some(bucket.from),
                    to: Some(bucket.to),
                    values: tally.values(&measures),
                });
            }
        }
        Report { group_by, rows: report_rows, totals: total.values(&measures) }
    }
}

/// The key of the row that a ticket counts in; `None` also for rows of time.
fn value_of(ticket: &Ticket, group_by: GroupBy) -> Option<String> {
    match group_by {
        GroupBy::Day | GroupBy::Week | GroupBy::Month => None,
        GroupBy::Channel => Some(ticket.channel.to_string()),
        GroupBy::Group => ticket.group.as_ref().map(ToString::to_string),
        GroupBy::Assignee => ticket.assignee.map(|id| id.to_string()),
        GroupBy::Priority => ticket.priority.map(|priority| priority.to_string()),
        GroupBy::Type => ticket.ticket_type.map(|ticket_type| ticket_type.to_string()),
        GroupBy::Organization => ticket.organization.map(|id| id.to_string()),
    }
}

/// An announced ticket.
#[derive(Debug)]
struct Track {
    /// Its row; of no meaning for rows of time.
    row: usize,
    /// `None` until it was opened.
    life: Option<Life>,
    /// How each cycle of each metric ended, as far as the journal was read.
    clocks: BTreeMap<(Key, u32), Outcome>,
}

/// What became of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Open,
    Met(DateTime<Utc>),
    Missed(DateTime<Utc>),
}

impl Outcome {
    fn of(clock: &Clock) -> Self {
        let has_target = clock.target_seconds.is_some() || clock.due_override.is_some();
        match (clock.state, clock.breached_at, clock.stopped_at) {
            (ClockState::Cancelled(_) | ClockState::Superseded, ..) => Self::Open,
            (_, Some(breached_at), _) => Self::Missed(breached_at),
            (ClockState::Met, None, Some(stopped_at)) if has_target => Self::Met(stopped_at),
            _ => Self::Open,
        }
    }
}

#[derive(Debug)]
struct Life {
    created_at: DateTime<Utc>,
    /// When it was last solved or reopened, or else created.
    changed_at: DateTime<Utc>,
    unsolved: bool,
    /// Whether a human agent replied.
    replied: bool,
}

impl Life {
    fn seconds_until(&self, at: DateTime<Utc>) -> u64 {
        u64::try_from((at - self.created_at).num_seconds()).unwrap_or(0)
    }
}

/// What was counted, a tally for each row.
#[derive(Debug)]
struct Tallies {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    group_by: GroupBy,
    measures: BTreeSet<Measure>,
    /// The rows of time; empty for rows of other kinds.
    buckets: Vec<Bucket>,
    rows: Vec<Tally>,
}

impl Tallies {
    /// Counts an opened ticket, and its end when it was opened with one.
    fn open(&mut self, row: usize, created_at: DateTime<Utc>, ticket: &Ticket) -> Life {
        self.count(row, created_at, Measure::Opened);
        let unsolved = ticket.category.is_unsolved();
        let solved_at = ticket.times.solved_at.filter(|_| !unsolved);
        let changed_at = solved_at.map_or(created_at, |at| at.max(created_at));
        let life = Life { created_at, changed_at, unsolved, replied: false };
        if unsolved || solved_at.is_some() {
            self.shift_backlog(row, created_at, 1);
        }
        if solved_at.is_some() {
            self.solve(row, &life);
        }
        life
    }

    fn solve(&mut self, row: usize, life: &Life) {
        let at = life.changed_at;
        self.count(row, at, Measure::Solved);
        self.keep_seconds(row, at, Measure::SolveSeconds, life.seconds_until(at));
        self.shift_backlog(row, at, -1);
    }

    fn reopen(&mut self, row: usize, at: DateTime<Utc>) {
        self.count(row, at, Measure::Reopened);
        self.shift_backlog(row, at, 1);
    }

    fn count(&mut self, row: usize, at: DateTime<Utc>, measure: Measure) {
        if let Some(tally) = self.tally_at(row, at) {
            *tally.counts.entry(measure).or_default() += 1;
        }
    }

    /// Keeps how long something lasted that ended at `at`.
    fn keep_seconds(&mut self, row: usize, at: DateTime<Utc>, measure: Measure, seconds: u64) {
        if self.measures.contains(&measure)
            && let Some(tally) = self.tally_at(row, at)
        {
            tally.seconds.entry(measure).or_default().push(seconds);
        }
    }

    fn decide(&mut self, row: usize, metric: &Key, outcome: Outcome) {
        let (at, counted) = match outcome {
            Outcome::Open => return,
            Outcome::Met(at) => (at, Attainment { n_met: 1, n_missed: 0 }),
            Outcome::Missed(at) => (at, Attainment { n_met: 0, n_missed: 1 }),
        };
        if let Some(tally) = self.tally_at(row, at) {
            tally.sla.entry(metric.clone()).or_default().add(counted);
        }
    }

    /// What happened before the range counts into the backlog of its first row.
    fn shift_backlog(&mut self, row: usize, at: DateTime<Utc>, by: i64) {
        if let Some(tally) = self.tally_at(row, at.max(self.from)) {
            tally.backlog += by;
        }
    }

    /// The tally that an event at `at` belongs to; `None` outside the range.
    fn tally_at(&mut self, row: usize, at: DateTime<Utc>) -> Option<&mut Tally> {
        if at < self.from || at >= self.to {
            return None;
        }
        let row = match self.buckets.is_empty() {
            true => row,
            false => self.buckets.partition_point(|bucket| bucket.to <= at),
        };
        self.rows.get_mut(row)
    }
}

/// What was counted in one row.
#[derive(Debug, Default)]
struct Tally {
    counts: BTreeMap<Measure, u64>,
    /// By how much the backlog grew.
    backlog: i64,
    seconds: BTreeMap<Measure, Vec<u64>>,
    sla: BTreeMap<Key, Attainment>,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.backlog += other.backlog;
        for (measure, n) in &other.counts {
            *self.counts.entry(*measure).or_default() += n;
        }
        for (measure, seconds) in &other.seconds {
            self.seconds.entry(*measure).or_default().extend(seconds);
        }
        for (metric, counted) in &other.sla {
            self.sla.entry(metric.clone()).or_default().add(*counted);
        }
    }

    fn values(mut self, measures: &BTreeSet<Measure>) -> BTreeMap<Measure, Value> {
        let mut value = |measure| match measure {
            Measure::Opened | Measure::Solved | Measure::Reopened => {
                Value::Count(self.counts.get(&measure).copied().unwrap_or(0))
            }
            Measure::Backlog => Value::Count(u64::try_from(self.backlog).unwrap_or(0)),
            Measure::FirstReplySeconds | Measure::SolveSeconds => {
                let seconds = self.seconds.remove(&measure).unwrap_or_default();
                Value::Durations(Durations::of(seconds))
            }
            Measure::Sla => Value::Sla(std::mem::take(&mut self.sla)),
        };
        measures.iter().map(|measure| (*measure, value(*measure))).collect()
    }
}

impl Value {
    fn is_zero(&self) -> bool {
        match self {
            Self::Count(n) => *n == 0,
            Self::Durations(durations) => durations.n == 0,
            Self::Sla(by_metric) => by_metric.is_empty(),
        }
    }
}
