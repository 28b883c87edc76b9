//! Counts the instructions of parts of the relay, and holds them to a kept baseline: a count does not depend on what
//! else the machine does, so a part that became dearer is seen where a clock would only guess.

use anyhow::{Context, bail, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each part, how often it is repeated in the shorter run (the longer one: twice as often), and by how many percent
/// it may become dearer: with activity SQLite decides when pages are written.
const PARTS: &[(&str, u64, f64)] = &[
    ("session", 200, 3.0),
    ("address", 2000, 3.0),
    ("admission", 200, 3.0),
    ("seal", 10, 3.0),
    ("spool", 200, 4.0),
    ("schedule", 1000, 4.0),
    ("activity", 500, 6.0),
];
/// Where the counts are kept that later ones are held to.
const BASELINE: &str = "instructions/baseline.txt";

pub(crate) enum Then {
    /// Shows the counts.
    Show,
    /// Fails where one is above its baseline.
    Check,
    /// Makes them the baseline.
    Keep,
}

pub(crate) fn run(then: &Then) -> anyhow::Result<()> {
    crate::cargo(&["build", "--release", "--locked", "--quiet", "--package", "instructions"])?;
    let binary = crate::root().join("target/release/instructions");
    let folder = crate::root().join("target/instructions");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    prepare(&binary, &folder)?;
    let mut counts = BTreeMap::new();
    for (name, repeats, _) in PARTS {
        let fewer = count(&binary, &folder, name, *repeats)?;
        let more = count(&binary, &folder, name, repeats * 2)?;
        counts.insert(*name, more.saturating_sub(fewer) / repeats);
    }
    match then {
        Then::Keep => keep(&counts),
        Then::Show => show(&counts, &BTreeMap::new()).map(drop),
        Then::Check => check(&counts),
    }
}

fn prepare(binary: &Path, folder: &Path) -> anyhow::Result<()> {
    let counts = PARTS.iter().filter(|(name, _, _)| *name == "activity");
    let counts = counts.flat_map(|(_, repeats, _)| [repeats.to_string(), (repeats * 2).to_string()]);
    let status = Command::new(binary).arg("prepare").arg(folder).args(counts).status()?;
    ensure!(status.success(), "the parts could not be prepared");
    Ok(())
}

/// Instructions of a whole run.
fn count(binary: &Path, folder: &Path, name: &str, repeats: u64) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(binary)
        .args([name, &repeats.to_string()])
        .arg(folder)
        .output()
        .context("valgrind, which Debian has a package of")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {text}");
    let line = text.lines().find_map(|line| line.split_once("I   refs:")).context("no count by cachegrind")?;
    line.1.trim().replace(',', "").parse().context("the count by cachegrind")
}

fn baseline() -> PathBuf {
    crate::root().join(BASELINE)
}

fn kept() -> anyhow::Result<BTreeMap<String, u64>> {
    let text = std::fs::read_to_string(baseline()).context(BASELINE)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, count) = line.split_once(' ').with_context(|| format!("{BASELINE}: {line}"))?;
            Ok((name.to_owned(), count.trim().parse()?))
        })
        .collect()
}

fn keep(counts: &BTreeMap<&str, u64>) -> anyhow::Result<()> {
    let mut text = String::from(
        "# Instructions of each part, once, on x86-64: `cargo xtask instructions --keep` writes this,\n\
         # `cargo xtask instructions --check` holds later counts to it.\n",
    );
    for (name, count) in counts {
        text.push_str(&format!("{name} {count}\n"));
    }
    Ok(std::fs::write(baseline(), text)?)
}

fn check(counts: &BTreeMap<&str, u64>) -> anyhow::Result<()> {
    let kept = kept()?;
    let faults = show(counts, &kept)?;
    let passed = counts.len() - faults.len();
    crate::tell(&format!("{passed} passed, {} failed", faults.len()));
    match faults.is_empty() {
        true => Ok(()),
        false => {
            bail!("{}\nwhere that is meant, `cargo xtask instructions --keep` keeps the new counts", faults.join("\n"))
        }
    }
}

/// Shows each count beside its baseline; those that moved too far.
fn show(counts: &BTreeMap<&str, u64>, kept: &BTreeMap<String, u64>) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for (name, count) in counts {
        let Some(before) = kept.get(*name) else {
            crate::tell(&format!("{name:<10} {count:>10} instructions"));
            if !kept.is_empty() {
                faults.push(format!("{name}: has no baseline"));
            }
            continue;
        };
        let percent = (*count as f64 / *before as f64 - 1.0) * 100.0;
        crate::tell(&format!("{name:<10} {count:>10} instructions, {percent:+.1} % of the baseline"));
        let tolerance = PARTS.iter().find(|(known, _, _)| known == name).map_or(0.0, |(_, _, tolerance)| *tolerance);
        if percent > tolerance {
            faults.push(format!("{name}: {percent:.1} % dearer ({tolerance} % are let pass)"));
        }
    }
    Ok(faults)
}
