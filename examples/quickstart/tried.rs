//! What each rule did on the day, and what a change would have made of the day.

use crate::day::DAY;
use crate::office::Office;
use crate::parts::time;
use crate::table::{cut, heading, labelled, print};
use crate::{Result, Trouble, trouble};
use helpdesk::core::desk::from_toml;
use helpdesk::core::id::AgentId;
use helpdesk::core::query::{Answer, Query};
use helpdesk::core::what_if::{StaffChange, TicketResult, WhatIf, WhatIfAnswer};
use serde_json::{from_value, json};
use std::collections::BTreeMap;

/// Counts the rules, then leads the day's tickets once more through the engine: as it
/// was, and with a change. Nothing of that is written.
pub(crate) fn tried(office: &Office) -> Result<()> {
    heading(9, "Which rules decided on Monday, and what a change would have done");
    rules(office)?;
    let with_nina = WhatIf { staffing: vec![nina()?], ..monday()? };
    let answer = ask(office, with_nina)?;
    let fidelity = answer.fidelity;
    say!(
        "\n  The day is replayed by the same engine; unchanged, it gives {} of {} tickets as they were.",
        fidelity.n_same,
        fidelity.n_tickets
    );
    show(office, "What if Nina had been there too, who speaks Russian and knows billing?", &answer);
    let mut document =
        from_toml(include_str!("desk.toml")).map_err(|fault| Trouble(fault.to_string()))?;
    if let Some(rules) = document["rules"].as_array_mut() {
        rules.push(json!({
            "key": "papers",
            "when": {"field": "text", "has_word": ["insurance", "proof of ownership"]},
            "then": {"queue": "billing"},
        }));
    }
    let answer = ask(office, WhatIf { document: Some(document), ..monday()? })?;
    show(
        office,
        "What if a last rule `papers` had sent mails about insurance to billing?",
        &answer,
    );
    Ok(())
}

/// The tickets of the day, with nothing changed yet.
fn monday() -> Result<WhatIf> {
    let at = |time: &str| format!("{DAY}T{time}Z").parse();
    Ok(WhatIf::new(at("00:00:00")?, at("18:00:00")?))
}

/// Somebody whom the desk does not have.
fn nina() -> Result<StaffChange> {
    let nina = json!({
        "agent": "00000000-0000-0000-0000-000000000008",
        "patch": {
            "name": "Nina", "groups": ["billing"], "capacity": {"total": 3},
            "skills": [{"skill": "russian", "level": 8}, {"skill": "billing", "level": 5}],
        },
        "online": [{"from": format!("{DAY}T08:30:00Z"), "until": format!("{DAY}T17:00:00Z")}],
    });
    Ok(from_value(nina)?)
}

fn ask(office: &Office, what_if: WhatIf) -> Result<WhatIfAnswer> {
    match office.ask(Query::WhatIf(what_if))? {
        Answer::WhatIf(answer) => Ok(*answer),
        other => trouble(format!("a what-if was expected, not {other:?}")),
    }
}

/// How often each rule decided, in the order in which they are tried.
fn rules(office: &Office) -> Result<()> {
    let WhatIf { from, until, .. } = monday()?;
    let Answer::RuleUsage(usage) = office.ask(Query::RuleUsage { from, until })? else {
        return trouble("no usage of rules");
    };
    let row = |(rule, n, last): (&str, u64, String)| vec![rule.to_owned(), n.to_string(), last];
    let rules = usage.rules.iter().map(|hits| {
        (hits.rule.as_str(), hits.n_hits, hits.last_hit_at.map_or_else(|| "-".to_owned(), time))
    });
    let none = ("(no rule held: default queue)", usage.n_default, String::new());
    let rows: Vec<Vec<String>> = rules.chain([none]).map(row).collect();
    print(&["rule", "n", "last"], &rows, &[1]);
    Ok(())
}

/// What would have been other: tickets, and what agents were given.
fn show(office: &Office, question: &str, answer: &WhatIfAnswer) {
    say!("");
    let found = format!("{} of {} tickets come out otherwise", answer.n_differ, answer.n_replayed);
    labelled("  ", &format!("{question} {found}:"));
    let names: BTreeMap<AgentId, &str> =
        answer.agents.iter().map(|row| (row.agent, row.name.as_str())).collect();
    let words = |result: &TicketResult| {
        let queue = result.placed.as_ref().map_or("-", |placed| placed.queue.as_str());
        let agent = result.first_agent.and_then(|id| names.get(&id).copied());
        format!("{queue}, {}", agent.unwrap_or("nobody"))
    };
    let rows = answer.tickets.iter().map(|ticket| {
        let opened = office.opened.get(&ticket.number.n);
        let subject = opened.map_or_else(String::new, |own| cut(&own.view.ticket.subject, 40));
        vec![ticket.number.to_string(), subject, words(&ticket.before), words(&ticket.after)]
    });
    print(&["ticket", "subject", "unchanged", "with the change"], &rows.collect::<Vec<_>>(), &[]);
    let given = answer.agents.iter().filter(|row| row.before.assigned != row.after.assigned);
    let given: Vec<String> = given
        .map(|row| {
            format!("{} {} instead of {}", row.name, row.after.assigned, row.before.assigned)
        })
        .collect();
    if !given.is_empty() {
        labelled("  tickets given: ", &given.join(", "));
    }
}
