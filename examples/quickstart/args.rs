//! What the command line asks for.

use crate::{Result, trouble};
use std::path::PathBuf;

/// How the program is called.
pub(crate) const USAGE: &str = "\
cargo run --release --example quickstart                     a desk through one simulated day
cargo run --release --example quickstart -- FILE [OPTIONS]   your own tickets: .csv, .jsonl

  --text COLUMN      what people wrote      (else: Document, text, body, description, message)
  --subject COLUMN   the subject            (else: subject, title, summary)
  --topic COLUMN     the topic on record    (else: Topic_group, topic, category, label)
  --from COLUMN      the sender's address   (else: from, sender, requester, email)
  --time COLUMN      when, RFC 3339         (else: time, date, created_at)
  --limit N          only the first N rows
  --solve            each ticket is also answered and solved by the agent who gets it";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Args {
    /// Show the built-in day.
    Day,
    /// Run somebody's own tickets.
    Own(Own),
    /// Say how it is called.
    Help,
}

/// Where the tickets are, and what the columns are called.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) file: PathBuf,
    pub(crate) text: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) time: Option<String>,
    pub(crate) limit: Option<usize>,
    pub(crate) solve: bool,
}

/// Reads the arguments after the program's name.
pub(crate) fn read(args: impl Iterator<Item = String>) -> Result<Args> {
    let mut args = args.peekable();
    if args.peek().is_none() {
        return Ok(Args::Day);
    }
    let mut own = Own::default();
    let mut file = None;
    while let Some(arg) = args.next() {
        if arg == "--help" || arg == "-h" {
            return Ok(Args::Help);
        }
        if arg == "--solve" {
            own.solve = true;
            continue;
        }
        if !arg.starts_with("--") {
            if let Some(first) = file.replace(PathBuf::from(&arg)) {
                return trouble(format!(
                    "one file at a time: there are `{}` and `{arg}`",
                    first.display()
                ));
            }
            continue;
        }
        let Some(value) = args.next() else {
            return trouble(format!("`{arg}` needs a value after it\n\n{USAGE}"));
        };
        match arg.as_str() {
            "--text" => own.text = Some(value),
            "--subject" => own.subject = Some(value),
            "--topic" => own.topic = Some(value),
            "--from" => own.from = Some(value),
            "--time" => own.time = Some(value),
            "--limit" => match value.parse() {
                Ok(limit) => own.limit = Some(limit),
                Err(_) => return trouble(format!("--limit takes a number, not `{value}`")),
            },
            _ => return trouble(format!("there is no option `{arg}`\n\n{USAGE}")),
        }
    }
    match file {
        Some(file) => Ok(Args::Own(Own { file, ..own })),
        None => trouble(format!("name the file with the tickets\n\n{USAGE}")),
    }
}
