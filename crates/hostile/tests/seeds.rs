//! Every kept seed, and every recorded dialogue, through its check: what the fuzzers found stays mended.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "../../../tests/dialogues/harness.rs"]
#[allow(dead_code)]
mod harness;

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::PathBuf;

use hostile::CHECKS;

fn fuzz() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"))
}

/// The names in a folder, without what is behind the dot.
fn stems(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(fuzz().join(folder)).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    entries.map(|entry| stem(entry.unwrap().path())).collect()
}

#[test]
fn each_check_has_its_target_and_its_seeds() {
    let checks: BTreeSet<String> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems("fuzz_targets"), checks);
    assert_eq!(stems("seeds"), checks);
}

#[test]
fn no_kept_seed_breaks_a_promise() {
    let mut broken = Vec::new();
    for (name, check) in CHECKS {
        let folder = fuzz().join("seeds").join(name);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "{name} has no seeds");
        for path in paths {
            let octets = std::fs::read(&path).unwrap();
            if catch_unwind(|| check(&octets)).is_err() {
                broken.push(path);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn no_recorded_dialogue_breaks_a_promise_however_it_is_cut() {
    for script in harness::all() {
        let mut said = vec![0, if script.scene.starttls { 0x80 } else { 0 }];
        for act in &script.acts {
            if let harness::Kind::Send(octets) = &act.kind {
                said.extend_from_slice(octets);
            }
        }
        for cut in 0..7 {
            said[0] = cut;
            hostile::session::check(&said);
        }
    }
}
