//! The demonstration, as a person runs it.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use support::envoi;

#[test]
fn the_smoke_test_passes_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let output = envoi().args(["demo", "--smoke", "--json"]).env("TMPDIR", temporary.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["ok"], true);
    assert_eq!(told["messages"].as_array().unwrap().len(), 2);
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "the folder stayed");
}

#[test]
fn a_taken_port_is_told_with_its_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = envoi().args(["demo", "--smoke", "--starttls-port", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(&format!("127.0.0.1:{port}")) && told.contains("--starttls-port"), "{told}");
}

/// The lines that it prints work as they are printed: those whose programs every machine has.
#[test]
fn the_printed_lines_work_and_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = envoi()
        .args(["demo", "--starttls-port", "0", "--tls-port", "0", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<_> = printed.by_ref().take_while(|line| !line.starts_with("Activity, as it happens")).collect();
    for (program, subject) in [("printf ", "Hello from curl"), ("python3 ", "Hello from Python")] {
        let line = lines.iter().find(|line| line.starts_with(program)).unwrap();
        let done = Command::new("sh").args(["-c", line]).output().unwrap();
        assert!(done.status.success(), "{line}\n{}", String::from_utf8_lossy(&done.stderr));
        let shown = printed.by_ref().find(|line| line.contains("delivered") && line.contains(subject));
        assert!(shown.is_some(), "{subject} was not shown");
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(folder.path().join("data").exists(), "a folder that was given is kept");
    let kept = std::fs::read_dir(folder.path().join("mail")).unwrap();
    assert_eq!(kept.count(), 4, "one through each port, and one of each line");
}
