//! Macros: steps of other commands, all or nothing.

use super::conversation::{self, Draft, add_message};
use super::fields;
use super::guard;
use super::ownership;
use super::status;
use super::work::Work;
use crate::automation::macros::{MacroAssignee, MacroStep};
use crate::event::{AssignedHow, Event, StatusWhy, UnassignedWhy};
use crate::fault::{Code, Rejection};
use crate::id::{Key, TicketId};
use crate::ticket::message::MessageKind;

pub(super) fn run(work: &mut Work<'_>, id: TicketId, key: &Key) -> Result<(), Rejection> {
    work.made.ticket = Some(id);
    let Some(found) = work.ctx.desk.macro_by_key(key) else {
        return Err(Rejection::at(
            Code::NotConfigured,
            "key",
            format!("the desk has no macro `{key}`"),
        ));
    };
    if !found.groups.is_empty() && !guard::is_in_any(work, &found.groups) {
        let names: Vec<&str> = found.groups.iter().map(Key::as_str).collect();
        let message = format!("the macro is for agents of {}", names.join(", "));
        return Err(Rejection::at(Code::Forbidden, "key", message));
    }
    work.on_case(id, Event::MacroRun { key: key.clone() })?;
    for (i, step) in found.steps.iter().enumerate() {
        run_step(work, id, step).map_err(|mut rejection| {
            let path = rejection.path.take().unwrap_or_default();
            rejection.path = Some(crate::fault::join_path(&format!("steps[{i}]"), &path));
            rejection
        })?;
    }
    Ok(())
}

fn run_step(work: &mut Work<'_>, id: TicketId, step: &MacroStep) -> Result<(), Rejection> {
    let author = work.ctx.actor.author();
    let draft = |work: &Work<'_>, kind, text: &str| -> Result<Draft, Rejection> {
        conversation::check_text(text, None, &[])?;
        Ok(Draft::new(kind, author, work.case(id)?.ticket.channel, text, work.now))
    };
    match step {
        MacroStep::Change { change } => {
            fields::update_ticket(work, id, std::slice::from_ref(change))
        }
        MacroStep::SetStatus { to } => status::set_checked(work, id, to, StatusWhy::Macro),
        MacroStep::Assign { to } => assign(work, id, *to),
        MacroStep::Reply { text } => {
            let draft = draft(work, MessageKind::PublicReply, text)?;
            conversation::agent_reply(work, id, draft)
        }
        MacroStep::Note { text } => {
            let draft = draft(work, MessageKind::InternalNote, text)?;
            add_message(work, id, draft).map(|_| ())
        }
    }
}

fn assign(work: &mut Work<'_>, id: TicketId, to: MacroAssignee) -> Result<(), Rejection> {
    let agent = match to {
        MacroAssignee::Nobody => return ownership::release(work, id, UnassignedWhy::ByHand),
        MacroAssignee::Agent { id } => id,
        MacroAssignee::Me => work
            .ctx
            .actor
            .agent_id()
            .ok_or_else(|| Rejection::at(Code::Invalid, "to", "only an agent can be `me`"))?,
    };
    if work.case(id)?.ticket.assignee == Some(agent) {
        return Ok(());
    }
    ownership::give_to(work, id, agent, AssignedHow::Macro, None)
}
