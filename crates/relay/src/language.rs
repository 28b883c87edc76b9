//! The languages that people are spoken to in.

use serde::{Deserialize, Serialize};

/// A language of pages, help and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// French.
    #[serde(rename = "fr")]
    French,
}

impl Language {
    /// Every one.
    pub const ALL: [Language; 2] = [Language::English, Language::French];

    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::French => "fr",
        }
    }

    /// The language of this tag, regions left aside.
    pub fn of_tag(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Language::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The first one we speak of those that a browser prefers (`Accept-Language`, RFC 9110 §12.5.4).
    pub fn preferred(accepted: &str) -> Option<Language> {
        let mut wanted: Vec<(Language, f32)> = Vec::new();
        for part in accepted.split(',') {
            let mut fields = part.split(';').map(str::trim);
            let Some(language) = fields.next().and_then(Language::of_tag) else { continue };
            let weight = fields.find_map(|field| field.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
            wanted.push((language, weight.unwrap_or(0.0)));
        }
        wanted.retain(|(_, weight)| *weight > 0.0);
        // of equal weights the first stands
        wanted.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        wanted.first().map(|(language, _)| *language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_wish_is_read() {
        assert_eq!(Language::preferred("fr-CA,fr;q=0.9,en;q=0.8"), Some(Language::French));
        assert_eq!(Language::preferred("de, en;q=0.5, fr;q=0.7"), Some(Language::French));
        assert_eq!(Language::preferred("en-US"), Some(Language::English));
        assert_eq!(Language::preferred("fr;q=0, en;q=0.1"), Some(Language::English));
        assert_eq!(Language::preferred("de,*;q=0.5"), None);
        assert_eq!(Language::preferred(""), None);
    }
}
