//! What every backend must do, and what SQLite does beside.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod backup;
mod blobs;
mod conforms;
mod model;
mod places;
mod postgres;
mod postgres_faults;
mod postgres_host;
mod postgres_lanes;
mod postgres_many;
mod postgres_reads;
mod purges;
mod servers;
mod sqlite;
mod tls;
mod together;
mod unreadable;
mod upgrade;
mod upgrade_lived;
mod work;
