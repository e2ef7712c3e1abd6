//! Routing rules: the first whose condition holds names the queue.

use crate::condition::{Compiled, Condition, Evidence, Facts, Scratch};
use crate::event::RoutedBy;
use crate::id::Key;
use crate::limit::{TRACE_BECAUSE_MAX, TRACE_RULES_MAX};
use crate::ticket::priority::{Priority, SkillLevel, TicketType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rule does to the tickets it matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteTo {
    /// The queue to wait in.
    pub queue: Key,
    /// The priority, where the ticket has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The type, where the ticket has none yet.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<TicketType>,
    /// Tags to put on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Skills its agent must have, beside those it requires already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillLevel>,
}

/// A rule, its condition parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingRule {
    /// Its key.
    pub key: Key,
    /// Lower is tried first; ties go by key.
    pub position: i64,
    /// Which tickets.
    pub when: Condition,
    /// Where to.
    pub then: RouteTo,
}

impl RoutingRule {
    /// By this the rules are tried: position, then key.
    #[must_use]
    pub fn order(&self) -> (i64, &Key) {
        (self.position, &self.key)
    }
}

/// Sorts rules into the order in which they are tried: position, then key.
pub fn sort_rules(rules: &mut [RoutingRule]) {
    rules.sort_by(|a, b| a.order().cmp(&b.order()));
}

/// The rule that a ticket follows: the first by (position, key) whose condition
/// holds; `None` when none does.
///
/// The order of `rules` does not matter; after [`sort_rules`], no condition
/// behind the first match is evaluated.
///
/// ```
/// use chrono::DateTime;
/// use helpdesk_core::condition::{Condition, FactMap, Schema};
/// use helpdesk_core::id::Key;
/// use helpdesk_core::routing::rules::{RouteTo, RoutingRule, route};
/// use serde_json::{from_value, json};
///
/// let schema = Schema::default();
/// let when = json!({"field": "subject", "has_word": ["invoice"]});
/// let rules = [RoutingRule {
///     key: Key::new("money").map_err(|fault| fault.message)?,
///     position: 1,
///     when: Condition::parse(&when, &schema).map_err(|faults| faults[0].to_string())?,
///     then: from_value(json!({"queue": "billing"})).map_err(|error| error.to_string())?,
/// }];
/// let ticket = json!({"subject": "Invoice 17 is missing"});
/// let facts = FactMap::from_json(&ticket, DateTime::UNIX_EPOCH, &schema)
///     .map_err(|faults| faults[0].to_string())?;
/// assert_eq!(route(&rules, &facts).map(|rule| rule.then.queue.as_str()), Some("billing"));
/// # Ok::<(), String>(())
/// ```
#[must_use]
pub fn route<'r, F: Facts + ?Sized>(
    rules: &'r [RoutingRule],
    facts: &F,
) -> Option<&'r RoutingRule> {
    let mut first: Option<&RoutingRule> = None;
    for rule in rules {
        let comes_before = first.is_none_or(|first| rule.order() < first.order());
        if comes_before && rule.when.holds(facts) {
            first = Some(rule);
        }
    }
    first
}

/// Rules made ready for many tickets: in order, and compiled.
///
/// [`RoutingRules::route`] names the same rule as [`route`], whose cost grows with
/// the rules that are tried; this one's hardly grows with the rules there are.
///
/// ```
/// use chrono::DateTime;
/// use helpdesk_core::condition::{Condition, FactMap, Schema, Scratch};
/// use helpdesk_core::id::Key;
/// use helpdesk_core::routing::rules::{RoutingRule, RoutingRules};
/// use serde_json::{from_value, json};
///
/// let schema = Schema::default();
/// let rule = |position: i64, word: &str, queue: &str| {
///     Ok(RoutingRule {
///         key: Key::new(queue).map_err(|fault| fault.message)?,
///         position,
///         when: Condition::parse(&json!({"field": "subject", "has_word": [word]}), &schema)
///             .map_err(|faults| faults[0].to_string())?,
///         then: from_value(json!({"queue": queue})).map_err(|error| error.to_string())?,
///     })
/// };
/// let rules = [rule(2, "invoice", "billing"), rule(1, "parcel", "shipping")];
/// let rules = RoutingRules::new(rules.into_iter().collect::<Result<_, String>>()?);
///
/// let ticket = json!({"subject": "An invoice for a parcel"});
/// let facts = FactMap::from_json(&ticket, DateTime::UNIX_EPOCH, &schema)
///     .map_err(|faults| faults[0].to_string())?;
/// let mut scratch = Scratch::default();
/// let (place, rule) = rules.route(&facts, &mut scratch).ok_or("no rule")?;
/// assert_eq!((place, rule.then.queue.as_str()), (0, "shipping"));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoutingRules {
    rules: Compiled<RoutingRule>,
}

impl RoutingRules {
    /// Sorts and compiles rules.
    #[must_use]
    pub fn new(mut rules: Vec<RoutingRule>) -> Self {
        sort_rules(&mut rules);
        Self { rules: Compiled::new(rules, |rule| &rule.when) }
    }

    /// The rules in the order in which they are tried.
    #[must_use]
    pub fn rules(&self) -> &[RoutingRule] {
        &self.rules
    }

    /// The rule that a ticket follows, and its place among all.
    pub fn route<F: Facts + ?Sized>(
        &self,
        facts: &F,
        scratch: &mut Scratch,
    ) -> Option<(usize, &RoutingRule)> {
        self.rules.find(facts, scratch, |_| true)
    }

    /// The places of all rules that hold on a ticket, in order.
    pub fn all<'s, F: Facts + ?Sized>(&self, facts: &F, scratch: &'s mut Scratch) -> &'s [u32] {
        self.rules.all(facts, scratch)
    }
}

/// A rule that was tried and did not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleMissed {
    /// The rule.
    pub rule: Key,
    /// The first part of its condition that decided so.
    pub because: Evidence,
}

/// Why a ticket follows a rule, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteTrace {
    /// The rule that matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Key>,
    /// Its queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Key>,
    /// What decided, in words; at most [`TRACE_BECAUSE_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
    /// Rules that were tried, the one that matched among them.
    pub n_tried: u32,
    /// The rules tried before, in order; the first [`TRACE_RULES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<RuleMissed>,
}

impl RouteTrace {
    /// The trace in short, for the event; `None` when no rule matched.
    #[must_use]
    pub fn routed_by(&self) -> Option<RoutedBy> {
        let rule = self.rule.clone()?;
        Some(RoutedBy::Rule { rule, because: self.because.clone() })
    }
}

/// [`route`] with its reasons. The order of `rules` does not matter.
#[must_use]
pub fn explain_route<F: Facts + ?Sized>(rules: &[RoutingRule], facts: &F) -> RouteTrace {
    let mut ordered: Vec<&RoutingRule> = rules.iter().collect();
    ordered.sort_by(|a, b| a.order().cmp(&b.order()));
    let matched = ordered.iter().position(|rule| rule.when.holds(facts));
    let n_before = matched.unwrap_or(ordered.len());
    let missed = ordered[..n_before].iter().take(TRACE_RULES_MAX).filter_map(|rule| {
        let because = rule.when.evidence(facts).into_iter().next()?;
        Some(RuleMissed { rule: rule.key.clone(), because })
    });
    let rule = matched.map(|at| ordered[at]);
    RouteTrace {
        rule: rule.map(|rule| rule.key.clone()),
        queue: rule.map(|rule| rule.then.queue.clone()),
        because: rule.map_or_else(Vec::new, |rule| because(&rule.when, facts)),
        n_tried: u32::try_from(n_before + usize::from(rule.is_some())).unwrap_or(u32::MAX),
        missed: missed.collect(),
    }
}

fn because<F: Facts + ?Sized>(when: &Condition, facts: &F) -> Vec<String> {
    let evidence = when.evidence(facts).into_iter().take(TRACE_BECAUSE_MAX);
    evidence.map(|part| part.to_string()).collect()
}
