//! What is promised: checked with the calendars and conditions of the desk.

use super::Checker;
use crate::desk::document::Document;
use crate::fault::Code;
use crate::sla::check::{SlaDef, SlaRules, check};
use sha2::{Digest, Sha256};

/// Bits of a revision: as many as every reader of JSON keeps.
const REVISION_BITS: u32 = 53;

impl Checker<'_> {
    /// The rules; `None` when something is wrong with them.
    pub(super) fn sla(&mut self, document: &Document) -> Option<SlaRules> {
        if !self.draft.is_whole("sla") {
            return None;
        }
        let calendars = self.keys.get("calendars").and_then(Option::as_ref);
        match check(&document.sla, &self.schema, calendars, revision(&document.sla)) {
            Ok(rules) => Some(rules),
            Err(found) => {
                // Where custom fields could not be read, nobody knows which there are.
                let all_fields = self.draft.is_whole("fields");
                let told = found.into_iter().filter(|fault| {
                    all_fields || fault.code != Code::UnknownField || !fault.path.ends_with("field")
                });
                self.faults.extend(told.map(|fault| fault.under("sla")));
                None
            }
        }
    }
}

/// Changes whenever anything of what is promised does.
fn revision(sla: &SlaDef) -> u64 {
    let json = serde_json::to_vec(sla).unwrap_or_default();
    let digest = Sha256::digest(json);
    let first = digest.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    first >> (u64::BITS - REVISION_BITS)
}
