//! Which rules a ticket meets, and for any rule what decides.

use crate::case::Case;
use crate::case::facts::{Around, CaseFacts};
use crate::condition::{Facts, Field, Scratch};
use crate::desk::Desk;
use crate::fault::{Code, Fault, Rejection};
use crate::id::Key;
use crate::limit::EXPLAIN_RULES_MAX;
use crate::routing::rules::RoutingRule;
use crate::trace::{RuleExplained, RuleOutcome, RulesExplained, Step};
use chrono::{DateTime, Utc};

/// The routing rules that hold on a ticket now, in their order, and why; and of the
/// rules that are named, whether they hold or not, the parts of the condition that
/// decided so, with what they saw.
///
/// All rules that hold are counted; of the first [`EXPLAIN_RULES_MAX`] it says why.
///
/// # Errors
///
/// [`Code::NotConfigured`] for a rule that the desk does not have,
/// [`Code::OverLimit`] for more than [`EXPLAIN_RULES_MAX`] named ones.
pub fn explain_rules(
    case: &Case,
    around: Around<'_>,
    desk: &Desk,
    named: &[Key],
    now: DateTime<Utc>,
) -> Result<RulesExplained, Rejection> {
    if named.len() > EXPLAIN_RULES_MAX {
        let fault = Fault::over_limit("rules", named.len(), "rules", EXPLAIN_RULES_MAX);
        return Err(fault.into());
    }
    let facts = CaseFacts::new(&case.ticket, around, now, desk.terms());
    let rules = desk.rules();
    let mut scratch = Scratch::default();
    let matched: Vec<usize> =
        desk.routing().all(&facts, &mut scratch).iter().map(|place| *place as usize).collect();
    let explain = |place: usize| -> Option<RuleExplained> {
        let rule = rules.get(place)?;
        let outcome = match matched.binary_search(&place) {
            Ok(0) => RuleOutcome::Decides,
            Ok(_) => RuleOutcome::ComesLater,
            Err(_) => RuleOutcome::DoesNotHold,
        };
        Some(explained(rule, place, outcome, &facts))
    };
    let mut asked = Vec::with_capacity(named.len());
    for (i, key) in named.iter().enumerate() {
        let Some(place) = rules.iter().position(|rule| rule.key == *key) else {
            let message = format!("the desk has no rule `{key}`");
            return Err(Rejection::at(Code::NotConfigured, format!("rules[{i}]"), message));
        };
        asked.extend(explain(place));
    }
    Ok(RulesExplained {
        n_rules: rules.len() as u64,
        n_matched: matched.len() as u64,
        matched: matched
            .iter()
            .take(EXPLAIN_RULES_MAX)
            .filter_map(|place| explain(*place))
            .collect(),
        asked,
        cut: cut_texts(&facts),
    })
}

fn explained(
    rule: &RoutingRule,
    place: usize,
    outcome: RuleOutcome,
    facts: &CaseFacts<'_>,
) -> RuleExplained {
    let because = rule.when.evidence(facts);
    let how = match outcome {
        RuleOutcome::Decides => "decides",
        RuleOutcome::ComesLater => "holds, and comes after the one that decides",
        RuleOutcome::DoesNotHold => "does not hold",
    };
    let mut sentence = format!("rule `{}` {how}", rule.key);
    for (i, part) in because.iter().enumerate() {
        sentence.push_str(if i == 0 { ": " } else { "; " });
        sentence.push_str(&part.to_string());
    }
    RuleExplained {
        rule: rule.key.clone(),
        place: place as u64,
        queue: rule.then.queue.clone(),
        outcome,
        because,
        sentence,
    }
}

/// The texts of which conditions see only the start.
pub(super) fn cut_texts(facts: &CaseFacts<'_>) -> Vec<Step> {
    let texts = [(Field::Subject, "subject"), (Field::Body, "body")];
    let cut = texts.into_iter().filter_map(|(field, what)| {
        let text = facts.text(&field).filter(|text| text.is_cut())?;
        Some(Step::TextCut { what: what.to_owned(), looked_at: text.seen().len() as u64 })
    });
    cut.collect()
}
