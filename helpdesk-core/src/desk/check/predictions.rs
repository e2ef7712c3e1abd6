//! Predictions: each field once, a custom one that is a choice of tickets.

use super::Checker;
use crate::desk::document::Document;
use crate::fault::Code;
use crate::prediction::PredictedField;
use crate::ticket::custom::{FieldOwner, FieldType};

impl Checker<'_> {
    pub(super) fn predictions(&mut self, document: &Document) {
        let fields = document.predictions.iter().map(|def| &def.field);
        self.unique("predictions", "field", fields);
        for (i, def) in document.predictions.iter().enumerate() {
            if !(0.0..=1.0).contains(&def.threshold) {
                let message = format!("takes a probability from 0 to 1; found {}", def.threshold);
                self.invalid(format!("predictions[{i}].threshold"), message);
            }
            let PredictedField::Custom(key) = &def.field else { continue };
            let path = format!("predictions[{i}].field");
            let mut fields = document.fields.iter();
            match fields.find(|field| field.on == FieldOwner::Ticket && field.key == *key) {
                Some(field) if matches!(field.kind, FieldType::Choice { .. }) => {}
                Some(_) => {
                    let message =
                        format!("the field `{key}` is no choice: only choices are predicted");
                    self.invalid(path, message);
                }
                None if self.draft.is_whole("fields") => {
                    let message = format!("tickets have no field `{key}`: define it in `fields`");
                    self.fault(path, Code::NotConfigured, message);
                }
                None => {}
            }
        }
    }
}
