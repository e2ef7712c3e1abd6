//! A help desk at work, in one program.
//!
//! Without arguments: a small desk through one simulated day and the week after.
//! With a file: your own tickets, from CSV or JSON lines, through rules by words.
//!
//! `cargo run --release --example quickstart [-- FILE [--text COLUMN] …]`

/// Prints a line.
macro_rules! say {
    ($($arg:tt)*) => { $crate::say_line(format_args!($($arg)*)) };
}

mod answers;
mod args;
mod day;
mod office;
mod own;
mod parts;
mod promises;
mod rows;
mod score;
mod table;
mod tried;

use args::Args;
use std::fmt;
use std::io::Write;

/// What went wrong, in words; also where a program shows errors by `Debug`.
pub(crate) struct Trouble(pub(crate) String);

/// The result of everything here.
pub(crate) type Result<T> = std::result::Result<T, Trouble>;

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Shorthand for a trouble.
pub(crate) fn trouble<T>(text: impl Into<String>) -> Result<T> {
    Err(Trouble(text.into()))
}

/// A reader who has gone, as `head` does, misses the rest.
pub(crate) fn say_line(line: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn main() -> Result<()> {
    match args::read(std::env::args().skip(1))? {
        Args::Day => parts::run(),
        Args::Own(own) => own::run(&own),
        Args::Help => {
            say!("{}", args::USAGE);
            Ok(())
        }
    }
}
