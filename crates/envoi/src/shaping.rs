//! The operator's own rules for what providers take: read at the start, and before ours.

use relay::service::Fault;
use relay::shaping::Providers;
use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::rule_file;

/// The rules in force: those of the configured file before ours, or ours alone.
///
/// # Errors
/// The file cannot be read, or has what is no rule; nothing of it is used.
pub(crate) fn providers(config: &Config) -> Result<Arc<Providers>, Fault> {
    let Some(file) = &config.delivery.shaping else { return Ok(Arc::clone(Providers::ours())) };
    read(file).map(Arc::new).map_err(|what| {
        Fault::invalid(
            format!("The rules for providers cannot be used: {what}."),
            "Put the file right, or take `shaping` out of [delivery]; docs/operate/delivery.md says what a rule has.",
        )
    })
}

/// The rules of a file before ours; what is wrong with it, its name first.
pub(crate) fn read(file: &Path) -> Result<Providers, String> {
    rule_file::read(file, Providers::before_ours)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_whole_or_told_by_name_and_provider() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shaping.toml");
        assert!(read(&file).unwrap_err().contains("shaping.toml"));
        let rule = "[[provider]]\nname = \"mine\"\nmx = [\"*.example.net\"]\n";
        std::fs::write(&file, format!("{rule}connections = 7\n")).unwrap();
        let providers = read(&file).unwrap();
        assert_eq!(providers.of_hosts(&["mx.example.net".to_owned()]).unwrap().allowance(1).connections, 7);
        std::fs::write(&file, format!("{rule}connections = 0\n")).unwrap();
        let told = read(&file).unwrap_err();
        assert!(
            told.contains("shaping.toml") && told.contains("provider \"mine\": connections is 1 to 1000"),
            "{told}"
        );
    }
}
