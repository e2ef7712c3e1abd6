//! Models that predict fields of new tickets: asked before a decision, taught from history.

use crate::engine::Helpdesk;
use crate::error::Result;
use chrono::{DateTime, Utc};
use helpdesk_core::case::record::Record;
use helpdesk_core::command::Command;
use helpdesk_core::condition::{Condition, Schema};
use helpdesk_core::decide::wants_prediction;
use helpdesk_core::desk::Desk;
use helpdesk_core::fault::Rejection;
use helpdesk_core::id::TenantId;
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::prediction::{PredictedField, Prediction};
use helpdesk_core::ticket::Ticket;
use helpdesk_core::ticket::custom::CustomValue;
use helpdesk_core::view::{Direction, OrderBy};
use helpdesk_search::{Classifier, TicketText};
use helpdesk_storage::{ListKind, ListQuery, Order, Shelf};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Bytes of a message that models look at, cut back to a char boundary.
const LOOKED_AT_BYTES: usize = 8_192;

/// The models of all tenants.
pub(crate) type Models = RwLock<BTreeMap<(TenantId, PredictedField), Arc<Classifier>>>;

/// What [`Helpdesk::learn_predictions`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct LearnReport {
    /// Solved tickets that were read.
    pub tickets: u64,
    /// By field, of how many examples it was learned.
    pub examples: BTreeMap<PredictedField, u64>,
}

impl Helpdesk {
    /// Gives the engine a model for a field, in the place of the one it has. What it says
    /// counts where the desk's `predictions` turn the field on. Each process has its own
    /// models: [`Classifier::to_bytes`] keeps one.
    pub fn set_classifier(&self, tenant: TenantId, field: PredictedField, model: Classifier) {
        let mut models = self.inner.models.write().unwrap_or_else(PoisonError::into_inner);
        models.insert((tenant, field), Arc::new(model));
    }

    /// The model of a field.
    #[must_use]
    pub fn classifier(&self, tenant: TenantId, field: &PredictedField) -> Option<Arc<Classifier>> {
        let models = self.inner.models.read().unwrap_or_else(PoisonError::into_inner);
        models.get(&(tenant, field.clone())).cloned()
    }

    /// Teaches new models from the solved and closed tickets that changed last, at most
    /// `max_tickets`, one for each field that the desk's `predictions` turn on, and puts
    /// them in the place of the old ones. It takes its time: give it a quiet hour.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store), [`Error::Rejected`](crate::Error::Rejected) for
    /// an unknown tenant; the models stay as they were.
    pub async fn learn_predictions(
        &self,
        tenant: TenantId,
        now: DateTime<Utc>,
        max_tickets: usize,
    ) -> Result<LearnReport> {
        let desk = self.tenant(tenant).await?.snapshot().desk;
        let source = json!({"field": "status_category", "in": ["solved", "closed"]});
        let solved = Condition::parse(&source, &Schema::default()).map_err(Rejection::many)?;
        let mut list = ListQuery::all(tenant, ListKind::Cases(Shelf::Live), now, PAGE_MAX);
        list.condition = solved;
        list.order = Order { by: OrderBy::UpdatedAt, direction: Direction::Descending };
        let mut report = LearnReport::default();
        let mut examples: BTreeMap<&PredictedField, Vec<(Arc<str>, String)>> = BTreeMap::new();
        let mut left = max_tickets;
        while left > 0 {
            list.limit = left.min(PAGE_MAX);
            let page = self.inner.store.list(&list).await?;
            let tickets: Vec<Ticket> = page
                .rows
                .into_iter()
                .filter_map(|stored| match stored.record {
                    Record::Case(case) => Some(case.ticket),
                    _ => None,
                })
                .collect();
            left -= tickets.len().min(left);
            report.tickets += tickets.len() as u64;
            let texts = self.ticket_texts(tenant, &tickets).await?;
            for (ticket, text) in tickets.iter().zip(texts) {
                let text: Arc<str> = first_text(text).into();
                for def in desk.predictions() {
                    let own = examples.entry(&def.field).or_default();
                    own.extend(labels(ticket, &def.field).into_iter().map(|l| (text.clone(), l)));
                }
            }
            match page.next {
                Some(next) => list.after = Some(next),
                None => break,
            }
        }
        for (field, examples) in examples {
            // The newest came first; a batch is learned in the order in which it happened.
            let batch: Vec<(&str, &str)> =
                examples.iter().rev().map(|(text, label)| (&**text, label.as_str())).collect();
            report.examples.insert(field.clone(), batch.len() as u64);
            let mut model = Classifier::new();
            model.partial_fit(&batch);
            self.set_classifier(tenant, field.clone(), model);
        }
        Ok(report)
    }

    /// What the models say of a ticket that the command may open.
    pub(crate) fn predictions(
        &self,
        tenant: TenantId,
        desk: &Desk,
        command: &Command,
    ) -> Vec<Prediction> {
        if desk.predictions().is_empty() {
            return Vec::new();
        }
        let Some((subject, text)) = wants_prediction(command) else { return Vec::new() };
        let text = looked_at(subject, text);
        let predicted = desk.predictions().iter().filter_map(|def| {
            let said = self.classifier(tenant, &def.field)?.predict(&text);
            // The likeliest label; without one the model has seen nothing of the text.
            let (label, probability) = said.probabilities.first()?;
            let is_sure = f64::from(*probability) >= def.threshold && !said.evidence.is_empty();
            is_sure.then(|| Prediction {
                field: def.field.clone(),
                label: label.clone(),
                percent: (f64::from(*probability) * 100.0).floor() as u8,
                because: said.evidence.iter().map(|evidence| evidence.word.clone()).collect(),
            })
        });
        predicted.collect()
    }
}

fn first_text(ticket: TicketText) -> String {
    let first = ticket.messages.into_iter().find(|message| !message.is_internal);
    looked_at(&ticket.subject, first.as_ref().map_or("", |message| &message.text))
}

fn looked_at(subject: &str, text: &str) -> String {
    let mut end = text.len().min(LOOKED_AT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{subject}\n{}", &text[..end])
}

/// What the field of a ticket came to be.
fn labels(ticket: &Ticket, field: &PredictedField) -> Vec<String> {
    match field {
        PredictedField::Type => ticket.ticket_type.map(|it| it.to_string()).into_iter().collect(),
        PredictedField::Priority => ticket.priority.map(|it| it.to_string()).into_iter().collect(),
        PredictedField::Queue => ticket.queue.iter().map(ToString::to_string).collect(),
        PredictedField::Tags => ticket.tags.clone(),
        PredictedField::Custom(key) => match ticket.custom.get(key) {
            Some(CustomValue::Text(value)) => vec![value.clone()],
            _ => Vec::new(),
        },
    }
}
