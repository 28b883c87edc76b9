//! Quoted-printable (RFC 2045 §6.7), for the parts of a DSN that 7-bit cannot carry as they are.

/// Characters of an encoded line, the soft line end's `=` not counted.
const LINE_CHARACTERS_MAX: usize = 75;

/// Encodes text with CRLF line ends. Octets of any value survive; lines are of at most 76 characters.
pub(super) fn encode(octets: &[u8]) -> String {
    let mut encoded = String::with_capacity(octets.len() + octets.len() / 8);
    let mut line_characters = 0;
    let mut rest = octets;
    while let Some((octet, after)) = rest.split_first() {
        if let Some(next) = rest.strip_prefix(b"\r\n") {
            encoded.push_str("\r\n");
            line_characters = 0;
            rest = next;
            continue;
        }
        let line_ends = after.is_empty() || after.starts_with(b"\r\n");
        let plain = match octet {
            b'=' => false,
            b' ' | b'\t' => !line_ends,
            other => other.is_ascii_graphic(),
        };
        let width = if plain { 1 } else { 3 };
        if line_characters + width > LINE_CHARACTERS_MAX {
            encoded.push_str("=\r\n");
            line_characters = 0;
        }
        line_characters += width;
        if plain {
            encoded.push(char::from(*octet));
        } else {
            encoded.push_str(&format!("={octet:02X}"));
        }
        rest = after;
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_must_be() {
        assert_eq!(encode("a=é \r\n\tb\t\r\n ".as_bytes()), "a=3D=C3=A9=20\r\n\tb=09\r\n=20");
        assert_eq!(encode(b"\x00\r\r\n\n"), "=00=0D\r\n=0A");
    }

    #[test]
    fn breaks_long_lines() {
        let encoded = encode("é".repeat(100).as_bytes());
        assert!(encoded.split("\r\n").all(|line| line.len() <= 76));
        assert_eq!(encoded.replace("=\r\n", ""), "=C3=A9".repeat(100));
        assert_eq!(encode(&[b'a'; 75]), "a".repeat(75));
    }
}
