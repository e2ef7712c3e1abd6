//! Connections, and the runtime that drives them.

use super::failure::{BACKEND, unavailable};
use super::options::{PostgresOptions, StatementMode};
use crate::plan::invalid;
use crate::{Result, StoreError};
use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime,
};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What our own sessions are set to: each statement finds its rows by an index and in its order, also
/// while a table is young and the server has no statistics of it; what that makes look
/// expensive is not compiled. A prepared statement is planned once for all values, as what it
/// does follows from its text.
const SESSION: &str = "-c enable_seqscan=off -c enable_bitmapscan=off -c jit=off -c plan_cache_mode=force_generic_plan \
    -c default_transaction_isolation=read\\ committed";

/// A connection whose other end is gone without a word is given up after so long, where the
/// address does not say otherwise: bytes that nobody confirms, and probes while an answer is
/// awaited.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Silence before the first probe, and between probes.
const PROBE_AFTER: Duration = Duration::from_secs(10);
/// The driver's own, which it says when the address says nothing.
const PROBE_AFTER_UNSET: Duration = Duration::from_secs(2 * 60 * 60);

/// A pool of connections on a runtime of its own, so that the store works on any
/// runtime of the host's, and on none.
#[derive(Debug)]
pub(super) struct Connections {
    pool: Pool,
    /// Taken when the store goes: a runtime must not be waited for where it is dropped.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Connections {
    /// Reads the address; connects to nothing yet.
    pub(super) fn new(address: &str, options: &PostgresOptions) -> Result<Self> {
        let config = config(address, options)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("helpdesk-postgres")
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| unavailable(None, error))?;
        let tls = MakeRustlsConnect::new(tls(options)?);
        let fast = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, tls, fast))
            .max_size(options.n_connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.timeout))
            .create_timeout(Some(options.timeout))
            .build()
            .map_err(|error| StoreError::Backend { backend: BACKEND, source: Box::new(error) })?;
        Ok(Self { pool, runtime: Some(runtime) })
    }

    /// A connection of the pool, opened where none is free and there is room.
    pub(super) async fn get(&self) -> Result<Client> {
        self.within(self.pool.get()).await.map_err(|error| match error {
            PoolError::Backend(error) => unavailable(None, error),
            error => unavailable(None, error),
        })
    }

    /// Runs a task on the runtime.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Option<tokio::task::JoinHandle<()>> {
        self.runtime.as_ref().map(|runtime| runtime.spawn(task))
    }

    /// Runs a future in the context of the runtime, on whatever polls it.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            let _entered = self.runtime.as_ref().map(tokio::runtime::Runtime::enter);
            work.as_mut().poll(context)
        })
        .await
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn config(address: &str, options: &PostgresOptions) -> Result<Config> {
    let mut config: Config = address.parse().map_err(|error: tokio_postgres::Error| {
        // The address itself may hold a password.
        let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        invalid(format!(
            "the address is no PostgreSQL address ({error}: {why}): take one like \
             `postgres://user@host/database`"
        ))
    })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(options.timeout);
    }
    if config.get_application_name().is_none() {
        config.application_name("helpdesk");
    }
    bound_silence(&mut config);
    if options.statements == StatementMode::Prepared {
        let own = config.get_options().map_or(String::new(), |own| format!(" {own}"));
        // Zero is none, so nothing else may become it; the server takes no more.
        let millis = options.statement_timeout.as_nanos().div_ceil(1_000_000);
        let bound = i32::try_from(millis).unwrap_or(i32::MAX);
        config.options(format!("{SESSION} -c statement_timeout={bound}{own}"));
    }
    Ok(config)
}

fn bound_silence(config: &mut Config) {
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE_MAX);
    }
    if config.get_keepalives_idle() == PROBE_AFTER_UNSET {
        config.keepalives_idle(PROBE_AFTER);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(PROBE_AFTER);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(2);
    }
}

fn tls(options: &PostgresOptions) -> Result<ClientConfig> {
    if let Some(config) = &options.tls {
        return Ok(ClientConfig::clone(config));
    }
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Backend { backend: BACKEND, source: Box::new(error) })?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests;
