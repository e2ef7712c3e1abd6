//! What every backend must do, and what SQLite does beside.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod backup;
mod blobs;
mod conforms;
mod model;
mod postgres;
mod servers;
mod sqlite;
mod together;
mod upgrade;
mod work;
