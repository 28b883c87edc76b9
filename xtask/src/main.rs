//! Development chores: `docs` renders the reference pages, `dependencies` judges what we build on, `fixture` keeps a
//! data folder for later versions, `load`, `scale`, `instructions` and `fairness` measure, `sim` runs the relay in a seeded world of faults.

mod dependencies;
mod docs;
mod fixture;
mod instructions;
mod load;
mod mutants;
mod sim;

use std::process::ExitCode;

const USAGE: &str = "cargo xtask docs [--check]     render docs/reference, or fail where it is stale
cargo xtask dependencies       fail where a dependency has no business here
cargo xtask fixture NAME       keep a data folder of this version, such as data-0.1.0, for later versions to open
cargo xtask load WORK…         measure the relay under W1 to W9; `cargo xtask load --help` says more
cargo xtask scale              measure pages, lists and searches at scale, beside W2; `cargo xtask scale --help` says more
cargo xtask instructions       count the instructions of parts; --check fails where one became dearer, --keep keeps them
cargo xtask fairness           print how long mail waits while other accounts send without end, in simulated time
cargo xtask sim --seed N       run one seed of the simulator again; --seeds N, --hours H: many
cargo xtask mutants [NAME…]    break the relay on purpose, and see that the simulator finds it";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        ["dependencies"] => dependencies::check(),
        ["fixture", name] => fixture::make(name),
        ["load", rest @ ..] => load::run(rest),
        ["scale", rest @ ..] => load::scale(rest),
        ["instructions"] => instructions::run(&instructions::Then::Show),
        ["instructions", "--check"] => instructions::run(&instructions::Then::Check),
        ["instructions", "--keep"] => instructions::run(&instructions::Then::Keep),
        ["fairness"] => cargo(&[
            "test",
            "--quiet",
            "--package",
            "relay",
            "--lib",
            "fairness",
            "--",
            "--nocapture",
            "--test-threads=1",
        ]),
        ["sim", rest @ ..] => sim::run(rest),
        ["mutants", rest @ ..] => mutants::run(rest),
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

/// Runs cargo on the project.
fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo).args(arguments).current_dir(root()).status()?;
    anyhow::ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
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
