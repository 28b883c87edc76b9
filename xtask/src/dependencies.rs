//! Holds the dependency tree to its rules: licences, one cryptographic provider, registry sources, a reason for each.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// Licences that may be in the tree. A package may offer others beside one of these.
const LICENCES: &[&str] = &[
    "MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "0BSD",
    "Unicode-3.0", "CC0-1.0", "CDLA-Permissive-2.0", "OpenSSL", "Unlicense", "BSL-1.0",
];

/// Crates that must not be in the tree: a second cryptographic provider, or a system library to install.
const BANNED: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls", "boring"];

/// Checks every rule and names every breach.
///
/// # Errors
/// A rule is broken, or `cargo metadata` cannot be read.
pub(crate) fn check(root: &Path) -> Result<()> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let used: std::collections::HashSet<&str> =
        metadata["resolve"]["nodes"].as_array().context("no nodes")?.iter().filter_map(|node| node["id"].as_str()).collect();
    let reasons = std::fs::read_to_string(root.join("docs/decisions/0003-libraries.md"))?;
    let mut breaches = Vec::new();
    let mut count = 0;
    for package in packages.iter().filter(|package| package["id"].as_str().is_some_and(|id| used.contains(id))) {
        count += 1;
        breaches.extend(breach_of(package));
        if package["source"].is_null() {
            breaches.extend(unexplained(package, &reasons));
        }
    }
    breaches.sort();
    breaches.dedup();
    if !breaches.is_empty() {
        bail!("the dependency tree breaks its rules:\n  {}", breaches.join("\n  "));
    }
    print_line(&format!("{count} packages: licences, sources, bans and reasons are in order"));
    Ok(())
}

/// What is wrong with one package by itself.
fn breach_of(package: &serde_json::Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let mut breaches = Vec::new();
    if BANNED.contains(&name) {
        breaches.push(format!("{name}: must not be in the tree"));
    }
    let source = package["source"].as_str();
    if source.is_some_and(|source| !source.starts_with("registry+")) {
        breaches.push(format!("{name}: not from the registry"));
    }
    let licence = package["license"].as_str().unwrap_or_default();
    if !permitted(licence) {
        breaches.push(format!("{name}: licence “{licence}”"));
    }
    breaches
}

/// Whether an SPDX expression can be satisfied by permitted licences alone.
fn permitted(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    let all_of = |part: &str| part.split(" AND ").all(|licence| LICENCES.contains(&licence.trim()));
    !flat.is_empty() && (flat.split(" OR ").any(all_of) || flat.split(" AND ").all(|part| part.split(" OR ").any(all_of)))
}

/// The direct dependencies of one of our crates that no decision explains.
fn unexplained(package: &serde_json::Value, reasons: &str) -> Vec<String> {
    let words: std::collections::HashSet<&str> =
        reasons.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).filter(|word| !word.is_empty()).collect();
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    dependencies
        .iter()
        .filter(|dependency| dependency["path"].is_null())
        .filter_map(|dependency| dependency["name"].as_str())
        .filter(|name| !words.contains(name))
        .map(|name| format!("{name}: docs/decisions/0003-libraries.md does not say why it is here"))
        .collect()
}

#[allow(clippy::print_stdout)]
fn print_line(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::permitted;

    #[test]
    fn licences_are_read_as_expressions() {
        assert!(permitted("MIT OR Apache-2.0"));
        assert!(permitted("MIT/Apache-2.0"));
        assert!(permitted("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(permitted("GPL-3.0 OR MIT"));
        assert!(!permitted("GPL-3.0"));
        assert!(!permitted("MIT AND GPL-3.0"));
        assert!(!permitted(""));
    }
}
