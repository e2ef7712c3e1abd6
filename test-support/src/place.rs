//! Where programs are, as whom they run, and on which port.

use crate::Result;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The user and group that servers run as: root's must be another's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runner(Option<(u32, u32)>);

impl Runner {
    /// `nobody` for root, else whoever runs this.
    pub(crate) fn find() -> Result<Self> {
        if number(Command::new("id").arg("-u"))? != 0 {
            return Ok(Self(None));
        }
        let user = number(Command::new("id").args(["-u", "nobody"]))?;
        let group = number(Command::new("id").args(["-g", "nobody"]))?;
        Ok(Self(Some((user, group))))
    }

    /// A command that runs as this user, from `/`, which everybody may enter.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null());
        if let Self(Some((user, group))) = self {
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives a folder or file to this user.
    pub(crate) fn give(self, path: &Path) -> Result<()> {
        let Self(Some((user, group))) = self else { return Ok(()) };
        std::os::unix::fs::chown(path, Some(user), Some(group))
            .map_err(|error| format!("`{}` cannot be given away: {error}", path.display()))
    }
}

fn number(command: &mut Command) -> Result<u32> {
    let text = printed(command)?;
    text.trim().parse().map_err(|_| format!("{command:?} printed `{text}`, not a number"))
}

/// What a command prints, when it exits with 0.
pub(crate) fn printed(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("{command:?} did not start: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed ({}): {said}", output.status))
}

/// The folder in which a program is: of the search path, then of these.
pub(crate) fn folder_of(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all = std::env::split_paths(&path).chain(folders.iter().cloned());
    all.find(|folder| folder.join(program).is_file())
}

/// A port of the loopback address that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}
