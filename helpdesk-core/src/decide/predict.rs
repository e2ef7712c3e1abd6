//! What models say about a new ticket.

use super::fields;
use super::work::Work;
use crate::event::Event;
use crate::fault::Rejection;
use crate::id::{Key, TicketId};
use crate::limit::TAGS_MAX;
use crate::prediction::{PredictedField, Prediction};
use crate::ticket::Ticket;
use crate::ticket::change::Change;
use crate::ticket::custom::CustomValue;
use crate::trace::Step;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Sets what was predicted and nobody has set, before the rules look at the ticket. A value
/// that the desk does not have (any more) is passed over.
pub(super) fn predict(work: &mut Work<'_>, id: TicketId) -> Result<(), Rejection> {
    for prediction in work.ctx.predictions {
        if !is_on(work, prediction) {
            continue;
        }
        let change = change_of(&work.case(id)?.ticket, prediction);
        let Some(change) = change.filter(|change| fields::fits(work, change)) else { continue };
        work.trace(Step::Predicted { prediction: prediction.clone() });
        let prediction = prediction.clone();
        work.on_case(id, Event::Predicted { prediction, change })?;
    }
    Ok(())
}

/// The queue that was predicted.
pub(super) fn queue(work: &Work<'_>) -> Option<Prediction> {
    let is_queue = |p: &&Prediction| p.field == PredictedField::Queue && is_on(work, p);
    work.ctx.predictions.iter().find(is_queue).cloned()
}

fn is_on(work: &Work<'_>, prediction: &Prediction) -> bool {
    work.ctx.desk.predictions().iter().any(|def| def.field == prediction.field)
}

/// What the prediction changes; `None` where the field is set, or the value is none.
fn change_of(ticket: &Ticket, prediction: &Prediction) -> Option<Change> {
    let label = prediction.label.as_str();
    match &prediction.field {
        PredictedField::Type if ticket.ticket_type.is_none() => {
            Some(Change::SetType { to: Some(word(label)?) })
        }
        PredictedField::Priority if ticket.priority.is_none() => {
            Some(Change::SetPriority { to: Some(word(label)?) })
        }
        PredictedField::Tags if ticket.tags.len() < TAGS_MAX => {
            let is_new = !ticket.tags.iter().any(|tag| tag == label);
            is_new.then(|| Change::AddTags { tags: vec![label.to_owned()] })
        }
        PredictedField::Custom(field) if !ticket.custom.contains_key(field) => {
            let to = Some(CustomValue::Text(label.to_owned()));
            Some(Change::SetCustom { field: field.clone(), to })
        }
        PredictedField::Type
        | PredictedField::Priority
        | PredictedField::Queue
        | PredictedField::Tags
        | PredictedField::Custom(_) => None,
    }
}

/// A choice of the domain, by its name in JSON.
fn word<T: DeserializeOwned>(label: &str) -> Option<T> {
    serde_json::from_value(json!(label)).ok()
}

/// The key that a label is.
pub(super) fn key_of(label: &str) -> Option<Key> {
    Key::new(label).ok()
}
