//! Judges what we build on: where it comes from, under which licence, and what must never enter.

use anyhow::ensure;
use std::collections::BTreeSet;
use std::process::Command;

/// Never in the tree, and why.
const BANNED: &[(&str, &str)] = &[
    ("ring", "aws-lc-rs is the one library of cryptography here"),
    ("openssl-sys", "rustls is the one library of TLS here"),
    ("native-tls", "rustls is the one library of TLS here"),
    ("chrono", "time is the one library of dates here"),
];

/// Licences that ask for nothing but their own text.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "NCSA",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The workspaces: what ships, and what fuzzes it, which has a lock of its own that must keep up.
const WORKSPACES: &[&str] = &["Cargo.toml", "fuzz/Cargo.toml"];

pub(crate) fn check() -> anyhow::Result<()> {
    for manifest in WORKSPACES {
        let count = judge_workspace(manifest)?;
        crate::tell(&format!("{manifest}: {count} packages, every one with business here"));
    }
    Ok(())
}

fn judge_workspace(manifest: &str) -> anyhow::Result<usize> {
    // the tree and not the lock: that also names what no feature of ours brings in
    let arguments = "tree --workspace --locked --edges all --target all --prefix none --format {p}|{l} --manifest-path";
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments.split(' ')).arg(manifest).current_dir(crate::root()).output()?;
    ensure!(output.status.success(), "cargo tree of {manifest}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let packages: BTreeSet<&str> = text.lines().map(|line| line.trim_end_matches(" (*)").trim()).collect();
    let faults: Vec<_> = packages.iter().filter(|line| !line.is_empty()).filter_map(|line| judge(line)).collect();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(packages.len())
}

/// What is wrong with one line, `name version (place)|licence`.
fn judge(line: &str) -> Option<String> {
    let (package, licence) = line.rsplit_once('|')?;
    let name = package.split(' ').next().unwrap_or_default();
    if let Some((_, why)) = BANNED.iter().find(|(banned, _)| *banned == name) {
        return Some(format!("{name}: must not be here: {why}"));
    }
    if package.contains("(http") || package.contains("(git") {
        return Some(format!("{package}: comes from elsewhere than the registry"));
    }
    (!is_permissive(licence)).then(|| format!("{package}: its licence is `{licence}`"))
}

/// Whether an SPDX expression can be met by permissive licences alone: one of each OR, all of each AND.
fn is_permissive(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    let term = |term: &str| {
        let name = term.trim().split(" WITH ").next().unwrap_or_default().trim();
        LICENCES.contains(&name)
    };
    // without brackets AND binds closer; read so, a mixed expression is refused rather than let through
    expression.split(" AND ").all(|part| part.split(" OR ").any(term))
}

#[cfg(test)]
mod tests {
    use super::{is_permissive, judge};

    #[test]
    fn packages_are_judged() {
        assert_eq!(judge("bytes v1.12.0|MIT"), None);
        assert_eq!(judge("relay v0.1.0 (/somewhere/relay)|Apache-2.0 OR MIT"), None);
        assert!(judge("ring v0.17.14|Apache-2.0 AND ISC").is_some());
        assert!(judge("x v1.0.0 (https://example.com/x?rev=1)|MIT").is_some());
        assert!(judge("x v1.0.0|").is_some());
    }

    #[test]
    fn licences_are_read() {
        assert!(is_permissive("MIT OR Apache-2.0"));
        assert!(is_permissive("MIT/Apache-2.0"));
        assert!(is_permissive("ISC AND (Apache-2.0 OR ISC) AND OpenSSL"));
        assert!(is_permissive("Apache-2.0 WITH LLVM-exception OR MIT"));
        assert!(!is_permissive("GPL-3.0"));
        assert!(!is_permissive("MIT AND MPL-2.0"));
        assert!(!is_permissive(""));
    }
}
