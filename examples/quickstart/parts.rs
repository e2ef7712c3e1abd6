//! The day, told in parts.

use crate::answers::answers;
use crate::day::{COLLEAGUES, DAY, SCRIPT};
use crate::office::{Office, Opened, name_of, named};
use crate::promises::{attained, broken, clock_words, due, show_due};
use crate::table::{cut, heading, labelled, print};
use crate::tried::tried;
use crate::{Result, Trouble, trouble};
use chrono::{DateTime, Utc};
use helpdesk::core::actor::Author;
use helpdesk::core::decide::trace::Step as TraceStep;
use helpdesk::core::event::{Event, Recorded};
use helpdesk::core::id::AgentId;
use helpdesk::core::query::{Answer, BoardBy, Column, OneTicket, Query, Which};
use helpdesk::core::report::{GroupBy, Measure, Report, ReportQuery};
use helpdesk::core::ticket::Ticket;
use helpdesk::core::ticket::relation::LinkKind;
use std::collections::BTreeMap;

/// The tickets whose way is told, and why.
const PICKED: [(u64, &str); 3] = [
    (3, "given at once to the one who has the skills"),
    (7, "nobody had room: it waited, and was given when somebody had"),
    (5, "an offer that nobody answered, then a wider search"),
];
/// The ticket whose conversation is told to its end.
const TALK: u64 = 1;

/// When the list by due time is taken.
const NOON: &str = "13:00";

/// The place of a sentence that belongs to the line above.
const MARGIN: &str = "                     ";

/// Runs the day and the week after, and tells them.
pub(crate) fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut office = Office::open(folder.path(), include_str!("desk.toml"), at("08:00")?)?;
    say!("The desk of a shop for electric bikes: {} agents, one simulated week.", COLLEAGUES.len());
    say!("Its rules stand in examples/quickstart/desk.toml, its data in a temporary SQLite file.");
    let mut first_due = None;
    for (time, step) in SCRIPT {
        if first_due.is_none() && *time >= NOON {
            office.at(at(NOON)?)?;
            first_due = Some(due(&office)?);
        }
        office.at(at(time)?)?;
        office.step(step)?;
    }
    office.at(at("18:00")?)?;
    let evening = board(&office)?;

    came_in(&office);
    for (picked, why) in PICKED {
        picked_ticket(&office, picked, why)?;
    }
    conversation(&office)?;
    broken(&office)?;
    first_due.iter().for_each(show_due);
    show_board(&evening)?;
    a_week_later(&mut office)?;
    reports(&office)?;
    delivered(&office)?;
    tried(&office)?;
    answers(&mut office)?;
    say!("\nTry it on your own data:");
    say!("  cargo run --release --example quickstart -- tickets.csv --text body --topic category");
    Ok(())
}

fn at(time: &str) -> Result<DateTime<Utc>> {
    Ok(format!("{DAY}T{time}:00Z").parse()?)
}

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%H:%M").to_string()
}

/// The time, with the day of the week where it is another day than Monday.
pub(crate) fn when(at: DateTime<Utc>) -> String {
    match at.format("%Y-%m-%d").to_string() == DAY {
        true => time(at),
        false => at.format("%a %H:%M").to_string(),
    }
}

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn came_in(office: &Office) {
    heading(1, "What came in on Monday, and how it was classified");
    let mut came = Vec::new();
    let mut classified = Vec::new();
    for (n, opened) in &office.opened {
        let ticket = &opened.view.ticket;
        came.push(vec![
            time(opened.at),
            ticket.channel.to_string(),
            opened.mail.name.to_owned(),
            or_dash(ticket.language.as_deref()),
            cut(&ticket.subject, 48),
            format!("LB-{n}"),
        ]);
        classified.push(classification(*n, opened));
    }
    print(&["time", "channel", "from", "lang", "subject", "ticket"], &came, &[]);
    say!("");
    let head =
        ["ticket", "rule", "group", "type", "priority", "tags", "skills it needs", "given to"];
    print(&head, &classified, &[]);
}

fn classification(n: u64, opened: &Opened) -> Vec<String> {
    let ticket = &opened.view.ticket;
    let rule = opened.outcome.trace.steps.iter().find_map(|step| match step {
        TraceStep::RuleMatched { rule, .. } => Some(rule.to_string()),
        _ => None,
    });
    let skills: Vec<String> =
        ticket.required_skills.iter().map(|s| format!("{} {}", s.skill, s.level)).collect();
    let offered = opened.view.offer.as_ref().map(|offer| format!("{}?", name_of(offer.agent)));
    vec![
        format!("LB-{n}"),
        rule.unwrap_or_else(|| "(default)".to_owned()),
        or_dash(ticket.group.as_ref()),
        or_dash(ticket.ticket_type),
        or_dash(ticket.priority),
        or_dash((!ticket.tags.is_empty()).then(|| ticket.tags.join(" "))),
        or_dash((!skills.is_empty()).then(|| skills.join(", "))),
        offered.unwrap_or_else(|| or_dash(ticket.assignee.map(name_of))),
    ]
}

fn picked_ticket(office: &Office, n: u64, why: &str) -> Result<()> {
    let Some(opened) = office.opened.get(&n) else { return trouble(format!("no LB-{n}")) };
    if n == PICKED[0].0 {
        heading(2, "Why this group and this agent: three tickets");
    } else {
        say!("");
    }
    say!("  LB-{n} “{}”: {why}", cut(&opened.view.ticket.subject, 40));
    for step in &opened.outcome.trace.steps {
        match step {
            TraceStep::Sought { sentences, .. } => {
                for sentence in sentences {
                    line(opened.at, sentence);
                }
            }
            TraceStep::ContactMade { .. }
            | TraceStep::PolicyPicked { .. }
            | TraceStep::Clock { .. }
            | TraceStep::Escalation { .. } => {}
            step => line(opened.at, &step.to_string()),
        }
    }
    let is_later = |row: &Recorded| row.entry.at > opened.at && !is_promise(&row.entry.event);
    for (row, sentence) in explained(office, n)?.iter().filter(|(row, _)| is_later(row)) {
        line(row.entry.at, sentence);
        if let Some(text) = passed_over(row) {
            say!("             {text}");
        }
    }
    Ok(())
}

/// Whether an event is about a promise, whose part comes later.
fn is_promise(event: &Event) -> bool {
    matches!(
        event,
        Event::PolicyPicked { .. } | Event::ClockChanged { .. } | Event::EscalationChanged { .. }
    )
}

/// What the desk says of its choices about a ticket, in order of time.
pub(crate) fn explained(office: &Office, n: u64) -> Result<Vec<(Recorded, String)>> {
    let Answer::Explanation(explanation) = office.ask(Query::Explain { ticket: named(n) })? else {
        return trouble("no explanation");
    };
    let sentences = explanation.sentences.iter().map(|sentence| short_times(sentence));
    Ok(explanation.past.into_iter().zip(sentences).collect())
}

/// A time and a sentence, which may take several lines.
pub(crate) fn line(at: DateTime<Utc>, sentence: &str) {
    labelled(&format!("    {}  ", time(at)), sentence);
}

/// The time of the day alone.
fn short_times(sentence: &str) -> String {
    sentence.replace(&format!("{DAY} "), "").replace(":00 UTC", "")
}

/// Who was asked and could not, for an automatic choice.
fn passed_over(row: &Recorded) -> Option<String> {
    let (Event::Assigned { choice, .. } | Event::Offered { choice, .. }) = &row.entry.event else {
        return None;
    };
    let choice = choice.as_ref()?;
    let refused: Vec<String> = choice
        .refused
        .iter()
        .filter(|refused| refused.reason.as_str() != "not_in_pool")
        .map(|r| format!("{} {}", name_of(r.agent), r.reason.as_str().replace('_', " ")))
        .collect();
    let not = match refused.is_empty() {
        true => String::new(),
        false => format!("; not {}", refused.join(", ")),
    };
    Some(format!("stage {} of the queue{not}", choice.stage + 1))
}

fn conversation(office: &Office) -> Result<()> {
    heading(3, &format!("One conversation to its end: LB-{TALK}"));
    let ticket = named(TALK);
    let Answer::Conversation(talk) =
        office.ask(Query::Conversation { ticket: ticket.clone(), after: 0, limit: None })?
    else {
        return trouble("no conversation");
    };
    let texts: BTreeMap<u32, &str> = talk.rows.iter().map(|m| (m.meta.seq, &*m.text)).collect();
    let Answer::History(history) = office.ask(Query::History { ticket, after: 0, limit: None })?
    else {
        return trouble("no history");
    };
    let requester = office.opened.get(&TALK).map_or("?", |opened| opened.mail.name);
    for row in &history.rows {
        let at = time(row.entry.at);
        match &row.entry.event {
            Event::Replied { message } => {
                let author = match message.author {
                    Author::Agent { id } => name_of(id),
                    _ => requester,
                };
                let text = texts.get(&message.seq).copied().unwrap_or_default();
                labelled(&format!("  {at}  "), &format!("{author}: {text}"));
            }
            Event::StatusSet { from, to, why, .. } => {
                say!("  {at}  · status {from} → {to} ({})", words(why));
            }
            Event::Assigned { agent, .. } => say!("  {at}  · given to {}", name_of(*agent)),
            Event::Routed { queue, .. } => say!("  {at}  · into queue {queue}"),
            Event::ClockChanged { change } => say!("  {at}  · {}", clock_words(change)),
            _ => {}
        }
    }
    Ok(())
}

fn words(code: &impl serde::Serialize) -> String {
    let code = serde_json::to_value(code).unwrap_or_default();
    code.as_str().unwrap_or_default().replace('_', " ")
}

fn board(office: &Office) -> Result<Vec<Column>> {
    let query = Query::Board { which: Which::default(), by: BoardBy::Status, limit: None };
    match office.ask(query)? {
        Answer::Board(columns) => Ok(columns),
        other => trouble(format!("a board was expected, not {other:?}")),
    }
}

fn show_board(columns: &[Column]) -> Result<()> {
    heading(5, "The board on Monday at 18:00");
    for column in columns {
        say!("  {} ({})", column.name, column.n);
        let rows = column.tickets.iter().filter_map(|ticket| match ticket {
            OneTicket::Full(view) => Some(card(&view.ticket)),
            OneTicket::Public(_) | OneTicket::Summary(_) => None,
        });
        for row in rows {
            say!("    {row}");
        }
    }
    Ok(())
}

fn card(ticket: &Ticket) -> String {
    format!(
        "{:<6} {:<46} {:<11} {:<8} {}",
        ticket.number.to_string(),
        cut(&ticket.subject, 46),
        or_dash(ticket.group.as_ref()),
        or_dash(ticket.assignee.map(name_of)),
        or_dash(ticket.priority),
    )
}

fn a_week_later(office: &mut Office) -> Result<()> {
    heading(6, "A week later: a mail to a closed ticket opens a new one, linked to it");
    office.at("2026-03-09T09:15:00Z".parse()?)?;
    let old = office.view(TALK)?.ticket;
    let closed = or_dash(old.times.closed_at.map(|at| at.format("%a %d %b, %H:%M")));
    say!("  LB-{TALK} was solved on Monday; a timer closed it four days later: {closed}");
    let text = "The refund is here, thanks. Now the new helmet has a crack, what can we do?";
    labelled("  Mon 09 Mar, 09:15  ", &format!("Clara Weiss answers the old mail: “{text}”"));
    let outcome = office.answers(TALK, text)?;
    for step in &outcome.trace.steps {
        match step {
            TraceStep::Sought { sentences, .. } => {
                for sentence in sentences.iter().take(2) {
                    labelled(MARGIN, sentence);
                }
            }
            TraceStep::Clock { .. } | TraceStep::Escalation { .. } => {}
            step => labelled(MARGIN, &step.to_string()),
        }
    }
    let new = outcome.made.number.as_ref().map_or(0, |number| number.n);
    let view = office.view(new)?;
    let old = office.view(TALK)?;
    for (n, view) in [(new, &view), (TALK, &old)] {
        for link in &view.ticket.links {
            let other = if n == new { TALK } else { new };
            say!("  LB-{n} ({}) {} LB-{other}", view.ticket.status, link_words(link.kind));
        }
    }
    office.at(office.now)
}

fn link_words(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::FollowUpOf => "goes on from",
        LinkKind::FollowedUpBy => "goes on in",
        _ => "has to do with",
    }
}

fn reports(office: &Office) -> Result<()> {
    heading(7, "Report, 2 to 9 March: mean and percentiles in wall time");
    for (i, group_by) in
        [GroupBy::Channel, GroupBy::Group, GroupBy::Assignee].into_iter().enumerate()
    {
        if i > 0 {
            say!("");
        }
        let query = ReportQuery {
            from: at("00:00")?,
            to: "2026-03-10T00:00:00Z".parse()?,
            zone: "UTC".to_owned(),
            group_by,
            measures: vec![
                Measure::Opened,
                Measure::Solved,
                Measure::FirstReplySeconds,
                Measure::SolveSeconds,
            ],
        };
        let report = office.report(query)?;
        say!("{}", with_names(report)?.to_string().trim_end());
    }
    let query = ReportQuery {
        from: at("00:00")?,
        to: "2026-03-10T00:00:00Z".parse()?,
        zone: "UTC".to_owned(),
        group_by: GroupBy::Group,
        measures: vec![Measure::Sla],
    };
    let report = office.report(query)?;
    say!("\nPromises kept, in the shop's hours: {}", attained(&report));
    say!("{}", report.to_string().trim_end());
    Ok(())
}

/// A report by assignee, with names for ids.
fn with_names(mut report: Report) -> Result<Report> {
    if report.group_by == GroupBy::Assignee {
        for row in &mut report.rows {
            if let Some(id) = &row.key {
                let id: AgentId = id.parse().map_err(|_| Trouble(format!("`{id}` is no id")))?;
                row.key = Some(name_of(id).to_owned());
            }
        }
    }
    Ok(report)
}

fn delivered(office: &Office) -> Result<()> {
    heading(8, "What went out: each message after the commit that caused it");
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for notification in office.recorder.delivered() {
        *counts.entry(notification.effect.topic()).or_default() += 1;
    }
    let about = |topic: &str| match topic {
        "reply" => "an answer, to the requester",
        "agent" => "news of a ticket, to its agent",
        "offer" => "a ticket, offered to an agent",
        "group" => "a ticket that waits, to its group",
        "sla" => "a clock that warns or is past its target",
        "escalation" => "a ticket that needs help, to who is on call",
        _ => "",
    };
    let rows: Vec<Vec<String>> = counts
        .iter()
        .map(|(topic, n)| vec![(*topic).to_owned(), n.to_string(), about(topic).to_owned()])
        .collect();
    print(&["topic", "n", "what"], &rows, &[1]);
    say!("  tried again later: {}; given up: {}", office.failures.retried, office.failures.dead);
    let query = Query::ListDeadLetters { after: None, limit: None };
    let Answer::DeadLetters(letters) = office.ask(query)? else {
        return trouble("no dead letters");
    };
    for letter in letters.rows {
        let ticket = letter.message.effect.ticket();
        let n = office.opened.iter().find(|(_, opened)| opened.view.ticket.id == ticket);
        let n = n.map_or(0, |(n, _)| *n);
        say!(
            "  dead letter: {} for LB-{n} at {}: {}",
            letter.message.effect.topic(),
            time(letter.died_at),
            letter.error
        );
    }
    Ok(())
}
