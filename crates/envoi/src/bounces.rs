//! The operator's own rules for bounces: read at the start, and before ours.

use relay::outcome::rules::Rules;
use relay::service::Fault;
use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::rule_file;

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
    rule_file::read(file, Rules::before_ours)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rule_file::OCTETS_MAX;

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
