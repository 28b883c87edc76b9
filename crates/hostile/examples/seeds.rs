//! `seeds FOLDER`: the first seeds of every fuzz target, a folder each: dialogues, the example of a configuration,
//! records of a spool.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "../../../tests/dialogues/harness.rs"]
#[allow(dead_code)]
mod harness;

use std::path::{Path, PathBuf};

use store::embedded::spool::fuzzing;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("a folder"));
    for script in harness::all() {
        dialogue(&folder, &script);
    }
    keep(&folder, "config", "example", envoi::config::example().as_bytes());
    for (name, header) in [
        ("v1-4", &b"\x05PROXY TCP4 192.0.2.1 198.51.100.1 56324 587\r\nEHLO x\r\n"[..]),
        ("v1-6", b"\x05PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"),
        ("v1-unknown", b"\x05PROXY UNKNOWN\r\n"),
        ("v2-4", b"\x05\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\xC0\0\x02\x01\xC6\x33\x64\x01\0\x01\x02\x4B\x16\x03\x01"),
        ("v2-local", b"\x05\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"),
        ("v2-6", b"\x05\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24 01234567890123456789012345678901234"),
    ] {
        keep(&folder, "proxy", name, header);
    }
    for (place, meta) in fuzzing::metas().iter().enumerate() {
        keep(&folder, "records", &format!("meta-{place}"), meta);
        // a forged record for each kind that could have it
        for kind in 1..=9 {
            let octets = u8::try_from(meta.len()).unwrap_or(u8::MAX);
            let forged = [&[1, 0, 0, 1, kind, 1, 0, octets, 0], &meta[..usize::from(octets)]].concat();
            keep(&folder, "segment", &format!("forged-{place}-{kind}"), &forged);
        }
    }
    for (name, changes) in [
        ("whole", &[][..]),
        ("flipped", &[1, 2, 0x10, 0x00]),
        ("lost", &[0xFD, 2, 0x12, 0x00]),
        ("elsewhere", &[0xFE, 2, 0x10, 0x00]),
        ("cut", &[0xFF, 2, 0x20, 0x00]),
    ] {
        for control in [0, 2] {
            keep(&folder, "segment", &format!("{name}-{control}"), &[&[control], changes].concat());
        }
    }
}

/// The client's side of a dialogue, for whoever reads a part of it.
fn dialogue(folder: &Path, script: &harness::Script) {
    let name = &script.name;
    let said: Vec<&[u8]> = script
        .acts
        .iter()
        .filter_map(|act| match &act.kind {
            harness::Kind::Send(octets) => Some(octets.as_slice()),
            _ => None,
        })
        .collect();
    let clear = if script.scene.starttls { 0x80 } else { 0 };
    keep(folder, "session", name, &[&[6, clear], &said.concat()[..]].concat());
    for (place, octets) in said.iter().enumerate() {
        let name = format!("{name}-{place}");
        let is_content = octets.windows(4).any(|window| window == b"\r\n\r\n" || window == b"\n.\r\n");
        if is_content {
            keep(folder, "admission", &name, &[&[3], *octets].concat());
            keep(folder, "framing", &name, &[&[1, 2, 3, 30], *octets].concat());
        } else {
            let line = octets.strip_suffix(b"\r\n").unwrap_or(octets);
            keep(folder, "command", &name, line);
            let path = line.split(|octet| *octet == b'<').nth(1).and_then(|rest| rest.split(|o| *o == b'>').next());
            if let Some(path) = path {
                keep(folder, "address", &name, path);
            }
        }
    }
    let heard: String = script
        .acts
        .iter()
        .filter_map(|act| match &act.kind {
            harness::Kind::Line(line) => Some(format!("{line}\r\n")),
            harness::Kind::Whole(code) => Some(format!("{code} mx\r\n")),
            _ => None,
        })
        .collect();
    keep(folder, "conversation", name, &[&[6], heard.as_bytes()].concat());
}

fn keep(folder: &Path, target: &str, name: &str, octets: &[u8]) {
    let folder = folder.join(target);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), octets).unwrap();
}
