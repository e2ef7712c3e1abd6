//! What a figure was measured on.

use serde_json::{Value, json};
use std::process::Command;
use std::thread::available_parallelism;

/// The processor, the system and the build; `null` for what cannot be told.
pub(super) fn facts() -> Value {
    json!({
        "cpu": cpu(),
        "cores": available_parallelism().ok().map(usize::from),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "rustc": rustc(),
        "profile": "bench",
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// In a line.
pub(super) fn line(facts: &Value) -> String {
    let text = |name: &str| facts[name].as_str().unwrap_or("unknown").to_owned();
    let cores = facts["cores"].as_u64().map_or("unknown".to_owned(), |cores| cores.to_string());
    format!(
        "{}, {cores} cores, {} {}; {}; helpdesk {}",
        text("cpu"),
        text("os"),
        text("arch"),
        text("rustc"),
        text("version")
    )
}

/// As Linux tells it.
fn cpu() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

fn rustc() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}
