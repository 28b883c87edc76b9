//! The reference pages of the manual, rendered from the code that they describe.

use clap::{Arg, Command, CommandFactory};
use relay::service::view;
use std::fmt::Write;

use crate::cli::Cli;
use crate::{config, metrics};

/// One page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its file's name in `docs/reference`.
    pub name: &'static str,
    /// Its whole text.
    pub text: String,
}

/// Every page.
pub fn pages() -> Vec<Page> {
    vec![
        page("configuration.md", "Configuration", "", config::markdown()),
        page(
            "replies.md",
            "Replies",
            "Every reply that the submission server gives. The reference is stable: Activity and Connections show it.\n\n",
            smtp::replies::markdown(),
        ),
        page(
            "limits.md",
            "Limits",
            "The same for every account. Each can be moved in `[limits]` of the configuration, between its floor and ceiling.\n\n",
            relay::limits::markdown(),
        ),
        page("bounces.md", "Bounce classes", "", relay::outcome::markdown()),
        page("cli.md", "Command line", "", command_line()),
        Page { name: "openapi.json", text: web::api::document() },
        page(
            "metrics.md",
            "Metrics",
            "What `/metrics` serves on the address of `[http] listen`, in the OpenMetrics text format.\n\n",
            metrics::markdown(),
        ),
    ]
}

fn page(name: &'static str, title: &str, before: &str, body: String) -> Page {
    let text = format!(
        "<!-- Rendered from the code by `cargo xtask docs`: change it there. -->\n\n# {title}\n\n{before}{body}"
    );
    Page { name, text }
}

fn command_line() -> String {
    let mut command = Cli::command();
    command.build();
    let mut text = String::from(
        "`envoi [--config FILE] [--json] COMMAND`. The commands work while the relay runs (through its control socket, which\n\
         only the owner of the data folder can open) and while it does not (by opening the data folder, which one process\n\
         at a time can do). What cannot be undone is asked for on a terminal first; a script is taken at its word, and\n\
         `--yes` does without the question.\n\n\
         Exit codes: 0, done; 1, it could not be done, or is not good; 2, the command was not understood.\n\n\
         With `--json` an answer is one JSON value on standard output (a list for a list), `activity --follow` one on\n\
         each line, and an error one object on one line of standard error:\n\
         `{\"error\": {\"kind\": …, \"what\": …, \"meaning\": …, \"remedy\": …}}`, its kind one of `invalid`, `not_found`,\n\
         `conflict`, `unavailable`, `config`, `usage`. Times are RFC 3339 in UTC.\n\n## Commands\n",
    );
    let globals: Vec<_> = command.get_arguments().filter(|argument| argument.is_global_set()).cloned().collect();
    // writing to a String cannot fail
    let _ = writeln!(text, "\n{}", arguments(globals.iter()));
    leaves(&command, "envoi", &mut text);
    text.push_str("\n## JSON\n\nEvery kind of object that `--json` prints. A field that may be absent is `null`.\n");
    for page in view::pages() {
        let name = page.name.trim_end_matches("View");
        let _ = writeln!(text, "\n### {name}\n\n{}\n\n| field | type | meaning |\n|---|---|---|", page.about.trim());
        for (field, kind, meaning) in page.fields {
            let _ = writeln!(text, "| `{field}` | {} | {} |", type_words(kind), meaning.trim());
        }
    }
    text
}

/// The commands without commands below them, in their order.
fn leaves(command: &Command, path: &str, text: &mut String) {
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        let path = format!("{path} {}", inner.get_name());
        if inner.has_subcommands() {
            leaves(inner, &path, text);
            continue;
        }
        let about = inner.get_about().map(ToString::to_string).unwrap_or_default();
        let places: Vec<_> =
            inner.get_positionals().map(|place| format!(" {}", value_name(place).to_uppercase())).collect();
        let _ = writeln!(text, "\n### `{path}{}`\n\n{about}.", places.concat());
        let own = || inner.get_arguments().filter(|argument| !argument.is_global_set() && argument.get_id() != "help");
        if own().next().is_some() {
            let _ = writeln!(text, "\n{}", arguments(own()));
        }
    }
}

fn arguments<'a>(all: impl Iterator<Item = &'a Arg>) -> String {
    let mut table = String::from("| argument | meaning |\n|---|---|");
    for argument in all.filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version")) {
        let takes =
            if argument.get_action().takes_values() { format!(" {}", value_name(argument)) } else { String::new() };
        let name = match (argument.get_long(), argument.get_short()) {
            (Some(long), Some(short)) => format!("--{long}{takes}, -{short}"),
            (Some(long), None) => format!("--{long}{takes}"),
            _ => value_name(argument).to_uppercase(),
        };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let words: Vec<_> =
            argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
        // flags have true and false as possible values: nobody types those
        let words =
            if words.is_empty() || takes.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
        let default = argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
        let default = default.filter(|value| !value.is_empty() && !takes.is_empty());
        let default = default.map(|value| format!(" (default: {value})")).unwrap_or_default();
        let needed = if argument.is_required_set() { "; required" } else { "" };
        let row = format!("{help}{words}{default}{needed}");
        let _ = write!(table, "\n| `{name}` | {} |", row.replace('|', "\\|"));
    }
    table
}

fn value_name(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    names.first().map_or_else(|| argument.get_id().as_str().to_uppercase(), ToString::to_string)
}

fn type_words(kind: &str) -> String {
    let (inner, rest) = match kind.split_once('<') {
        Some((outer, inner)) => {
            (inner.trim_end_matches('>'), if outer.trim() == "Vec" { "list of " } else { "or null: " })
        }
        None => (kind, ""),
    };
    let word = match inner.trim() {
        "String" | "SecretText" => "text".to_owned(),
        "u64" | "u16" | "u32" => "number".to_owned(),
        "bool" => "true or false".to_owned(),
        view => format!("[{0}](#{1})", view.trim_end_matches("View"), view.trim_end_matches("View").to_lowercase()),
    };
    match rest {
        "or null: " => format!("{word} or null"),
        rest => format!("{rest}{word}"),
    }
}
