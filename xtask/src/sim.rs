//! Runs the simulator, built fast and with every check, under the name of the commit.

use anyhow::{Context, ensure};
use std::process::Command;

/// Hands these orders on to `crates/sim`.
pub(crate) fn run(orders: &[&str]) -> anyhow::Result<()> {
    let commit = commit()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--profile", "sim", "--locked", "--quiet", "-p", "sim", "--"])
        .args(orders)
        .args(["--commit", &commit])
        .current_dir(crate::root())
        .status()
        .context("cargo run")?;
    ensure!(status.success(), "the simulation found something, or was asked what it does not know");
    Ok(())
}

/// The commit of the working tree, and whether anything was changed since.
fn commit() -> anyhow::Result<String> {
    let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(crate::root()).output();
    let name = git(&["rev-parse", "--short=12", "HEAD"]).context("git")?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"]).context("git")?;
    let name = String::from_utf8_lossy(&name.stdout).trim().to_owned();
    Ok(if changes.stdout.is_empty() { name } else { format!("{name} with changes") })
}
