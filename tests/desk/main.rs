//! What the desk does, as its host sees it: features as scripts with their
//! outcome, and laws over random scripts.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "these are tests"
)]

mod faulty;
mod kit;
mod render;
mod script;
mod state;

mod access;
mod attachments;
mod articles;
mod clock_cases;
mod clocks;
mod conversation;
mod crowd;
mod deadlines;
mod engines;
mod erase;
mod escalation;
mod explain;
mod fields;
mod host_tx;
mod import;
mod input;
mod intake;
mod isolation;
mod limits;
mod ownership;
mod people;
mod predictions;
mod queries;
mod rebalance;
mod relations;
mod retention;
mod rules;
mod search;
mod search_sessions;
mod shifts;
mod spans;
mod knowledge;
mod laws;
mod races;
mod statuses;
mod time;
mod together;
mod unknown_ends;

mod waiting;
mod what_if;
mod worker;
