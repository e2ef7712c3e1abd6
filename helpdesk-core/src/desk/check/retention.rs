//! Retention: days that can be meant.

use super::Checker;
use crate::desk::document::Document;
use crate::retention::{JOURNAL_DAYS_MIN, RETENTION_DAYS_MAX};

impl Checker<'_> {
    pub(super) fn retention(&mut self, document: &Document) {
        let kept = &document.retention;
        for (name, days, min) in [
            ("journal_days", kept.journal_days, JOURNAL_DAYS_MIN),
            ("deleted_days", kept.deleted_days, 1),
            ("dead_letter_days", kept.dead_letter_days, 1),
        ] {
            if let Some(days) = days.filter(|days| !(min..=RETENTION_DAYS_MAX).contains(days)) {
                let message = format!(
                    "takes {min} to {RETENTION_DAYS_MAX} days, or nothing for ever; found {days}"
                );
                self.invalid(format!("retention.{name}"), message);
            }
        }
    }
}
