//! A PostgreSQL server for tests.

use crate::Result;
use crate::place::{Runner, folder_of, free_port, printed};
use crate::watch::Watch;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// The variable that names a server for tests to use: `cargo xtask test` starts one and
/// sets it. Without it each test process starts its own.
pub const ADDRESS_VARIABLE: &str = "HELPDESK_TEST_POSTGRES";

/// What to do without PostgreSQL.
const MISSING: &str = "PostgreSQL is not installed: install its server so that `initdb` is in \
    PATH or /usr/lib/postgresql/*/bin (Debian: `apt-get install postgresql`), or name a \
    server in HELPDESK_TEST_POSTGRES";

/// Times that a server is started on another port.
const STARTS_MAX: u32 = 5;
/// How long a start may take: after a crash it syncs every file, on a disk that others use too.
const START_SECONDS: &str = "180";
/// What is told of its log when it fails.
const LOG_BYTES: usize = 4_000;

/// When a server waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// Never: for tests.
    Unsafe,
    /// At every commit, as in production: for benches and tests of crashes.
    Safe,
}

/// A server of its own; it and its folder go with this value, or with the process.
#[derive(Debug)]
pub struct Cluster {
    // In this order: the server ends before its folder goes.
    _watch: Watch,
    runner: Runner,
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    settings: String,
}

impl Cluster {
    /// Makes and starts one.
    ///
    /// # Errors
    ///
    /// What to install, or what the server said.
    pub fn start(disk: Disk) -> Result<Self> {
        let programs = programs().ok_or(MISSING)?;
        let runner = Runner::find()?;
        let folder = tempfile::Builder::new()
            .prefix("helpdesk-postgres-")
            .tempdir()
            .map_err(|error| format!("no temporary folder: {error}"))?;
        runner.give(folder.path())?;
        let data = folder.path().join("data");
        let mut initdb = runner.command(&programs.join("initdb"));
        initdb.env("LC_ALL", "C.UTF-8").arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ]);
        printed(&mut initdb)?;
        let settings = settings(folder.path(), disk);
        let mut last = String::new();
        for _ in 0..STARTS_MAX {
            let port = free_port()?;
            match start(runner, &programs, folder.path(), &settings, port) {
                Ok(()) => {
                    let _watch = watch(folder.path())?;
                    return Ok(Self { _watch, runner, programs, folder, port, settings });
                }
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    /// Its address, as superuser and with everybody trusted.
    #[must_use]
    pub fn address(&self) -> String {
        address(self.port)
    }

    /// Its port on the loopback address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// As which user files of the server must be: gives one to it.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub fn give(&self, path: &Path) -> Result<()> {
        self.runner.give(path)
    }

    /// Ends the server at once, as a crash does.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub fn crash(&self) -> Result<()> {
        let mut stop = self.runner.command(&self.programs.join("pg_ctl"));
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]);
        printed(&mut stop).map(|_| ())
    }

    /// Starts the server again on the same port and the same data.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub fn restart(&self) -> Result<()> {
        start(self.runner, &self.programs, self.folder.path(), &self.settings, self.port)
    }

    /// Lets the server read its configuration files again.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub fn reload(&self) -> Result<()> {
        let mut reload = self.runner.command(&self.programs.join("pg_ctl"));
        printed(reload.arg("-D").arg(self.data()).arg("reload")).map(|_| ())
    }
}

fn address(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

fn settings(folder: &Path, disk: Disk) -> String {
    let disk = match disk {
        Disk::Unsafe => " -c fsync=off -c full_page_writes=off -c synchronous_commit=off",
        Disk::Safe => "",
    };
    format!(
        "-c listen_addresses=127.0.0.1 -c unix_socket_directories='{}' -c max_connections=300{disk}",
        folder.display()
    )
}

fn start(runner: Runner, programs: &Path, folder: &Path, settings: &str, port: u16) -> Result<()> {
    let log = folder.join("log");
    let mut start = runner.command(&programs.join("pg_ctl"));
    start.arg("-D").arg(folder.join("data")).args(["-w", "-t", START_SECONDS, "-l"]).arg(&log);
    start.arg("-o").arg(format!("{settings} -c port={port}")).arg("start");
    // The server keeps what it inherits, and a reader of it would wait for ever.
    start.stdout(Stdio::null()).stderr(Stdio::null());
    let status = start.status().map_err(|error| format!("{start:?} did not start: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let said = std::fs::read(&log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said[said.len().saturating_sub(LOG_BYTES)..]);
    Err(format!("PostgreSQL did not start on port {port}; its log ends so: {said}"))
}

/// The server's main process is the first line of its file.
fn watch(folder: &Path) -> Result<Watch> {
    let data = folder.join("data").to_string_lossy().into_owned();
    let folder = folder.to_string_lossy();
    // `pg_ctl` refuses root, so the server is told by a signal: immediate shutdown.
    let script = "p=$(head -n 1 \"$1/postmaster.pid\") && kill -QUIT \"$p\" && \
        while kill -0 \"$p\" 2>/dev/null; do sleep 0.05; done; rm -rf \"$2\"";
    Watch::start(script, [data.as_str(), &folder])
}

/// The folder with `initdb` and `pg_ctl`, the newest version first.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .map(|version| {
            let number = version.file_name().to_string_lossy().parse().unwrap_or(0);
            (number, version.path().join("bin"))
        })
        .collect();
    folders.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let mut folders: Vec<PathBuf> = folders.into_iter().map(|(_, folder)| folder).collect();
    folders.extend(
        ["/usr/local/bin", "/usr/local/pgsql/bin", "/usr/pgsql/bin", "/opt/homebrew/bin"]
            .map(PathBuf::from),
    );
    let found = folder_of("initdb", &folders)?;
    // Links in a folder of the search path lead to where the other programs are.
    let initdb = std::fs::canonicalize(found.join("initdb")).ok()?;
    let real = initdb.parent()?.to_path_buf();
    [real, found].into_iter().find(|folder| folder.join("pg_ctl").is_file())
}

/// Sees to it that PostgreSQL is there: installs the distribution's package where that
/// is possible.
///
/// # Errors
///
/// What to install.
pub fn install() -> Result<()> {
    match programs() {
        Some(_) => Ok(()),
        None => apt_install("postgresql").map_err(|why| format!("{MISSING}. {why}")),
    }
}

/// Installs a package of Debian's, as root.
pub(crate) fn apt_install(package: &str) -> Result<()> {
    for args in [&["update"][..], &["install", "-y", "--no-install-recommends", package]] {
        let mut apt = Command::new("apt-get");
        printed(apt.args(args).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(())
}

/// The address of the server for this process's tests: the one that the environment
/// names, or one of its own.
///
/// # Errors
///
/// As [`Cluster::start`].
pub fn shared() -> Result<String> {
    static OWN: OnceLock<Result<Cluster>> = OnceLock::new();
    if let Ok(address) = std::env::var(ADDRESS_VARIABLE) {
        return Ok(address);
    }
    OWN.get_or_init(|| Cluster::start(Disk::Unsafe))
        .as_ref()
        .map(Cluster::address)
        .map_err(Clone::clone)
}

/// A name that no other test gives its schema.
#[must_use]
pub fn fresh_schema() -> String {
    static N: AtomicU32 = AtomicU32::new(0);
    let n = N.fetch_add(1, Ordering::Relaxed);
    let started = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    format!("test_{started}_{}_{n}", std::process::id())
}
