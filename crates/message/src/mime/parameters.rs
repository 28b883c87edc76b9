//! Values with parameters: `text/plain; charset=utf-8; name*=utf-8''caf%C3%A9.txt` (RFC 2045 §5.1, RFC 2231).

use crate::words::hexadecimal;

/// Octets of a value that are looked at.
const VALUE_OCTETS_MAX: usize = 8 * 1024;
/// Parameters of a value.
const PARAMETERS_MAX: usize = 50;

/// The parameters of a value, names in lower case.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

/// The value before its parameters, in lower case, and these.
pub(super) fn read(value: &str) -> (String, Parameters) {
    let value = &value[..value.floor_char_boundary(VALUE_OCTETS_MAX)];
    let mut pieces = split(value).into_iter();
    let first = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
    let named = pieces.filter_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        Some((name.trim().to_ascii_lowercase(), unquoted(value.trim())))
    });
    (first, Parameters(named.take(PARAMETERS_MAX).collect()))
}

/// At each `;` that stands in no quotes.
fn split(value: &str) -> Vec<String> {
    let (mut pieces, mut is_quoted, mut is_escaped) = (vec![String::new()], false, false);
    for letter in value.chars() {
        if letter == ';' && !is_quoted {
            pieces.push(String::new());
            continue;
        }
        if letter == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = is_quoted && letter == '\\' && !is_escaped;
        if let Some(piece) = pieces.last_mut() {
            piece.push(letter);
        }
    }
    pieces
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let (mut text, mut is_escaped) = (String::new(), false);
    for letter in inner.chars() {
        match letter {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => break,
            letter => {
                text.push(letter);
                is_escaped = false;
            }
        }
    }
    text
}

impl Parameters {
    /// A parameter as it is written.
    pub(super) fn plain(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    }

    /// A parameter that is text: in one piece or several, in a charset or none.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        if let Some(extended) = self.plain(&format!("{name}*")) {
            return Some(extended_text(&extended));
        }
        let (mut whole, mut is_extended) = (String::new(), false);
        for number in 0..PARAMETERS_MAX {
            match (self.plain(&format!("{name}*{number}*")), self.plain(&format!("{name}*{number}"))) {
                (Some(piece), _) => {
                    is_extended = true;
                    whole.push_str(&piece);
                }
                (None, Some(piece)) => whole.push_str(&piece),
                (None, None) => break,
            }
        }
        match whole.is_empty() {
            false if is_extended => Some(extended_text(&whole)),
            false => Some(whole),
            true => self.plain(name),
        }
    }
}

/// `charset'language'text`, octets written as `%41` (RFC 2231 §4).
fn extended_text(value: &str) -> String {
    let mut pieces = value.splitn(3, '\'');
    let (charset, encoded) = match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_), Some(text)) => (charset, text),
        _ => ("", value),
    };
    let (mut octets, mut rest) = (Vec::new(), encoded.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        match (first, hexadecimal(after)) {
            (b'%', Some(octet)) => {
                octets.push(octet);
                rest = &after[2..];
            }
            _ => {
                octets.push(*first);
                rest = after;
            }
        }
    }
    super::decode::text(&octets, charset)
}
