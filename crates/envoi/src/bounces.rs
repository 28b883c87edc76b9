//! The operator's own rules for bounces: read at the start, and before ours.

use relay::outcome::rules::Rules;
use relay::service::Fault;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::config::Config;

/// A file of rules is no larger.
const OCTETS_MAX: u64 = 1024 * 1024;

/// The rules in force: those of the configured file before ours, or ours alone.
///
/// # Errors
/// The file cannot be read, or has what is no rule; nothing of it is used.
pub(crate) fn rules(config: &Config) -> Result<Arc<Rules>, Fault> {
    let Some(file) = &config.bounce_rules else { return Ok(Arc::clone(Rules::ours())) };
    read(file).map(Arc::new).map_err(|what| {
        Fault::invalid(
            format!("The rules for bounces cannot be used: {what}."),
            "Put the file right, or take `rules` out of [bounces]; docs/operate/bounces.md says what a rule has.",
        )
    })
}

/// The rules of a file before ours; what is wrong with it, its name first.
pub(crate) fn read(file: &Path) -> Result<Rules, String> {
    let named = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| named(&error))?;
    opened.take(OCTETS_MAX + 1).read_to_string(&mut text).map_err(|error| named(&error))?;
    if text.len() as u64 > OCTETS_MAX {
        return Err(named(&format!("has more than {OCTETS_MAX} octets")));
    }
    Rules::before_ours(&text).map_err(|error| named(&error.to_string().trim_end()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule(class: &str) -> String {
        format!("[[rule]]\nname = \"mine\"\nclass = \"{class}\"\nany = [\"go away\"]\n")
    }

    #[test]
    fn a_file_is_taken_whole_or_told_by_name_and_rule() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.toml");
        let missing = read(&file).unwrap_err();
        assert!(missing.contains("rules.toml"), "{missing}");
        std::fs::write(&file, rule("policy")).unwrap();
        assert_eq!(read(&file).unwrap().summaries().next().unwrap().name, "mine");
        std::fs::write(&file, rule("polic")).unwrap();
        let told = read(&file).unwrap_err();
        assert!(told.contains("rules.toml") && told.contains("rule \"mine\": there is no class \"polic\""), "{told}");
        std::fs::write(&file, vec![b'#'; OCTETS_MAX as usize + 1]).unwrap();
        assert!(read(&file).unwrap_err().contains("more than"));
    }
}
