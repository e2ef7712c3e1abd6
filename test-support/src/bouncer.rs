//! A PgBouncer before a server for tests.

use crate::Result;
use crate::place::{Runner, folder_of, free_port};
use crate::postgres::apt_install;
use crate::watch::Watch;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What to do without PgBouncer.
const MISSING: &str = "PgBouncer is not installed: install it so that `pgbouncer` is in PATH or \
    /usr/sbin (Debian: `apt-get install pgbouncer`)";

/// How long it may take to start.
const START_MAX: Duration = Duration::from_secs(10);

/// A PgBouncer in transaction mode, with few connections to the server; it goes with
/// this value, or with the process.
#[derive(Debug)]
pub struct Bouncer {
    _watch: Watch,
    _folder: TempDir,
    port: u16,
}

impl Bouncer {
    /// Starts one before the server on this port of the loopback address.
    ///
    /// # Errors
    ///
    /// What to install, or what it said.
    pub fn start(server_port: u16) -> Result<Self> {
        let program = program().ok_or(MISSING)?;
        let runner = Runner::find()?;
        let folder = tempfile::Builder::new()
            .prefix("helpdesk-bouncer-")
            .tempdir()
            .map_err(|error| format!("no temporary folder: {error}"))?;
        runner.give(folder.path())?;
        let port = free_port()?;
        let config = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\npostgres = host=127.0.0.1 port={server_port} user=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n\
             max_client_conn = 200\nlogfile = {0}/log\npidfile = {0}/pid\n",
            folder.path().display()
        );
        std::fs::write(&config, text).map_err(|error| format!("no configuration: {error}"))?;
        runner.give(&config)?;
        let mut command = runner.command(&program);
        command.arg("--daemon").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
        let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        if !status.success() {
            return Err(format!("PgBouncer did not start: {}", log()));
        }
        let path = folder.path().to_string_lossy().into_owned();
        let script = "p=$(cat \"$1/pid\") && kill -INT \"$p\"; rm -rf \"$1\"";
        let watch = Watch::start(script, [path.as_str()])?;
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if started.elapsed() > START_MAX {
                return Err(format!("PgBouncer does not answer: {}", log()));
            }
            std::thread::yield_now();
        }
        Ok(Self { _watch: watch, _folder: folder, port })
    }

    /// Its address, which leads to the server's database `postgres`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

fn program() -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"].map(PathBuf::from);
    folder_of("pgbouncer", &folders).map(|folder| folder.join("pgbouncer"))
}

/// Sees to it that PgBouncer is there, as [`postgres::install`](crate::postgres::install).
///
/// # Errors
///
/// What to install.
pub fn install() -> Result<()> {
    match program() {
        Some(_) => Ok(()),
        None => apt_install("pgbouncer").map_err(|why| format!("{MISSING}. {why}")),
    }
}
