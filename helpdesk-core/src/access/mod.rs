//! Who may see and do what.

pub mod permission;
pub mod role;
pub mod scope;
