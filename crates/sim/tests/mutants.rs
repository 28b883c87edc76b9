//! The mutants: each patch says what it breaks, and still fits the code, so that `cargo xtask mutants` can try it.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

/// What a hunk takes away or leaves as it is: lines that must stand in the file one after the other.
struct Hunk {
    file: String,
    before: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn patches() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("crates/sim/mutants")).unwrap();
    let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The hunks of a unified diff.
fn hunks(patch: &str) -> Vec<Hunk> {
    let (mut hunks, mut file) = (Vec::<Hunk>::new(), String::new());
    for line in patch.lines().skip_while(|line| !line.starts_with("--- ")) {
        if let Some(name) = line.strip_prefix("+++ b/") {
            file = name.to_owned();
        } else if line.starts_with("@@ ") {
            hunks.push(Hunk { file: file.clone(), before: Vec::new() });
        } else if let (Some(kept), Some(hunk)) = (line.strip_prefix([' ', '-']), hunks.last_mut()) {
            // the names of the next file are no lines of the one before
            if !line.starts_with("--- ") {
                hunk.before.push(kept.to_owned());
            }
        }
    }
    hunks
}

fn fits(hunk: &Hunk) -> bool {
    let text = std::fs::read_to_string(root().join(&hunk.file)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    !hunk.before.is_empty() && lines.windows(hunk.before.len()).any(|window| window == hunk.before)
}

#[test]
fn every_patch_fits_the_code() {
    let patches = patches();
    assert!(patches.len() >= 10, "{}", patches.len());
    for path in patches {
        let patch = std::fs::read_to_string(&path).unwrap();
        let hunks = hunks(&patch);
        assert!(!hunks.is_empty(), "{} changes nothing", path.display());
        for hunk in &hunks {
            assert!(fits(hunk), "{}: no longer in {}:\n{}", path.display(), hunk.file, hunk.before.join("\n"));
        }
    }
}

#[test]
fn every_patch_says_what_it_breaks() {
    for path in patches() {
        let patch = std::fs::read_to_string(&path).unwrap();
        assert!(!patch.starts_with("---") && !patch.starts_with("diff"), "{} says nothing", path.display());
    }
}

#[test]
fn a_hunk_that_no_longer_fits_is_seen() {
    let patch =
        "Why.\n--- a/Cargo.toml\n+++ b/Cargo.toml\n@@ -1,2 +1,2 @@\n [workspace]\n-nothing of the kind\n+else\n";
    let hunks = hunks(patch);
    assert_eq!((hunks.len(), hunks[0].before.len()), (1, 2));
    assert!(!fits(&hunks[0]));
    assert!(fits(&Hunk { file: "Cargo.toml".to_owned(), before: vec!["[workspace]".to_owned()] }));
}
