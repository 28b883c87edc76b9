//! Writes the reference pages, or says which are stale.

use anyhow::{Context, ensure};
use std::path::PathBuf;

fn folder() -> PathBuf {
    crate::root().join("docs/reference")
}

pub(crate) fn write() -> anyhow::Result<()> {
    std::fs::create_dir_all(folder())?;
    for page in envoi::reference::pages() {
        std::fs::write(folder().join(page.name), page.text).with_context(|| page.name)?;
    }
    Ok(())
}

pub(crate) fn check() -> anyhow::Result<()> {
    let pages = envoi::reference::pages();
    let current = |name: &str| std::fs::read_to_string(folder().join(name)).unwrap_or_default();
    let stale: Vec<_> = pages.iter().filter(|page| current(page.name) != page.text).map(|page| page.name).collect();
    ensure!(stale.is_empty(), "stale in docs/reference: {}; run `cargo xtask docs`", stale.join(", "));
    Ok(())
}
