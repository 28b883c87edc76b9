//! Measures the relay under load: builds what is measured and what measures, both as they ship, and starts the latter.

use crate::cargo;

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    for package in ["envoi", "load"] {
        // one at a time: together they would be built with each other's features
        cargo(&["build", "--release", "--locked", "--quiet", "--package", package])?;
    }
    if arguments.iter().any(|argument| *argument == "all" || argument.contains("W9") || argument.contains("10M")) {
        cargo(&["build", "--release", "--locked", "--quiet", "--package", "store", "--example", "fill"])?;
    }
    let (run, then) = (["run", "--release", "--locked", "--quiet", "--package", "load", "--"], arguments);
    cargo(&[run.as_slice(), then].concat())
}

/// Measures what is waited for where there are many accounts.
pub(crate) fn scale(arguments: &[&str]) -> anyhow::Result<()> {
    for package in ["envoi", "load"] {
        cargo(&["build", "--release", "--locked", "--quiet", "--package", package])?;
    }
    cargo(&["build", "--release", "--locked", "--quiet", "--package", "store", "--example", "fill"])?;
    let run = ["run", "--release", "--locked", "--quiet", "--package", "load", "--", "scale"];
    cargo(&[run.as_slice(), arguments].concat())
}
