//! `instructions PART COUNT FOLDER`: repeats a part of the relay's work, to be run under a counter of instructions.
//!
//! `cargo xtask instructions` does that, twice with different counts: the difference is what the part costs, whatever
//! the start of the process did. Everything is on one thread and without a clock, so that it comes out alike again.

mod disk;
mod ledger;
mod letter;
mod schedule;
mod speech;
mod spool;

use anyhow::Context;
use std::path::Path;

/// Each part by name, and how it is repeated.
type Part = (&'static str, fn(usize, &Path) -> anyhow::Result<()>);

const PARTS: &[Part] = &[
    ("session", speech::session),
    ("address", speech::address),
    ("admission", letter::admission),
    ("seal", letter::seal),
    ("spool", spool::spool),
    ("schedule", schedule::schedule),
    ("activity", ledger::activity),
];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["prepare", folder, counts @ ..] => {
            letter::prepare(Path::new(folder))?;
            counts.iter().try_for_each(|count| ledger::prepare(count.parse()?, Path::new(folder)))
        }
        [name, count, folder] => {
            let part = PARTS.iter().find(|(known, _)| known == name);
            let (_, repeat) = part.with_context(|| format!("there is no part named {name}"))?;
            repeat(count.parse()?, Path::new(folder))
        }
        _ => anyhow::bail!("instructions PART COUNT FOLDER, or instructions prepare FOLDER COUNT…"),
    }
}
