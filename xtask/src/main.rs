//! Development chores: `docs` renders the reference pages, `dependencies` judges what we build on.

mod dependencies;
mod docs;

use std::process::ExitCode;

const USAGE: &str = "cargo xtask docs [--check]     render docs/reference, or fail where it is stale
cargo xtask dependencies       fail where a dependency has no business here";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        ["dependencies"] => dependencies::check(),
        _ => Err(anyhow::anyhow!(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The project's folder.
fn root() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

#[expect(clippy::print_stderr, reason = "a chore tells what it found")]
fn tell(line: &str) {
    eprintln!("{line}");
}
