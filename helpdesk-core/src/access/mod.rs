//! Who may see and do what.

pub mod permission;
pub mod reading;
pub mod role;
pub mod scope;
