//! Runs what was typed: prints answers and faults, and gives the exit code.

use clap::Parser;
use relay::service::operation::{Answer, Operation};
use relay::service::{Fault, FaultKind};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use net::clock::{Clock, SystemClock};

use super::operate::{self, Wanted};
use super::{Cli, Command, ConfigCommand, ask, message, show};
use crate::config::{self, Config, Findings};

/// Done.
const DONE: u8 = 0;
/// It could not be done, or was not good.
const FAILED: u8 = 1;
/// The command was not understood.
const MISUSED: u8 = 2;

/// Why a command ended badly.
pub(crate) enum Failure {
    /// It could not be done.
    Fault(Fault),
    /// The configuration cannot be used.
    Config(Findings),
    /// It was told already.
    Told,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Fault(fault)
    }
}

/// Runs the process: reads its arguments, does what they say.
pub fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let wants_json = arguments.iter().any(|argument| argument == "--json");
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) if wants_json && error.use_stderr() => {
            let what = error.to_string();
            let what = what.trim().trim_start_matches("error: ");
            eprint_json(
                &json!({"error": {"kind": "usage", "what": what, "remedy": "`envoi --help` shows the commands."}}),
            );
            return ExitCode::from(MISUSED);
        }
        // help and version are no errors: clap knows
        Err(error) => {
            let code = if error.use_stderr() { MISUSED } else { DONE };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let fault = Fault::unavailable(
                format!("The process cannot start: {error}."),
                "See what the system lets this user have.",
            );
            tell(&Failure::Fault(fault), cli.json);
            return ExitCode::from(FAILED);
        }
    };
    let json = cli.json;
    let code = match runtime.block_on(run(cli)) {
        Ok(()) => DONE,
        Err(failure) => {
            tell(&failure, json);
            FAILED
        }
    };
    // a reader of standard input or a name lookup may still wait: nobody needs its end
    runtime.shutdown_background();
    ExitCode::from(code)
}

async fn run(cli: Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Config(ConfigCommand::Example) => {
            print(&config::example());
            return Ok(());
        }
        Command::Config(ConfigCommand::Check) => return check(&file(&cli), cli.json),
        Command::Demo(arguments) => return crate::demo::run(arguments, cli.json).await,
        Command::Doctor(arguments) => return crate::doctor::run(&file(&cli), arguments, cli.json).await,
        Command::Restore(arguments) => {
            let config = load(&cli)?;
            return crate::archive::restore(&config, &arguments.source, arguments.hold, arguments.yes, cli.json).await;
        }
        Command::Serve => {
            let config = load(&cli)?;
            return crate::serve::run(config).await.map_err(Failure::from);
        }
        _ => {}
    }
    let now = SystemClock::new().now();
    let Some(Wanted { operation, question }) = operate::operation(&cli.command, now)? else { return Ok(()) };
    let config = load(&cli)?;
    if let Operation::QueueOrder { order, selection, .. } = operation {
        return super::orders::carry_out(&config, order, selection, question.is_none(), cli.json).await;
    }
    if let Operation::QueueCount { selection, .. } = operation {
        return super::orders::count(&config, selection, cli.json).await;
    }
    if let Some(question) = question
        && !agreed(&question).await
    {
        eprint("Nothing was done.");
        return Err(Failure::Told);
    }
    if let Operation::ActivitySince { filter, .. } = operation {
        return super::follow::follow(&config, filter, cli.json).await;
    }
    if let Operation::ZoneShow { .. } = operation {
        return super::zone::show(&config, cli.json).await;
    }
    let answer = ask::ask(&config, operation).await?;
    if let Answer::Submission(view) = &answer
        && let Some(fault) = message::fault(view)
    {
        return Err(fault.into());
    }
    print_answer(&answer, cli.json);
    Ok(())
}

fn file(cli: &Cli) -> PathBuf {
    cli.config.clone().unwrap_or_else(config::default_file)
}

fn load(cli: &Cli) -> Result<Config, Failure> {
    config::load(&file(cli)).map_err(Failure::Config)
}

fn check(file: &std::path::Path, json: bool) -> Result<(), Failure> {
    let findings = config::check(file, SystemClock::new().now());
    if findings.is_refused() {
        return Err(Failure::Config(findings));
    }
    if json {
        print_json(&json!({"file": findings.file, "ok": true, "problems": findings.problems}));
    } else if findings.problems.is_empty() {
        print(&format!("{} is good.", findings.file.display()));
    } else {
        print(&format!("{findings}\n\n{} can be used.", findings.file.display()));
    }
    Ok(())
}

/// Asks on a terminal. A script has nobody to ask and is taken at its word.
pub(crate) async fn agreed(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return true;
    }
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = line.await.ok().and_then(Result::ok).unwrap_or_default();
    matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
}

fn print_answer(answer: &Answer, json: bool) {
    if let (Answer::Source(view), false) = (answer, json) {
        return print_octets(&view.source.0);
    }
    if !json {
        return print(&show::text(answer));
    }
    print(&answer.json());
}

/// Tells why a command ended badly, on standard error.
fn tell(failure: &Failure, json: bool) {
    match failure {
        Failure::Told => {}
        Failure::Config(findings) if json => eprint_json(&json!({
            "error": {"kind": "config", "what": "The configuration cannot be used.", "file": findings.file, "problems": findings.problems}
        })),
        Failure::Config(findings) => eprint(&format!("{findings}\n\nThe configuration cannot be used.")),
        Failure::Fault(fault) if json => eprint_json(&json!({"error": fault})),
        Failure::Fault(fault) => {
            let mut text = format!("error: {}", fault.what);
            for more in [&fault.meaning, &fault.remedy] {
                if !more.is_empty() {
                    text.push_str("\n  ");
                    text.push_str(more);
                }
            }
            if let Some(command) = fault.see.as_deref().and_then(command) {
                text.push_str(&format!("\n  See `{command}`."));
            } else if fault.kind == FaultKind::Unavailable && fault.remedy.is_empty() {
                text.push_str("\n  `envoi doctor` may say more.");
            }
            eprint(&text);
        }
    }
}

/// The command that does what a fault refers to ([`Fault::see`]).
fn command(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "AccountList" => "envoi account list",
        "Activity" => "envoi activity",
        "ApiKeyList" => "envoi api-key list",
        "Blocks" => "envoi blocks list",
        "BrakeList" => "envoi brake list",
        "DomainList" => "envoi domain list",
        "DomainShow" => "envoi domain show",
        "Health" => "envoi doctor",
        "InboxList" => "envoi inbox list",
        "QueueList" => "envoi queue list",
        "SmtpUserDropPassword" => "envoi smtp-user drop-password",
        "SmtpUserList" => "envoi smtp-user list",
        "SuppressionList" => "envoi suppression list",
        "WebhookList" => "envoi webhook list",
        _ => return None,
    })
}

/// Prints a text and a line end. A reader that has gone away (`| head`) is no error.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints octets as they are.
fn print_octets(octets: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(octets).and_then(|()| out.flush());
}

/// Prints on standard error.
pub(crate) fn eprint(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints JSON for people to read as well.
pub(crate) fn print_json(value: &serde_json::Value) {
    print(&serde_json::to_string_pretty(value).unwrap_or_default());
}

fn eprint_json(value: &serde_json::Value) {
    eprint(&value.to_string());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn what_a_fault_refers_to_is_a_command() {
        let commands: Vec<_> = Operation::NAMES.iter().filter_map(|operation| command(operation)).collect();
        assert!(!commands.is_empty());
        for line in commands {
            let mut words = line.split(' ');
            assert_eq!(words.next(), Some("envoi"));
            let mut known = Cli::command();
            for word in words {
                known = known.find_subcommand(word).unwrap_or_else(|| panic!("{line}")).clone();
            }
        }
    }
}
