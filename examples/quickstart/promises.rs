//! What the desk promised, and what happens when a promise is broken.

use crate::office::{Office, key, name_of, named};
use crate::parts::{explained, line, time, when};
use crate::table::{cut, heading, length, print};
use crate::{Result, trouble};
use helpdesk::core::clock::{ClockChange, ClockNews, ClockState};
use helpdesk::core::query::{Answer, ClockView, ListTickets, OneTicket, Query, TicketView};
use helpdesk::core::report::{Measure, Report, Value};
use helpdesk::core::view::OrderBy;

/// The ticket whose promise is broken.
const LATE: u64 = 4;

/// What happened to a clock, in words.
pub(crate) fn clock_words(change: &ClockChange) -> String {
    let clock = &change.clock;
    let due = clock.due_at.map_or_else(String::new, |at| format!(", due {}", when(at)));
    let counted = length(clock.accumulated_seconds);
    let what = match change.news {
        ClockNews::Started if clock.state == ClockState::Paused => "starts, paused".to_owned(),
        ClockNews::Started => format!("starts{due}"),
        ClockNews::Paused => format!("pauses after {counted}"),
        ClockNews::Resumed | ClockNews::Reopened => format!("goes on from {counted}{due}"),
        ClockNews::Met => format!("met after {counted}"),
        ClockNews::Missed => format!("missed: stopped after {counted}"),
        news => format!("{}{due}", news.as_str()),
    };
    format!("clock {} {what}", clock.metric)
}

/// The ticket whose answer came late, from its policy to the second line.
pub(crate) fn broken(office: &Office) -> Result<()> {
    let view = office.view(LATE)?;
    let subject = cut(&view.ticket.subject, 40);
    heading(4, &format!("A promise broken: LB-{LATE} “{subject}” is escalated"));
    say!(
        "  Clocks count the hours of the calendar `shop`: Monday to Friday, 09:00 to 18:00 in Berlin,"
    );
    say!("  which is 08:00 to 17:00 in the times told here (UTC).");
    for (row, sentence) in explained(office, LATE)? {
        line(row.entry.at, &sentence);
    }
    for ClockView { clock, .. } in clocks(office, LATE)? {
        if let (ClockState::Missed, Some(at)) = (clock.state, clock.stopped_at) {
            let (counted, target) = (clock.accumulated_seconds, clock.target_seconds);
            let target = target.map_or_else(String::new, |t| format!(" of {}", length(t)));
            let met = format!("in the end, {} took {}{target}", clock.metric, length(counted));
            line(at, &met);
        }
    }
    on_call(office)
}

/// Who is on call, and who comes after.
fn on_call(office: &Office) -> Result<()> {
    let (from, to) = (office.now, office.now + chrono::TimeDelta::days(14));
    let query = Query::Shifts { schedule: key("duty")?, from, to };
    let Answer::Shifts(shifts) = office.ask(query)? else { return trouble("no shifts") };
    let shifts: Vec<String> = shifts
        .iter()
        .take(2)
        .map(|shift| {
            let names: Vec<&str> = shift.agents.iter().map(|id| name_of(*id)).collect();
            format!("{} until {}", names.join(", "), shift.until.format("%a %d %b, %H:%M"))
        })
        .collect();
    say!("  On call by the rota `duty`: {}", shifts.join(", then "));
    Ok(())
}

fn clocks(office: &Office, n: u64) -> Result<Vec<ClockView>> {
    match office.ask(Query::Clocks { ticket: named(n) })? {
        Answer::Clocks(clocks) => Ok(clocks),
        other => trouble(format!("clocks were expected, not {other:?}")),
    }
}

/// How many targets of each metric were met, of those that are decided.
pub(crate) fn attained(report: &Report) -> String {
    let Some(Value::Sla(by_metric)) = report.totals.get(&Measure::Sla) else {
        return "none is decided".to_owned();
    };
    let metrics = by_metric.iter().map(|(metric, counted)| {
        format!("{metric} {} of {}", counted.n_met, counted.n_met + counted.n_missed)
    });
    metrics.collect::<Vec<_>>().join(", ")
}

/// Tickets by the time at which their first target is used up.
#[derive(Debug)]
pub(crate) struct DueList {
    at: String,
    rows: Vec<Vec<String>>,
    n_paused: usize,
}

/// The list as it is now.
pub(crate) fn due(office: &Office) -> Result<DueList> {
    let list = ListTickets { order: Some(OrderBy::DueAt), ..ListTickets::default() };
    let Answer::Tickets(page) = office.ask(Query::ListTickets(list))? else {
        return trouble("no list of tickets");
    };
    let mut due = DueList { at: time(office.now), rows: Vec::new(), n_paused: 0 };
    for ticket in &page.rows {
        let OneTicket::Full(view) = ticket else { continue };
        due.n_paused +=
            usize::from(view.clocks.iter().any(|clock| clock.state == ClockState::Paused));
        due.rows.extend(due_row(office, view)?);
    }
    Ok(due)
}

/// A row of the first clock that is due; none where no clock runs.
fn due_row(office: &Office, view: &TicketView) -> Result<Option<Vec<String>>> {
    let clocks = clocks(office, view.ticket.number.n)?;
    let first = clocks.iter().filter(|own| own.clock.due_at.is_some());
    let Some(first) = first.min_by_key(|own| own.clock.due_at) else { return Ok(None) };
    Ok(Some(vec![
        first.clock.due_at.map_or_else(String::new, when),
        first.left_seconds.map_or_else(String::new, length),
        first.clock.metric.to_string(),
        view.ticket.number.to_string(),
        cut(&view.ticket.subject, 32),
        view.ticket.assignee.map_or("-", name_of).to_owned(),
    ]))
}

/// Prints the list.
pub(crate) fn show_due(due: &DueList) {
    say!("\n  At {}, what is due first, and how much working time is left:", due.at);
    print(&["due", "left", "clock", "ticket", "subject", "agent"], &due.rows, &[1]);
    say!("  {} more wait for their requesters: their clocks are paused", due.n_paused);
}
