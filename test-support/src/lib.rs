//! Throw-away servers for the project's own tests and benches.
//!
//! A [`Cluster`](postgres::Cluster) is a PostgreSQL server in a temporary folder on a
//! random loopback port; [`Bouncer`](bouncer::Bouncer) is a PgBouncer before it. Both run
//! as an unprivileged user, and go with the process that started them, however that ends.

pub mod bouncer;
mod place;
pub mod postgres;
mod watch;

/// What went wrong, in words that say what to do.
pub type Result<T> = std::result::Result<T, String>;
