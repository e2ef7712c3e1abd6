//! The parts of the suite, and how they are run: by seed.

use crate::{chaos, clients, io, kill, model, power, search, sim, threads};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What parts need to know of where they run.
#[derive(Debug, Clone)]
pub struct Setting {
    /// This suite's program: parts that kill processes start it.
    pub program: PathBuf,
}

/// One part of the suite.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// What it proves, in a line.
    pub about: &'static str,
    /// Runs it with a seed; panics where something does not hold. How much it looked
    /// at, in a unit of its own: a part that looks at nothing proves nothing.
    run: fn(u64, &Setting) -> u64,
}

/// All parts.
pub const PARTS: &[Part] = &[
    Part {
        name: "kill",
        about: "processes killed at any moment lose nothing that was acked",
        run: kill::sqlite,
    },
    Part { name: "model", about: "every store does what the model says", run: model::run },
    Part {
        name: "clients",
        about: "clients at once see one order of commits, and lose none",
        run: clients::run,
    },
    Part {
        name: "threads",
        about: "in whatever order threads run, whoever commits is served once, and tickets are given once",
        run: threads::run,
    },
    Part {
        name: "chaos",
        about: "on a store that fails, what is tried again happens once",
        run: chaos::run,
    },
    Part {
        name: "sim",
        about: "engines that crash, with clocks that differ, on one store: a whole run by seed",
        run: sim::run,
    },
    Part {
        name: "power",
        about: "SQLite loses nothing that was acked when the power goes off",
        run: power::run,
    },
    Part {
        name: "bites",
        about: "without syncs it does, and that is seen: the loss of power is a real one",
        run: power::bites,
    },
    Part {
        name: "io",
        about: "whichever call of the file system fails, SQLite did all of it or nothing",
        run: io::run,
    },
    Part {
        name: "search",
        about: "an index whose process is killed at any moment opens with all that was committed",
        run: search::run,
    },
    Part {
        name: "pg-model",
        about: "PostgreSQL does what the model says",
        run: model::run_postgres,
    },
    Part {
        name: "pg-clients",
        about: "clients of PostgreSQL see one order of commits, and lose none",
        run: clients::run_postgres,
    },
    Part {
        name: "pg-kill",
        about: "processes and the server killed at any moment lose nothing that was acked",
        run: kill::postgres,
    },
];

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Each part with so many seeds.
    Seeds(u64),
    /// Parts in turn until the time is up, each at least once.
    Time(Duration),
}

/// What a run of a part came to.
#[derive(Debug, Clone)]
pub struct Tally {
    /// The part.
    pub name: &'static str,
    /// With how many seeds it ran.
    pub n_seeds: u64,
    /// How much it looked at.
    pub n_seen: u64,
    /// How long it took.
    pub seconds: f64,
}

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Of each part.
    pub parts: Vec<Tally>,
}

impl Report {
    /// A line for each part.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Tally { name, n_seeds, n_seen, seconds } in &self.parts {
            let each = seconds * 1e3 / (*n_seeds).max(1) as f64;
            let _ = writeln!(
                text,
                "{name:<10} {n_seeds:>8} seeds {seconds:>9.1} s {each:>9.1} ms each {n_seen:>10} seen"
            );
        }
        text
    }
}

/// The parts with these names, all of them for none.
///
/// # Errors
///
/// Names a name that is no part's, and those that are.
pub fn parts(names: &[String]) -> Result<Vec<Part>, String> {
    if let Some(name) = names.iter().find(|name| PARTS.iter().all(|part| part.name != **name)) {
        let known: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        return Err(format!("no part `{name}`: take some of {}", known.join(", ")));
    }
    let is_wanted = |part: &&Part| names.is_empty() || names.iter().any(|name| name == part.name);
    Ok(PARTS.iter().filter(is_wanted).copied().collect())
}

/// Runs parts with seeds from `seed` on.
///
/// # Errors
///
/// The first failure: which part, which seed, what, and how to run it again.
pub fn run(parts: &[Part], seed: u64, extent: Extent, setting: &Setting) -> Result<Report, String> {
    let began = Instant::now();
    let tally = |part: &Part| Tally { name: part.name, n_seeds: 0, n_seen: 0, seconds: 0.0 };
    let mut report = Report { parts: parts.iter().map(tally).collect() };
    for n in 0.. {
        for (part, tally) in parts.iter().zip(&mut report.parts) {
            let is_over = match extent {
                Extent::Seeds(max) => n >= max,
                Extent::Time(time) => n > 0 && began.elapsed() >= time,
            };
            if is_over {
                return Ok(report);
            }
            let start = Instant::now();
            tally.n_seen += run_one(part, seed.wrapping_add(n), setting)?;
            tally.seconds += start.elapsed().as_secs_f64();
            tally.n_seeds += 1;
        }
    }
    Ok(report)
}

fn run_one(part: &Part, seed: u64, setting: &Setting) -> Result<u64, String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| (part.run)(seed, setting)));
    outcome.map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        let name = part.name;
        format!(
            "{name}, seed {seed}: {said}\nagain: cargo xtask torture {name} --seed {seed} --seeds 1"
        )
    })
}
