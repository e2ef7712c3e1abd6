//! Changes made by hand with one click. Triggers and automations join in later versions.

pub mod macros;
