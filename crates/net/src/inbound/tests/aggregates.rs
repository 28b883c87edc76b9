//! Reports on DMARC: at the address of their domain alone, once, whatever they are packed in.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use relay::clock::Day;
use relay::dmarc_report::Kept;
use std::io::Write as _;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A report of yesterday on three messages that passed and one that did not.
fn document(id: &str, domain: &str) -> String {
    let begin = (SystemClock::new().now().day().0 - 1) * 86_400;
    let record = |source: &str, count: u32, dkim: &str| {
        format!(
            "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated><disposition>none\
             </disposition><dkim>{dkim}</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>{domain}\
             </header_from></identifiers></record>"
        )
    };
    format!(
        "<feedback><report_metadata><org_name>isp.example</org_name><report_id>{id}</report_id><date_range><begin>{begin}\
         </begin><end>{}</end></date_range></report_metadata><policy_published><domain>{domain}</domain><p>none</p>\
         </policy_published>{}{}</feedback>",
        begin + 86_399,
        record("192.0.2.1", 3, "pass"),
        record("192.0.2.9", 1, "fail"),
    )
}

fn mail(attachment: &[u8]) -> String {
    let encoded = STANDARD.encode(attachment);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!(
        "From: dmarc@isp.example\r\nSubject: Report Domain: shop.example\r\nMIME-Version: 1.0\r\n\
         Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        lines.join("\r\n")
    )
}

impl World {
    fn dmarc_address(&self) -> String {
        let directory = self.store.directory();
        Addresses::new(self.store.return_path_key()).of(directory.domains.get(&Id::new(1)).unwrap()).unwrap()
    }

    fn dmarc_kept(&self) -> Kept {
        self.store.dmarc_kept(Id::new(1), Day(0), Day(1_000_000)).unwrap()
    }
}

#[tokio::test]
async fn a_report_is_kept_once_before_its_250() {
    let world = World::start(Limits::default()).await;
    let to = world.dmarc_address();
    let report = mail(&gzip(document("1", "shop.example").as_bytes()));
    for _ in 0..2 {
        assert_eq!(world.bring(&to.to_uppercase(), &report).await, "250 2.0.0 Ok\r\n");
    }
    let kept = world.dmarc_kept();
    assert_eq!((kept.reports.len(), kept.reports[0].messages), (1, 4));
    let counted: Vec<(u64, bool)> = kept.rows.iter().map(|(_, seen, messages)| (*messages, seen.passed())).collect();
    assert_eq!(counted, [(3, true), (1, false)]);
    world.shutdown.begin();
}

#[tokio::test]
async fn what_cannot_be_used_is_heard_and_changes_nothing() {
    let world = World::start(Limits { dmarc_opened_octets_max: 65_536, ..Limits::default() }).await;
    let to = world.dmarc_address();
    let whole = document("1", "shop.example");
    let bomb = format!("{}{whole}", "<!-- -->".repeat(10_000));
    let entity = format!("<!DOCTYPE a [<!ENTITY b \"&c;&c;\">]>{whole}");
    for attachment in [
        gzip(bomb.as_bytes()),
        gzip(entity.as_bytes()),
        gzip(document("1", "other.example").as_bytes()),
        b"\x1f\x8b\x08 and no more".to_vec(),
        b"%PDF".to_vec(),
    ] {
        assert!(world.bring(&to, &mail(&attachment)).await.starts_with("250"));
    }
    assert!(world.bring(&to, &bounce("anna@example.org", "5.1.1", "550 5.1.1 No such user")).await.starts_with("250"));
    assert_eq!(world.dmarc_kept(), Kept::default());
    assert!(world.rows().iter().all(|row| row.status == Status::Delivered));
    world.shutdown.begin();
}

#[tokio::test]
async fn only_the_address_of_a_domain_is_taken() {
    let world = World::start(Limits::default()).await;
    let to = world.dmarc_address();
    let mut forged = to.clone();
    forged.replace_range(6..7, if &to[6..7] == "a" { "b" } else { "a" });
    for other in [forged, to.replace(HOST, "elsewhere.example"), format!("d-{}", &to[3..])] {
        assert!(world.bring(&other, "").await.starts_with("550 5.7.1"), "{other}");
    }
    let report = mail(&gzip(document("1", "shop.example").as_bytes()));
    world.store.fail_next(Verb::Dmarc, StoreError::NoRoom("full".into()));
    assert!(world.bring(&to, &report).await.starts_with("452 4.3.1"));
    assert_eq!(world.dmarc_kept(), Kept::default());
    let by = Actor { name: "operator".into(), from: "test".into() };
    world.store.domain_delete(Id::new(1), false, &by, Timestamp(5)).unwrap();
    assert!(world.bring(&to, &report).await.starts_with("550 5.7.1"), "of a domain that is deleted");
    world.shutdown.begin();
}

#[tokio::test]
async fn a_report_that_nobody_vouches_for_is_listed_and_not_counted() {
    let world = World::start(Limits::default()).await;
    let to = world.dmarc_address();
    let report = mail(&gzip(document("1", "shop.example").as_bytes()));
    let counted = || world.dmarc_kept().rows.iter().map(|row| row.2).sum::<u64>();
    for _ in 0..2 {
        assert!(world.bring_as("host.nowhere.example", "", &to, &report).await.starts_with("250"));
    }
    let kept = world.dmarc_kept();
    assert_eq!((kept.reports.len(), kept.reports[0].messages, counted()), (1, 4, 0));
    assert!(!kept.reports[0].counts());
    // the real one of that name comes later
    assert!(world.bring(&to, &report).await.starts_with("250"));
    let kept = world.dmarc_kept();
    assert_eq!((kept.reports.len(), counted()), (1, 4));
    let known = kept.reports[0].authentication.as_ref().unwrap();
    assert_eq!(known.vouched_by(), Some("mx.example.org"));
    assert!(world.bring_as("host.nowhere.example", "", &to, &report).await.starts_with("250"));
    assert_eq!(counted(), 4, "and is not replaced");
    world.shutdown.begin();
}
