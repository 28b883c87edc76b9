//! Where a domain wants reports: the TXT record at `_smtp._tls.` of it (RFC 8460 §3).

use percent_encoding::percent_decode_str;
use smtp::address::Address;

use crate::webhook::{Target, target};

/// Places that one domain's reports are sent to; of more the first ones.
pub const RUA_MAX: usize = 4;

/// A place that reports are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rua {
    /// By mail, to this address.
    Mail(Address),
    /// By a POST over HTTPS.
    Https(Target),
}

/// Reads the TXT records of that name: where the domain wants its reports, nowhere where it has no record, or several that
/// look like one. What is no place that could be sent to is passed over; `allow_private`, the operator's allowance, is for hosts of
/// an intranet.
pub fn read_record(texts: &[String], allow_private: bool) -> Vec<Rua> {
    let mut found = texts.iter().filter_map(|text| fields_of(text));
    let (Some(fields), None) = (found.next(), found.next()) else { return Vec::new() };
    let rua = fields.split(';').find_map(|field| {
        let (name, value) = field.split_once('=')?;
        (blank(name) == "rua").then_some(value)
    });
    let places = rua.unwrap_or_default().split(',').filter_map(|uri| place(blank(uri), allow_private));
    places.take(RUA_MAX).collect()
}

/// What stands behind the version, where that is ours.
fn fields_of(text: &str) -> Option<&str> {
    let (version, fields) = text.split_once(';')?;
    (version.trim_end_matches([' ', '\t']) == "v=TLSRPTv1").then_some(fields)
}

fn blank(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn place(uri: &str, allow_private: bool) -> Option<Rua> {
    let (scheme, rest) = uri.split_once(':')?;
    if scheme.eq_ignore_ascii_case("mailto") {
        // fields behind the address (RFC 6068 §2) are not for us to set
        let address = rest.split('?').next().unwrap_or_default();
        let address = percent_decode_str(address).decode_utf8().ok()?;
        return Address::parse(&address, false).ok().map(Rua::Mail);
    }
    let found = target(uri, allow_private).ok()?;
    found.is_tls.then_some(Rua::Https(found))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Vec<String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let shown = |rua| match rua {
            Rua::Mail(address) => address.to_string(),
            Rua::Https(target) => target.to_string(),
        };
        read_record(&texts, false).into_iter().map(shown).collect()
    }

    #[test]
    fn a_record_names_the_places() {
        assert_eq!(read(&["v=TLSRPTv1;rua=mailto:reports@example.com"]), ["reports@example.com"]);
        assert_eq!(
            read(&[
                "v=spf1 -all",
                "v=TLSRPTv1 ; x=y; rua = https://reporting.example.com/v1/tlsrpt , MAILTO:a@example.net ;"
            ]),
            ["https://reporting.example.com/v1/tlsrpt", "a@example.net"]
        );
        assert_eq!(read(&["v=TLSRPTv1;rua=mailto:a%2Bb@example.com?subject=x"]), ["a+b@example.com"]);
    }

    #[test]
    fn what_is_none_names_nothing() {
        for texts in [
            &[][..],
            &["v=TLSRPTv1"],
            &["v=TLSRPTv1;"],
            &["v=TLSRPTv2;rua=mailto:a@example.com"],
            &["rua=mailto:a@example.com;v=TLSRPTv1"],
            &["v=TLSRPTv1;rua=mailto:a@example.com", "v=TLSRPTv1;rua=mailto:b@example.com"],
            &["v=TLSRPTv1;rua=mailto:nobody"],
            &["v=TLSRPTv1;rua=mailto:a%0d%0aBcc:b@example.com"],
            &["v=TLSRPTv1;rua=ftp://example.com/"],
        ] {
            assert!(read(texts).is_empty(), "{texts:?}");
        }
    }

    #[test]
    fn no_place_is_one_that_must_not_be_called() {
        for uri in [
            "http://example.com/r",
            "https://127.0.0.1/r",
            "https://[::1]/r",
            "https://10.0.0.1/r",
            "https://localhost/r",
        ] {
            assert!(read(&[&format!("v=TLSRPTv1;rua={uri}")]).is_empty(), "{uri}");
        }
        let many = (0..20).map(|number| format!("mailto:a{number}@example.com")).collect::<Vec<_>>().join(",");
        assert_eq!(read(&[&format!("v=TLSRPTv1;rua={many}")]).len(), RUA_MAX);
    }
}
