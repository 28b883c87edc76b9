//! The reference pages say what the code says.

#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn pages_are_as_the_code_renders_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    for page in envoi::reference::pages() {
        let kept = std::fs::read_to_string(folder.join(page.name)).unwrap_or_default();
        assert!(kept == page.text, "docs/reference/{} is stale: run `cargo xtask docs`", page.name);
    }
}

#[test]
fn every_file_in_the_folder_is_rendered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let rendered: Vec<_> = envoi::reference::pages().into_iter().map(|page| page.name).collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(rendered.contains(&name.as_str()), "docs/reference/{name} is not rendered from the code");
    }
}
