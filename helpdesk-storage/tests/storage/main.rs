//! What every backend must do, and what SQLite does beside.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests")]

mod conforms;
mod costs;
mod model;
mod sqlite;
mod work;
