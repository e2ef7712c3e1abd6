//! On-call schedules as they are asked: who, until when, and where nobody is.

use super::oncall::{OverrideChange, OverrideDef, ScheduleDef};
use super::rotation::{Rotation, WeekHours, reading};
use crate::calendar::ZoneRules;
use crate::fault::Fault;
use crate::id::{AgentId, Key};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::Range;

/// Instants at which somebody might come or go that one shift looks at.
const EDGES_MAX: usize = 10_000;
/// Days that [`Schedule::coverage`] looks at.
pub const COVERAGE_DAYS: i64 = 366;

/// A schedule that was checked, ready to be asked. Each answer costs the same,
/// however far it lies from the start of a rotation.
///
/// ```
/// use helpdesk_core::calendar::BundledZones;
/// use helpdesk_core::escalation::oncall::ScheduleDef;
/// use helpdesk_core::escalation::schedule::Schedule;
/// let (ann, bob) = ("00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b");
/// let def: ScheduleDef = serde_json::from_value(serde_json::json!({
///     "key": "duty",
///     "layers": [{"participants": [ann, bob], "start": "2026-06-01T09:00", "zone": "Europe/Berlin"}],
/// }))?;
/// let schedule = Schedule::compile(&def, &BundledZones::new()).map_err(|faults| faults[0].clone())?;
/// let at = |text: &str| text.parse().map_err(|_| "not an instant");
/// assert_eq!(schedule.on_call(at("2026-06-08T06:59:59Z")?), [ann.parse()?]);
/// assert_eq!(schedule.on_call(at("2026-06-08T07:00:00Z")?), [bob.parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    key: Key,
    layers: Vec<Layer>,
    overrides: Vec<OverrideDef>,
    /// When an override begins or ends, sorted, each once.
    override_edges: Vec<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Layer {
    rotation: Rotation,
    hours: Option<WeekHours>,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

/// Time in which the same people are on call, in the same turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// Its first instant, or that of the range that was asked for.
    pub from: DateTime<Utc>,
    /// The first instant after it, or after the range.
    pub until: DateTime<Utc>,
    /// Who, sorted; empty in a gap.
    pub agents: Vec<AgentId>,
    /// The layer that counts, from 0, and its turn; `None` where no layer has anybody.
    pub layer: Option<(usize, i64)>,
}

/// How much of a year nobody is on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Stretches of time without anybody.
    pub n_gaps: u64,
    /// Their seconds in all.
    pub gap_seconds: i64,
    /// The first of them.
    pub first_gap: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// Who is on call, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    agents: Vec<AgentId>,
    layer: Option<(usize, i64)>,
}

impl Schedule {
    /// Checks a schedule and makes it ready.
    ///
    /// # Errors
    ///
    /// All faults, as [`ScheduleDef::check`].
    pub fn compile(def: &ScheduleDef, zones: &dyn ZoneRules) -> Result<Self, Vec<Fault>> {
        let mut faults = def.check(zones);
        let mut layers = Vec::with_capacity(def.layers.len());
        for (i, layer) in def.layers.iter().enumerate() {
            match zones.zone(&layer.zone) {
                Ok(zone) => layers.push(Layer {
                    rotation: Rotation::new(layer, zone),
                    hours: layer.hours.as_ref().and_then(WeekHours::new),
                    from: layer.from,
                    until: layer.until,
                }),
                Err(error) if faults.is_empty() => {
                    faults.push(Fault::invalid(format!("layers[{i}].zone"), error.to_string()));
                }
                Err(_) => {}
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let is_some = |own: &&OverrideDef| own.from < own.until;
        let overrides: Vec<OverrideDef> = def.overrides.iter().filter(is_some).cloned().collect();
        let edges: BTreeSet<_> = overrides.iter().flat_map(|own| [own.from, own.until]).collect();
        let override_edges = edges.into_iter().collect();
        Ok(Self { key: def.key.clone(), layers, overrides, override_edges })
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Who is on call at an instant, sorted; nobody in a gap.
    #[must_use]
    pub fn on_call(&self, at: DateTime<Utc>) -> Vec<AgentId> {
        self.standing(at).agents
    }

    /// The first instant after `at` at which another shift begins: others are
    /// on call, or the same in another turn. `None` when that never happens.
    #[must_use]
    pub fn next_handoff(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let standing = self.standing(at);
        let mut edge = self.next_edge(at, &standing)?;
        for _ in 0..EDGES_MAX {
            if self.standing(edge) != standing {
                break;
            }
            edge = self.next_edge(edge, &standing)?;
        }
        Some(edge)
    }

    /// The shifts of a range, in order, without holes: gaps are shifts of nobody.
    ///
    /// The first and the last are cut to the range. They are found one by one:
    /// take as many as are needed. An empty range has none.
    pub fn shifts(&self, range: Range<DateTime<Utc>>) -> impl Iterator<Item = Shift> + '_ {
        let mut next = (range.start < range.end).then_some(range.start);
        std::iter::from_fn(move || {
            let from = next?;
            let Standing { agents, layer } = self.standing(from);
            let until = self.next_handoff(from).map_or(range.end, |end| end.min(range.end));
            next = (until < range.end).then_some(until);
            Some(Shift { from, until, agents, layer })
        })
    }

    /// How much of the [`COVERAGE_DAYS`] from `from` on nobody is on call.
    #[must_use]
    pub fn coverage(&self, from: DateTime<Utc>) -> Coverage {
        let until = from.checked_add_signed(TimeDelta::days(COVERAGE_DAYS));
        let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let mut found = Coverage { n_gaps: 0, gap_seconds: 0, first_gap: None };
        let mut last_end = None;
        for gap in self.shifts(from..until).filter(|shift| shift.agents.is_empty()) {
            found.gap_seconds += (gap.until - gap.from).num_seconds();
            let continues = last_end == Some(gap.from);
            match &mut found.first_gap {
                Some((_, end)) if continues && found.n_gaps == 1 => *end = gap.until,
                Some(_) => {}
                first => *first = Some((gap.from, gap.until)),
            }
            found.n_gaps += u64::from(!continues);
            last_end = Some(gap.until);
        }
        found
    }

    fn standing(&self, at: DateTime<Utc>) -> Standing {
        let on_duty = |(i, layer): (usize, &Layer)| Some((i, layer.turn(at)?));
        let layer = self.layers.iter().enumerate().rev().find_map(on_duty);
        let agent = layer.and_then(|(i, turn)| self.layers[i].rotation.agent(turn));
        let mut agents: BTreeSet<AgentId> = agent.into_iter().collect();
        for own in self.overrides.iter().filter(|own| own.from <= at && at < own.until) {
            own.change.apply(&mut agents);
        }
        Standing { agents: agents.into_iter().collect(), layer }
    }

    /// The first instant after `at` at which the standing there may end. Layers
    /// below the one that counts can change nothing before it ends.
    fn next_edge(&self, at: DateTime<Utc>, standing: &Standing) -> Option<DateTime<Utc>> {
        let lowest = standing.layer.map_or(0, |(i, _)| i);
        let of_layers = self.layers[lowest..].iter().filter_map(|layer| layer.next_edge(at));
        let n_past = self.override_edges.partition_point(|edge| *edge <= at);
        of_layers.chain(self.override_edges.get(n_past).copied()).min()
    }
}

impl Layer {
    /// The turn that is on call; `None` outside of the layer's hours and time.
    fn turn(&self, at: DateTime<Utc>) -> Option<i64> {
        if self.from.is_some_and(|from| at < from) || self.until.is_some_and(|until| until <= at) {
            return None;
        }
        let local = reading(self.rotation.zone(), at);
        let is_open = self.hours.as_ref().is_none_or(|hours| hours.end(local).is_some());
        is_open.then(|| self.rotation.turn_of(local))
    }

    /// The first instant after `at` at which the turn that is on call may be another.
    fn next_edge(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if let Some(from) = self.from.filter(|from| at < *from) {
            return Some(from);
        }
        if self.until.is_some_and(|until| until <= at) {
            return None;
        }
        let zone = self.rotation.zone();
        let local = reading(zone, at);
        let hours = self.hours.as_ref().map(|hours| (hours.end(local), hours.next_open(local)));
        let edges = match hours {
            None => [self.rotation.next_handoff(at), None],
            Some((Some(end), _)) => {
                [self.rotation.next_handoff(at), Some(zone.first_at_or_after(end))]
            }
            Some((None, open)) => [open.map(|open| zone.first_at_or_after(open)), None],
        };
        // At the end of time the clock stands still.
        let edges = edges.into_iter().flatten().chain(self.until);
        edges.filter(|edge| *edge > at).min()
    }
}

impl OverrideChange {
    fn apply(&self, agents: &mut BTreeSet<AgentId>) {
        match self {
            Self::Add { agent } => {
                agents.insert(*agent);
            }
            Self::Remove { agent } => {
                agents.remove(agent);
            }
            Self::Replace { agent: Some(agent), with } => {
                if agents.remove(agent) {
                    agents.insert(*with);
                }
            }
            Self::Replace { agent: None, with } => {
                agents.clear();
                agents.insert(*with);
            }
        }
    }
}
