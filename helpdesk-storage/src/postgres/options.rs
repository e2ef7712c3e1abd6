//! How a PostgreSQL store is opened.

use crate::Result;
use crate::plan::invalid;
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;

/// How statements are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatementMode {
    /// Prepared once a connection and planned once: the fastest. For a direct
    /// connection, or a pooler in session mode.
    #[default]
    Prepared,
    /// Without a name, and nothing is set for the session: for poolers that give each
    /// transaction another connection, such as PgBouncer in transaction mode. The server
    /// plans each statement anew.
    Unnamed,
}

/// How a PostgreSQL store is opened.
///
/// ```
/// use helpdesk_storage::postgres::{PostgresOptions, StatementMode};
/// let options = PostgresOptions::default()
///     .with_schema("support")?
///     .with_prefix("desk_")?
///     .with_statements(StatementMode::Unnamed);
/// assert_eq!((options.schema(), options.prefix()), ("support", "desk_"));
/// assert!(PostgresOptions::default().with_schema("Drop Table").is_err());
/// # Ok::<(), helpdesk_storage::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    schema: String,
    prefix: String,
    pub(super) n_connections: usize,
    pub(super) timeout: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) statements: StatementMode,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) migrates: bool,
}

/// Chars of a schema's name or a table prefix.
const NAME_CHARS_MAX: usize = 32;

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "public".to_owned(),
            prefix: "hd_".to_owned(),
            n_connections: 16,
            timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(60),
            statements: StatementMode::Prepared,
            tls: None,
            migrates: true,
        }
    }
}

impl PostgresOptions {
    /// The schema in which the tables are; `public` unless set.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// What the names of all tables and indexes start with; `hd_` unless set.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Sets the schema. Migrating makes it where it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`](crate::StoreError::Invalid) unless it is a letter
    /// `a-z` and at most 31 more of `a-z 0-9 _`, and does not start with `pg_`.
    pub fn with_schema(mut self, schema: &str) -> Result<Self> {
        self.schema = name("schema", schema)?;
        Ok(self)
    }

    /// Sets the prefix, so that the store can share a schema with others.
    ///
    /// # Errors
    ///
    /// As [`with_schema`](Self::with_schema).
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self> {
        self.prefix = name("table prefix", prefix)?;
        Ok(self)
    }

    /// Connections at most, 1 at least; 16 unless set. They are opened when they are
    /// needed. A list or a lost race holds one for some statements, all else for one.
    #[must_use]
    pub fn with_connections(mut self, n: usize) -> Self {
        self.n_connections = n.max(1);
        self
    }

    /// How long to wait for a connection, a free one or a new one; 10 seconds unless
    /// set. Then a call ends as [`Unavailable`](crate::StoreError::Unavailable).
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long the server works on a statement at most, waiting for locks included; a minute
    /// unless set, zero for no end. Then it is undone, and its call ends as
    /// [`Unavailable`](crate::StoreError::Unavailable). Migrations take as long as they take.
    ///
    /// It is set for the session, so a [`StatementMode::Unnamed`] store has it not: give its role
    /// one (`ALTER ROLE desk SET statement_timeout = '60s'`).
    #[must_use]
    pub fn with_statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// How statements are sent; [`StatementMode::Prepared`] unless set.
    #[must_use]
    pub fn with_statements(mut self, mode: StatementMode) -> Self {
        self.statements = mode;
        self
    }

    /// How TLS is spoken, where the address asks for it (`sslmode=require`, or
    /// `prefer`, the default, with a server that offers it). Unless set, the server's
    /// certificate must be one that browsers trust, and name the host.
    #[must_use]
    pub fn with_tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Whether opening brings the schema up to date; it does unless set. A host
    /// that runs its own migrations takes
    /// [`pending_sql`](super::PostgresStore::pending_sql) instead.
    #[must_use]
    pub fn with_migration(mut self, migrates: bool) -> Self {
        self.migrates = migrates;
        self
    }

    /// What stands before a table's name in a statement: schema and prefix.
    pub(super) fn tables(&self) -> String {
        format!("\"{}\".{}", self.schema, self.prefix)
    }
}

fn name(what: &str, name: &str) -> Result<String> {
    let fits = name.len() <= NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && !name.starts_with("pg_");
    if fits {
        return Ok(name.to_owned());
    }
    let shown: String = name.chars().take(NAME_CHARS_MAX).collect();
    Err(invalid(format!(
        "`{shown}` is no {what}: take a letter and up to 31 more of a-z 0-9 _, without `pg_` before"
    )))
}
