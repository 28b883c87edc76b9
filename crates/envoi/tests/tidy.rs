//! The house's order: who may know whom, what the pure rooms never touch, and how files begin.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const LINES_MAX: usize = 600;

/// Each room, and the rooms that it may know.
const EDGES: &[(&str, &[&str])] = &[
    ("smtp", &[]),
    ("message", &["smtp"]),
    ("relay", &["smtp", "message"]),
    ("store", &["smtp", "message", "relay"]),
    ("net", &["smtp", "message", "relay"]),
    ("web", &["smtp", "message", "relay"]),
    ("envoi", &["smtp", "message", "relay", "store", "net", "web"]),
    // no room: it judges the relay from outside, so it shares nothing with it
    ("load", &[]),
    // nor is this: it uses the console as people do
    ("browser", &[]),
    // nor is this: it repeats parts of the rooms under a counter of instructions
    ("instructions", &["smtp", "message", "relay", "store"]),
];

const PURE: &[&str] = &["smtp", "message", "relay"];

/// What a room without IO, clock and dice never names, its tests included.
const NEVER_PURE: &[&str] = &["Instant::now", "SystemTime::now", "std::env", "std::fs", "tokio"];

/// What only its tests may name.
const TESTS_ALONE: &[&str] = &["std::thread", "TcpStream", "TcpListener", "UdpSocket"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn ours() -> Vec<PathBuf> {
    let folders = ["crates", "instructions", "load", "xtask", "fuzz", "suites"];
    let all: Vec<_> = folders.iter().flat_map(|folder| sources(&root().join(folder))).collect();
    assert!(all.len() > 50, "the sources were not found");
    all
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn rooms_know_whom_they_may() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rooms: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let package_name = package["name"].as_str().unwrap();
        let Some(allowed) = rooms.get(package_name) else {
            assert!(
                ["xtask", "sim", "hostile"].contains(&package_name),
                "{package_name} is no room: give it a place in EDGES"
            );
            continue;
        };
        seen.insert(package_name);
        for dependency in package["dependencies"].as_array().unwrap() {
            // a test may know another room, what ships may not
            let is_test_only = dependency["kind"].as_str() == Some("dev");
            let other = dependency["name"].as_str().unwrap();
            if !is_test_only && dependency["path"].is_string() {
                assert!(allowed.contains(&other), "{package_name} must not know {other}");
            }
        }
    }
    assert_eq!(seen, rooms.keys().copied().collect(), "a room is gone");
}

#[test]
fn pure_rooms_have_no_io_clock_or_environment() {
    for room in PURE {
        let files = sources(&root().join("crates").join(room).join("src"));
        assert!(!files.is_empty(), "{room} has no sources");
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let tests_begin = text.find("#[cfg(test)]").unwrap_or(text.len());
            let is_test_file = file.file_name().is_some_and(|name| name == "tests.rs");
            let mut offset = 0;
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap();
                let ships = offset < tests_begin && !is_test_file;
                let banned = NEVER_PURE.iter().chain(TESTS_ALONE.iter().filter(|_| ships));
                for never in banned {
                    assert!(!code.contains(never), "{}:{}: `{never}` in a pure room", name(&file), number + 1);
                }
                offset += line.len() + 1;
            }
        }
    }
}

#[test]
fn every_file_opens_with_its_subject() {
    for file in ours() {
        let text = std::fs::read_to_string(&file).unwrap();
        let first = text.lines().find(|line| !line.starts_with("#![no_main]")).unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 10, "{} opens with `{first}`", name(&file));
    }
}

#[test]
fn files_fit_a_head() {
    for file in ours() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines: split it by subject", name(&file));
    }
}

#[test]
fn no_open_ends() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    for file in ours() {
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let open =
                words.iter().any(|word| line.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == *word));
            assert!(!open, "{}:{}: an open end: `{}`", name(&file), number + 1, line.trim());
        }
    }
}

#[test]
fn time_and_environment_have_one_door_each() {
    let doors = [("SystemTime::now", "crates/net/src/clock.rs"), ("env::var(", "crates/envoi/src/config.rs")];
    for file in ours().iter().filter(|file| name(file).contains("/src/") && name(file).starts_with("crates/")) {
        let text = std::fs::read_to_string(file).unwrap();
        for (never, door) in doors {
            assert!(name(file) == door || !text.contains(never), "{} uses {never}: that is for {door}", name(file));
        }
    }
}
