//! Breaks the relay on purpose, one patch at a time, and sees that the simulator finds each.
//!
//! The patches are `crates/sim/mutants/*.patch`; the first lines of each say what it breaks. They are applied to a copy
//! of the tree, which is built and run on the first [`SEEDS`] seeds.

use anyhow::{Context, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Seeds within which a mutant must be found.
const SEEDS: &str = "200";

/// Tries those whose name contains one of `names`; all where there are none.
pub(crate) fn run(names: &[&str]) -> anyhow::Result<()> {
    let tree = crate::root().join("target/mutants/tree");
    copy(&tree)?;
    let patches = patches(names)?;
    ensure!(!patches.is_empty(), "there is no such mutant");
    ensure!(simulate(&tree)?.is_none(), "the simulator finds fault with the relay as it is");
    let mut missed = Vec::new();
    for patch in &patches {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        apply(&tree, patch, false).with_context(|| format!("{name} does not fit the code any more"))?;
        let found = simulate(&tree);
        apply(&tree, patch, true)?;
        match found.with_context(|| name.clone())? {
            Some(how) => crate::tell(&format!("{name}: found: {how}")),
            None => {
                crate::tell(&format!("{name}: NOT FOUND in {SEEDS} seeds"));
                missed.push(name);
            }
        }
    }
    crate::tell(&format!("{} passed, {} failed", patches.len() - missed.len(), missed.len()));
    ensure!(missed.is_empty(), "not found: {}", missed.join(", "));
    Ok(())
}

fn patches(names: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let folder = crate::root().join("crates/sim/mutants");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_wanted = names.is_empty() || names.iter().any(|wanted| name.contains(wanted));
        if is_wanted && path.extension().is_some_and(|extension| extension == "patch") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The files that git knows, as they are now; what did not change keeps its time, so that it is not built again.
fn copy(tree: &Path) -> anyhow::Result<()> {
    let root = crate::root();
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(&root).output().context("git")?;
    ensure!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    for name in listed.stdout.split(|octet| *octet == 0).filter(|name| !name.is_empty()) {
        let name = String::from_utf8_lossy(name).into_owned();
        let (from, to) = (root.join(&name), tree.join(&name));
        let Ok(octets) = std::fs::read(&from) else { continue };
        if std::fs::read(&to).is_ok_and(|there| there == octets) {
            continue;
        }
        std::fs::create_dir_all(to.parent().unwrap_or(tree))?;
        std::fs::write(&to, octets).with_context(|| name)?;
    }
    Ok(())
}

fn apply(tree: &Path, patch: &Path, is_reverse: bool) -> anyhow::Result<()> {
    let mut patching = Command::new("patch");
    patching.args(["--strip=1", "--silent", "--force", "--input"]).arg(patch).current_dir(tree);
    if is_reverse {
        patching.arg("--reverse");
    }
    let output = patching.output().context("patch")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// Builds the tree and runs it: what was found, if anything was.
fn simulate(tree: &Path) -> anyhow::Result<Option<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = crate::root().join("target/mutants/build");
    let build = Command::new(cargo)
        .args(["build", "--profile", "sim", "--locked", "--quiet", "-p", "sim", "--target-dir"])
        .arg(&target)
        .current_dir(tree)
        .stderr(Stdio::piped())
        .output()
        .context("cargo build")?;
    if !build.status.success() {
        bail!("it does not build: {}", String::from_utf8_lossy(&build.stderr));
    }
    let run = Command::new(target.join("sim/sim")).args(["--seeds", SEEDS, "--first"]).output().context("sim")?;
    let text = String::from_utf8_lossy(&run.stdout);
    let first = text.lines().find(|line| line.starts_with("seed ")).unwrap_or("it ended").to_owned();
    Ok((!run.status.success()).then_some(first))
}
