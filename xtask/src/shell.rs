//! Where the project is, and how to run a command in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// With less room than this a failure is likely for want of it.
const ROOM_MIN: u64 = 1_000_000_000;

/// The project's root: the folder above this package's.
pub(crate) fn root() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let parent = package.parent().map(Path::to_path_buf);
    parent.ok_or_else(|| format!("`{}` has no parent folder", package.display()))
}

/// The cargo that started this chore.
fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

/// `cargo ARGS…` in the project's root, without the variables that this package was started with.
pub(crate) fn cargo(args: &[&str]) -> Result<Command, String> {
    let mut command = Command::new(cargo_program());
    command.current_dir(root()?).args(args);
    for (name, _) in std::env::vars_os() {
        let own = name.to_string_lossy();
        if own.starts_with("CARGO_PKG_") || own.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    Ok(command)
}

/// Says what it runs, runs it with its output streaming through, and wants exit code 0.
pub(crate) fn stream(command: &mut Command) -> Result<(), String> {
    let line = shown(command);
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("`{line}` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed: {status}")) }
}

/// What a command prints, when it exits with 0.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    println!("$ {}", shown(command));
    printed(command)
}

/// What a command prints, when it exits with 0; all that is said of it goes to stderr.
pub(crate) fn captured(command: &mut Command) -> Result<String, String> {
    eprintln!("$ {}", shown(command));
    printed(command)
}

fn printed(command: &mut Command) -> Result<String, String> {
    let line = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{line}` failed: {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{line}` printed no UTF-8"))
}

/// Like [`stream`], with all output on stderr: stdout is left to what the chore prints.
pub(crate) fn stream_aside(command: &mut Command) -> Result<(), String> {
    let line = shown(command);
    eprintln!("$ {line}");
    let status = command
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed: {status}")) }
}

/// True when `cargo NAME --version` works, that is, when the subcommand is installed.
pub(crate) fn has_subcommand(name: &str) -> Result<bool, String> {
    let mut command = cargo(&[name, "--version"])?;
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().map_err(|error| format!("cargo did not start: {error}"))?;
    Ok(status.success())
}

/// The command as one would type it, with the variables it sets.
fn shown(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)))
        .map(|(name, value)| format!("{}={:?}", name.to_string_lossy(), value.to_string_lossy()))
        .collect();
    let program = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    words.push(program.to_string_lossy().into_owned());
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}

/// What to say of a failure where the disk that cargo builds on is all but full: compilers and
/// linkers often do not say it.
pub(crate) fn room_left() -> Option<String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.or_else(|| root().ok().map(|root| root.join("target")))?;
    let bytes = fs4::available_space(&target).ok()?;
    (bytes < ROOM_MIN).then(|| {
        let megabytes = bytes / 1_000_000;
        format!(
            "the disk is full, or was: {megabytes} MB are left at `{}`, and the suite takes some \
             10 GB there; make room, or set CARGO_TARGET_DIR to a folder on another disk",
            target.display()
        )
    })
}
