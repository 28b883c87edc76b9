//! What is kept behind a text, because the forms of before have no field for it: where an attempt was made from behind the name of the
//! host that it led to, who vouches for a report behind the words of its server.

use std::borrow::Cow;

/// Between the two. Neither a name of a host nor what a server says in a report, as it is kept, has a control character.
const BETWEEN: char = '\u{1f}';

/// Both in one text; that in front alone where there is nothing behind it.
pub(crate) fn joined<'a>(front: &'a str, behind: Option<&str>) -> Cow<'a, str> {
    match behind {
        None => Cow::Borrowed(front),
        Some(behind) => Cow::Owned(format!("{front}{BETWEEN}{behind}")),
    }
}

/// Both of such a text.
pub(crate) fn parted(text: &str) -> (&str, Option<&str>) {
    match text.split_once(BETWEEN) {
        Some((front, behind)) => (front, Some(behind)),
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
