//! Where an attempt was made from, kept with the name of the host that it led to: the forms of before have no field for it.

use std::borrow::Cow;

/// Between the host and the source. No name of a host has a control character.
const BETWEEN: char = '\u{1f}';

/// Both in one text; the host alone where there is no source.
pub(crate) fn joined<'a>(host: &'a str, source: Option<&str>) -> Cow<'a, str> {
    match source {
        None => Cow::Borrowed(host),
        Some(source) => Cow::Owned(format!("{host}{BETWEEN}{source}")),
    }
}

/// The host and the source of such a text.
pub(crate) fn parted(text: &str) -> (&str, Option<&str>) {
    match text.split_once(BETWEEN) {
        Some((host, source)) => (host, Some(source)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_come_back_and_a_host_of_before_is_one_without_a_source() {
        for (host, source) in
            [("mx.example", Some("out1 (192.0.2.1)")), ("", Some("out1")), ("mx.example", None), ("", None)]
        {
            assert_eq!(parted(&joined(host, source)), (host, source));
        }
        assert_eq!(joined("mx.example", None), "mx.example");
    }
}
