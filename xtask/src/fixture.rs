//! Makes the data folder of today's version that later versions have to open.

use anyhow::{Context as _, ensure};
use std::process::Command;

/// Makes the fixture of this name. One that is there stays: it is what some disk out there has.
pub(crate) fn make(name: &str) -> anyhow::Result<()> {
    let file = crate::root().join(format!("crates/store/tests/fixtures/{name}.tar.gz"));
    ensure!(!file.exists(), "{} is there and never changes: choose another name", file.display());
    std::fs::create_dir_all(file.parent().context("a folder for it")?)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args("run --quiet --package store --example data_folder --".split(' '))
        .arg(&file)
        .current_dir(crate::root());
    ensure!(command.status()?.success(), "the data folder could not be made");
    crate::tell(&format!("{}: `cargo test -p store --test upgrade` opens it from now on", file.display()));
    Ok(())
}
