//! The header in the forms that are signed (RFC 6376 §3.4.1, §3.4.2), and what a signature is made over (§3.7, §5.4.2).

use crate::header::{Field, fields};

/// How the header, or the body, is written before it is hashed (RFC 6376 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it stands.
    Simple,
    /// White space does not matter.
    Relaxed,
}

/// Appends one field in relaxed form, without line end: name in lower case, folds and runs of white
/// space one space, none around the value.
pub(super) fn relax(field: &Field<'_>, output: &mut Vec<u8>) {
    output.extend(field.name.iter().map(u8::to_ascii_lowercase));
    output.push(b':');
    let begin = output.len();
    for word in field.value.split(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n')) {
        if !word.is_empty() {
            if output.len() > begin {
                output.push(b' ');
            }
            output.extend_from_slice(word);
        }
    }
}

/// What is signed: each field that `names` lists, the last unused one of its name, nothing where
/// none is left; then the signature field itself with its empty `b=`.
pub(super) fn signed_octets<'n>(
    form: Form,
    header: &[u8],
    names: impl IntoIterator<Item = &'n str>,
    signature_field: &[u8],
) -> Vec<u8> {
    if form == Form::Simple {
        let mut octets: Vec<u8> = used(header, names).flat_map(|field| field.octets.iter().copied()).collect();
        octets.extend_from_slice(signature_field);
        return octets;
    }
    let mut octets = Vec::with_capacity(header.len() / 2 + signature_field.len());
    for field in used(header, names) {
        relax(&field, &mut octets);
        octets.extend_from_slice(b"\r\n");
    }
    if let Some(field) = fields(signature_field).next() {
        relax(&field, &mut octets);
    }
    octets
}

/// The fields that are signed, in the order of their names.
fn used<'h, 'n>(header: &'h [u8], names: impl IntoIterator<Item = &'n str>) -> impl Iterator<Item = Field<'h>> {
    let mut unused: Vec<Field<'h>> = fields(header).collect();
    let mut used = Vec::new();
    for name in names {
        if let Some(last) = unused.iter().rposition(|field| field.is(name)) {
            used.push(unused.remove(last));
        }
    }
    used.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relaxed(section: &[u8]) -> Vec<String> {
        fields(section)
            .map(|field| {
                let mut octets = Vec::new();
                relax(&field, &mut octets);
                String::from_utf8(octets).unwrap()
            })
            .collect()
    }

    #[test]
    fn follows_the_example_of_the_rfc() {
        assert_eq!(relaxed(b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n"), ["a:X", "b:Y Z"]);
    }

    #[test]
    fn empty_values_stay_empty() {
        assert_eq!(relaxed(b"Subject:\r\nTo: \r\n \r\nX:\t \t\r\n"), ["subject:", "to:", "x:"]);
    }

    #[test]
    fn takes_repeated_fields_from_the_bottom() {
        let header = b"To: 1\r\nTo: 2\r\nFrom: f\r\nTo: 3\r\n\r\n";
        let signed = |form| signed_octets(form, header, ["to", "to", "from", "from", "subject"], b"Sig: b=");
        assert_eq!(signed(Form::Relaxed), b"to:3\r\nto:2\r\nfrom:f\r\nsig:b=");
        assert_eq!(signed(Form::Simple), b"To: 3\r\nTo: 2\r\nFrom: f\r\nSig: b=");
    }
}
