//! Any text as a configuration: a configuration, or faults that each name a line, a key and a remedy.

use std::path::Path;

use envoi::config;

/// Reads the octets, where they are text, as the file `/srv/envoi.toml`.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = config::from_text(text, Path::new("/srv/envoi.toml"));
    let (config, findings) = match read {
        Ok((config, findings)) => (Some(config), findings),
        Err(findings) => (None, findings),
    };
    let lines = text.split('\n').count();
    for problem in &findings.problems {
        assert!((1..=lines).contains(&problem.line), "{problem:?} of {lines} lines");
        assert!(!problem.what.is_empty());
        // what is no TOML has no key
        assert!(!problem.key.is_empty() || problem.what.starts_with("not TOML"), "{problem:?} names no key");
        assert!(!problem.key.chars().any(char::is_control), "{problem:?}");
    }
    let told = findings.to_string();
    assert!(told.lines().count() <= 2 * findings.problems.len(), "a problem is one line and its remedy: {told:?}");
    let Some(config) = config else {
        return assert!(findings.is_refused(), "refused without a fault");
    };
    if !findings.is_refused() {
        assert!(config.limits.check().is_ok());
        assert!(!config.hostname.is_empty() && config.data_dir.is_absolute());
        assert!(!config.submission.certificates.is_empty());
    }
}
