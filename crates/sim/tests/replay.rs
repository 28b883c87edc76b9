//! A seed is the whole of a run: two processes do the same to the last octet, and another seed does something else.

#![allow(clippy::unwrap_used)]

use std::process::Command;

/// The digest of a seed, by a process of its own.
fn digest(seed: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(["--seed", seed]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let last = text.lines().last().unwrap();
    last.split("digest ").nth(1).unwrap().to_owned()
}

#[test]
fn two_processes_do_the_same_to_the_last_octet() {
    for seed in ["1", "2", "3"] {
        assert_eq!(digest(seed), digest(seed), "seed {seed}");
    }
    assert_ne!(digest("1"), digest("2"));
}

#[test]
fn a_few_seeds_hold_what_must_hold() {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(["--seeds", "8", "--from", "100"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("8 passed, 0 failed"), "{text}");
}
