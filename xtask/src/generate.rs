//! `cargo xtask gen`: writes the committed files that code generates.

use crate::{Failure, shell};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What to do with a file that differs from what the code generates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write it again.
    Write,
    /// Leave it, and fail.
    Check,
}

/// One generated file: its path below the root, and what makes it.
type Generated = (&'static str, fn() -> Value);

/// The generated files. A new one is one line:
/// `("schema/config.schema.json", helpdesk_core::desk::config_schema),`.
const GENERATED: &[Generated] = &[
    ("schema/command.schema.json", helpdesk_core::command::schema),
    ("schema/config.schema.json", helpdesk_core::desk::config_schema),
    ("schema/query.schema.json", helpdesk_core::query::schema),
];

/// Runs the chore.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let mode = match args {
        [] => Mode::Write,
        [flag] if flag == "--check" => Mode::Check,
        _ => return Err(Failure::Usage("`cargo xtask gen` takes `--check` or nothing".to_owned())),
    };
    Ok(generate(mode)?)
}

/// Brings all generated files up to date, or fails with the list of the stale ones.
pub(crate) fn generate(mode: Mode) -> Result<(), String> {
    generate_in(&shell::root()?, GENERATED, mode)
}

fn generate_in(root: &Path, files: &[Generated], mode: Mode) -> Result<(), String> {
    let mut stale = Vec::new();
    for (path, make) in files {
        let text = render(&make()).map_err(|error| format!("`{path}`: {error}"))?;
        let target = root.join(path);
        // A file that cannot be read is stale too: writing it says why, if it cannot be written.
        if fs::read_to_string(&target).is_ok_and(|committed| committed == text) {
            continue;
        }
        if mode == Mode::Write {
            write(&target, &text).map_err(|error| format!("`{path}`: {error}"))?;
            println!("wrote {path}");
        }
        stale.push(*path);
    }
    if mode == Mode::Check && !stale.is_empty() {
        let list = stale.join("\n  ");
        return Err(format!(
            "stale generated files:\n  {list}\nrun `cargo xtask gen`, then commit"
        ));
    }
    println!("{} generated files, {} were stale", files.len(), stale.len());
    Ok(())
}

fn render(value: &Value) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(value).map(|text| text + "\n")
}

fn write(target: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(target, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FILES: &[Generated] = &[("schema/a.json", || json!({ "type": "object" }))];

    #[test]
    fn check_names_the_stale_file_until_it_is_written() {
        let root = std::env::temp_dir().join(format!("xtask-gen-{}", std::process::id()));
        let Err(message) = generate_in(&root, FILES, Mode::Check) else {
            panic!("the file does not exist");
        };
        assert!(message.contains("schema/a.json") && message.contains("cargo xtask gen"));
        generate_in(&root, FILES, Mode::Write).unwrap();
        generate_in(&root, FILES, Mode::Check).unwrap();
        let text = fs::read_to_string(root.join("schema/a.json")).unwrap();
        assert_eq!(text, "{\n  \"type\": \"object\"\n}\n");
        fs::remove_dir_all(&root).unwrap();
    }
}
