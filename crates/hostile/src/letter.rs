//! Any octets as a message of a test inbox: read in bounded room, and nothing shown that is longer than it may be.

use message::dkim::{self, KeyRecord, SIGNATURES_MAX, Verdict};
use message::links;
use message::mime::{PARTS_MAX, Parts};

/// Octets of text that are asked for here.
const TEXT_OCTETS_MAX: usize = 1000;

/// Reads the octets as a message: its parts, links and signatures.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let parts = Parts::of(data);
    assert!(parts.parts.len() <= PARTS_MAX);
    let mut held = 0;
    for part in &parts.parts {
        let decoded = part.decoded();
        assert!(decoded.len() <= data.len(), "decoding makes nothing");
        held += decoded.len();
        let (text, is_whole) = part.text(TEXT_OCTETS_MAX);
        assert!(text.len() <= TEXT_OCTETS_MAX && (is_whole || text.len() + 4 > TEXT_OCTETS_MAX));
        assert!(links::in_html(&text).len() <= links::LINKS_MAX && links::in_text(&text).len() <= links::LINKS_MAX);
        for named in [&part.media_type, &part.name, &part.disposition, &part.content_id] {
            assert!(named.chars().count() <= 200 && !named.contains(char::is_control));
        }
    }
    // each octet belongs to one part
    assert!(held <= data.len(), "{held}");
    if let Some(html) = parts.html_with_pictures(TEXT_OCTETS_MAX) {
        assert!(html.len() <= TEXT_OCTETS_MAX);
    }
    // without keys nothing is right
    let checked = dkim::verify(data, 0, |_, _| KeyRecord::Absent);
    assert!(checked.len() <= SIGNATURES_MAX && checked.iter().all(|one| one.verdict != Verdict::Pass));
    let record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    dkim::verify(data, u64::MAX, |_, _| KeyRecord::Found(record.to_owned()));
}
