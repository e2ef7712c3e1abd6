//! The project's chores: `cargo xtask test | vectors | gen | fuzz | bench`.

fn main() {}
