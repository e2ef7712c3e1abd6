//! Writes to an index without end, to be killed; then says whether all of it is there.
//!
//! ```text
//! churn write FOLDER [ROUNDS]    prints `committed N` after each round
//! churn check FOLDER             prints the round that the index holds; fails when it is broken
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to a terminal")]

mod work;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", folder] => work::write(Path::new(folder), u64::MAX),
        ["write", folder, rounds] => work::write(Path::new(folder), rounds.parse()?),
        ["check", folder] => {
            println!("{}", work::check(Path::new(folder))?);
            Ok(())
        }
        _ => Err("`write FOLDER [ROUNDS]` or `check FOLDER`".into()),
    }
}
