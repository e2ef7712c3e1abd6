//! On-call schedules as people write them: layers of rotations, and overrides.

use super::rotation::Rotation;
use crate::calendar::{Moment, WeeklyHours, Zone, ZoneRules};
use crate::fault::{Code, Fault};
use crate::id::{AgentId, Key};
use crate::limit::{LAYERS_MAX, OVERRIDES_MAX, PARTICIPANTS_MAX, ROTATION_LENGTH_MAX};
use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who is on call when: the last layer that has somebody, changed by overrides.
///
/// Where no layer has anybody there is a gap, and it is seen as one.
///
/// ```
/// use helpdesk_core::escalation::oncall::ScheduleDef;
/// let schedule: ScheduleDef = serde_json::from_value(serde_json::json!({
///     "key": "billing-duty",
///     "layers": [{
///         "participants": ["00000000-0000-0000-0000-000000000001"],
///         "unit": "weekly",
///         "start": "2026-06-01T09:00",
///         "zone": "Europe/Berlin",
///     }],
/// }))?;
/// assert_eq!(schedule.layers[0].length, 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleDef {
    /// Its key.
    pub key: Key,
    /// What people read; the key when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Rotations; where several have somebody, the last of them counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerDef>,
    /// Exceptions, in the order in which they were made: a later one sees what
    /// the earlier ones did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<OverrideDef>,
}

/// How long one unit of a turn is, on the wall clock.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RotationUnit {
    /// An hour that the wall clock shows.
    Hourly,
    /// From a time of day to the same one of the next day.
    Daily,
    /// From a time of the week to the same one of the next week.
    Weekly,
    /// From a day of the month to the same one of the next month, or to its
    /// last day where it has no such day.
    Monthly,
}

/// One rotation: agents who take turns.
///
/// Turn *n* begins when the wall clock first reads `start` plus *n* times
/// `length` units, or later; turns before `start` count down, so that they
/// cover all time. A turn that the wall clock skips has no time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerDef {
    /// What people read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Who takes turns, in this order; the first has the turn that begins at `start`.
    pub participants: Vec<AgentId>,
    /// The unit of a turn.
    #[serde(default = "weekly")]
    pub unit: RotationUnit,
    /// Units of a turn.
    #[serde(default = "one")]
    pub length: u32,
    /// When a turn begins: local time of `zone`, to the second, or an instant,
    /// which stands for what the wall clock reads then.
    pub start: Moment,
    /// The IANA time zone on whose wall clock turns and hours are.
    pub zone: String,
    /// The hours of a week in which somebody of this layer is on call; always
    /// when absent. Turns go on outside of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<WeeklyHours>,
    /// Nobody of this layer is on call before; for ever back when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Nobody of this layer is on call from then on; for ever on when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// An exception from `from` on, before `until`. One without length does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideDef {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub until: DateTime<Utc>,
    /// What it does.
    #[serde(rename = "do")]
    pub change: OverrideChange,
}

/// What an override does to those on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum OverrideChange {
    /// This agent is on call too.
    Add {
        /// Who.
        agent: AgentId,
    },
    /// This agent is not on call.
    Remove {
        /// Who.
        agent: AgentId,
    },
    /// An agent is on call in place of another, while the other would be.
    Replace {
        /// Whose place; when absent, in place of all, and in gaps too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        /// Who.
        with: AgentId,
    },
}

impl ScheduleDef {
    /// What is wrong with the schedule, with paths in it. Whether agents exist
    /// is not looked at: they are no part of the configuration.
    #[must_use]
    pub fn check(&self, zones: &dyn ZoneRules) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.layers.is_empty() && self.overrides.is_empty() {
            faults.push(Fault::invalid("layers", "nobody is ever on call: give it a layer"));
        }
        at_most(self.layers.len(), LAYERS_MAX, "layers", "layers", &mut faults);
        for (i, layer) in self.layers.iter().enumerate().take(LAYERS_MAX) {
            let path = format!("layers[{i}]");
            faults.extend(layer.check(zones).into_iter().map(|fault| fault.under(&path)));
        }
        at_most(self.overrides.len(), OVERRIDES_MAX, "overrides", "overrides", &mut faults);
        for (i, own) in self.overrides.iter().enumerate().take(OVERRIDES_MAX) {
            if own.until < own.from {
                let message = "ends before it begins";
                faults.push(Fault::invalid(format!("overrides[{i}].until"), message));
            }
        }
        faults
    }
}

impl LayerDef {
    fn check(&self, zones: &dyn ZoneRules) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.participants.is_empty() {
            faults.push(Fault::invalid("participants", "a rotation needs at least one"));
        }
        let n = self.participants.len();
        at_most(n, PARTICIPANTS_MAX, "participants", "participants", &mut faults);
        if !(1..=ROTATION_LENGTH_MAX).contains(&self.length) {
            let message = format!("takes 1 to {ROTATION_LENGTH_MAX}");
            faults.push(Fault::invalid("length", message));
        }
        if let Err(error) = zones.zone(&self.zone) {
            faults.push(Fault::new("zone", Code::NotConfigured, error.to_string()));
        }
        if let Some(hours) = &self.hours
            && hours.days().iter().all(|(_, spans)| spans.is_empty())
        {
            let message = "no hours in any week: leave it out for always";
            faults.push(Fault::invalid("hours", message));
        }
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until < from
        {
            faults.push(Fault::invalid("until", "ends before it begins"));
        }
        faults
    }

    /// The layers in place of this one when an agent leaves the rotation at
    /// `at`. The past stays as it was.
    ///
    /// Where it is their turn, the next participant takes over what is left of
    /// it; the others go on in their order from there, with handoffs at the same
    /// times. Nothing changes when they are no participant, or the layer has
    /// ended. `zone` is the layer's.
    #[must_use]
    pub fn without(&self, agent: AgentId, at: DateTime<Utc>, zone: Arc<Zone>) -> Vec<Self> {
        let has_ended = self.until.is_some_and(|until| until <= at);
        if has_ended || !self.participants.contains(&agent) {
            return vec![self.clone()];
        }
        let mut layers = Vec::new();
        if self.from.is_none_or(|from| from < at) {
            layers.push(Self { until: Some(at), ..self.clone() });
        }
        let turn = Rotation::new(self, zone).turn(at);
        let n = self.participants.len();
        let whose = index(turn, n);
        let cycle = self.participants.iter().cycle().skip(whose).take(n);
        let rest: Vec<AgentId> = cycle.copied().filter(|own| *own != agent).collect();
        if rest.is_empty() {
            return layers;
        }
        // The first of the rest has this turn.
        let mut participants = rest;
        let place = index(turn, participants.len());
        participants.rotate_right(place);
        let from = Some(self.from.map_or(at, |from| from.max(at)));
        layers.push(Self { participants, from, ..self.clone() });
        layers
    }

    /// What the wall clock of a zone reads at the start.
    pub(super) fn local_start(&self, zone: &Zone) -> NaiveDateTime {
        match self.start {
            Moment::Local(local) => local,
            Moment::Instant(at) => zone.wall(at),
        }
    }
}

/// The place of a turn among `n` participants; 0 without any.
pub(super) fn index(turn: i64, n: usize) -> usize {
    let n = i64::try_from(n).unwrap_or(i64::MAX).max(1);
    usize::try_from(turn.rem_euclid(n)).unwrap_or_default()
}

/// A fault when there are more than `max`.
pub(super) fn at_most(n: usize, max: usize, what: &str, path: &str, faults: &mut Vec<Fault>) {
    if n > max {
        faults.push(Fault::new(path, Code::OverLimit, format!("{n} {what}, at most {max}")));
    }
}

fn weekly() -> RotationUnit {
    RotationUnit::Weekly
}

fn one() -> u32 {
    1
}
