//! The example file and the reference page, made from the table of keys.

use std::fmt::Write as _;

use super::keys::{Absent, Kind, SECTIONS, keys};
use super::value;

const COLUMNS: usize = 100;

/// A configuration with every key and its comment. What has a default is commented out, with that default.
pub fn example() -> String {
    let keys = keys();
    let mut text =
        String::from("# The configuration of Envoi. Lines that begin with `#name =` show the default or an example.\n");
    for section in SECTIONS {
        // writing to a String cannot fail
        let _ = writeln!(text, "\n{}", comment(section.help));
        match (section.name, section.repeated) {
            ("", _) => {}
            (name, false) => {
                let _ = writeln!(text, "[{name}]");
            }
            (name, true) => {
                let _ = writeln!(text, "#[[{name}]]");
            }
        }
        for key in keys.iter().filter(|key| key.section == section.name) {
            let (value, words) = match &key.absent {
                Absent::Refused => (key.example.as_ref(), "Required.".to_owned()),
                Absent::RefusedWithoutAcme => (key.example.as_ref(), "Required without [acme].".to_owned()),
                Absent::Means(value) => (value.as_ref(), String::new()),
                Absent::Nothing(words) => (key.example.as_ref(), format!("Without it: {words}.")),
            };
            let needed = matches!(key.absent, Absent::Refused | Absent::RefusedWithoutAcme);
            let off = if section.repeated || !needed { "#" } else { "" };
            let help = format!("{} {words}", key.help);
            let _ = writeln!(text, "\n{}\n{off}{} = {value}", comment(help.trim()), key.name);
        }
    }
    text
}

fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if lines[last].len() + 1 + word.len() > COLUMNS {
            lines.push(format!("# {word}"));
        } else {
            lines[last] = format!("{} {word}", lines[last]);
        }
    }
    lines.join("\n")
}

/// The page of the manual.
pub fn markdown() -> String {
    let keys = keys();
    let mut page = String::from(
        "Envoi reads one file in TOML: the one that `--config FILE` names, else the one that the variable\n\
         `ENVOI_CONFIG` names, else `envoi.toml` in the folder one is in, else `/etc/envoi/envoi.toml`. Relative\n\
         paths are relative to the folder of that file. A key that is not known is refused. `envoi config check`\n\
         explains every fault by file, line and remedy; `envoi config example` prints a file with every key.\n",
    );
    for section in SECTIONS {
        let head = match (section.name, section.repeated) {
            ("", _) => "The top of the file".to_owned(),
            (name, false) => format!("`[{name}]`"),
            (name, true) => format!("`[[{name}]]`"),
        };
        let _ = writeln!(
            page,
            "\n## {head}\n\n{}\n\n| key | takes | without it | what it does |\n|---|---|---|---|",
            section.help
        );
        for key in keys.iter().filter(|key| key.section == section.name) {
            let absent = match &key.absent {
                Absent::Refused => "required".to_owned(),
                Absent::RefusedWithoutAcme => "required, unless `[acme]` brings one".to_owned(),
                Absent::Means(value) => format!("`{value}`"),
                Absent::Nothing(words) => (*words).to_owned(),
            };
            let _ = writeln!(page, "| `{}` | {} | {absent} | {} |", key.name, kind_words(&key.kind), key.help);
        }
    }
    page
}

/// What a kind takes, in words for the reference page.
fn kind_words(kind: &Kind) -> String {
    match kind {
        Kind::Hostname => "a host name".into(),
        Kind::Sender => "an address, a name before it in front of <…>".into(),
        Kind::Url => "an address that begins with https:// or http://".into(),
        Kind::Directory => "an address that begins with https://".into(),
        Kind::Path => "a path".into(),
        Kind::Flag => "true or false".into(),
        Kind::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "),
        Kind::Sockets => "a list of \"address:port\"".into(),
        Kind::Networks => "a list of networks".into(),
        Kind::Addresses => "a list of IP addresses".into(),
        Kind::Names => "a list of host names".into(),
        Kind::Domains => "a list of domain names".into(),
        Kind::Zone => "a domain name".into(),
        Kind::Mailbox => "an address".into(),
        Kind::NameServers => "a list of \"address\" or \"address:port\"".into(),
        Kind::Count { floor, ceiling } => format!("a number, {floor} to {ceiling}"),
        Kind::Span { floor, ceiling } => {
            format!("a period, {} to {}", value::span_text(*floor), value::span_text(*ceiling))
        }
        Kind::Octets { floor, ceiling } => {
            format!("a size, {} to {}", value::octets_text(*floor), value::octets_text(*ceiling))
        }
        Kind::Pattern => "a pattern of domains".into(),
        Kind::Host => "a host name or an IP address".into(),
        Kind::Port => "a port number".into(),
        Kind::Name => "a text".into(),
        Kind::Numbers => "a list of numbers".into(),
        Kind::Word => "a word".into(),
        Kind::Weights => "a list of names, with weights".into(),
    }
}
