//! What is kept, when it is due, and what an authority is shown.

use relay::certificate::Validity;
use relay::clock::Timestamp;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

fn settings(folder: &Path, names: &[&str]) -> AcmeSettings {
    AcmeSettings {
        directory: "https://acme.example/directory".into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        contact: None,
        challenge: Challenge::Http,
        folder: folder.to_owned(),
        authorities: Vec::new(),
    }
}

fn acme(settings: &AcmeSettings) -> Arc<Acme> {
    let certificates = Certificates::load(vec![AcmeSettings::files_in(&settings.folder)]).unwrap();
    Acme::new(settings.clone(), certificates, Arc::new(Still))
}

/// A certificate of an authority, good for 90 days from a moment.
fn issue(settings: &AcmeSettings, begins: Timestamp) {
    let moment =
        |at: Timestamp| time::OffsetDateTime::from_unix_timestamp(i64::try_from(at.0 / 1_000).unwrap()).unwrap();
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut signer = rcgen::CertificateParams::new(Vec::new()).unwrap();
    signer.distinguished_name.push(rcgen::DnType::CommonName, "An authority");
    let issuer = rcgen::Issuer::new(signer, authority);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut wanted = rcgen::CertificateParams::new(settings.names.clone()).unwrap();
    (wanted.not_before, wanted.not_after) = (moment(begins), moment(begins.after(Duration::from_secs(90 * 86_400))));
    let pem = key.serialize_pem() + &wanted.signed_by(&key, &issuer).unwrap().pem();
    kept::write(&AcmeSettings::files_in(&settings.folder).certificate, pem.as_bytes()).unwrap();
}

#[test]
fn a_first_start_has_a_certificate_that_stands_in_and_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder.path().join("acme"), &["relay.example.com"]);
    settings.stand_in(NOW).unwrap();
    let file = AcmeSettings::files_in(&settings.folder).certificate;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let written = std::fs::read(&file).unwrap();
    let acme = acme(&settings);
    let facts = &acme.certificates.facts()[0];
    assert!(facts.self_signed && acme.keeps(facts));
    let week = Duration::from_secs(7 * 86_400);
    assert_eq!(facts.validity.ends, NOW.after(week));
    assert_eq!(acme.shown().next_at, Timestamp(0));
    settings.stand_in(NOW).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), written, "what is there stays");
}

#[test]
fn one_that_was_issued_is_due_with_a_third_left_or_when_the_names_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), &["relay.example.com", "console.example.com"]);
    issue(&settings, NOW);
    let validity = Validity { begins: NOW, ends: NOW.after(Duration::from_secs(90 * 86_400)) };
    assert_eq!(acme(&settings).shown().next_at, validity.renews_at());
    settings.names.pop();
    assert_eq!(acme(&settings).shown().next_at, validity.renews_at(), "one name fewer does no harm");
    settings.names[0] = "other.example.com".into();
    assert_eq!(acme(&settings).shown().next_at, Timestamp(0), "another name");
}

#[test]
fn a_new_one_is_taken_up_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), &["relay.example.com"]);
    settings.stand_in(NOW).unwrap();
    let acme = acme(&settings);
    let chain = std::fs::read_to_string(AcmeSettings::files_in(&settings.folder).certificate).unwrap();
    issue(&settings, NOW);
    let issued = std::fs::read_to_string(AcmeSettings::files_in(&settings.folder).certificate).unwrap();
    kept::write(&AcmeSettings::files_in(&settings.folder).certificate, chain.as_bytes()).unwrap();
    acme.take(&order::Issued { pem: issued }).unwrap();
    assert!(!acme.certificates.facts()[0].self_signed);
    let broken = acme.take(&order::Issued { pem: "nothing".into() });
    assert!(matches!(broken, Err(AcmeError::Useless(_))), "{broken:?}");
    assert!(!acme.certificates.facts()[0].self_signed, "the one before is still shown");
    assert!(!self::acme(&settings).certificates.facts()[0].self_signed, "and is there at the next start");
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_cannot_be_reached_is_tried_again_later_and_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), &["relay.example.com"]);
    settings.directory = "http://127.0.0.1/directory".into();
    settings.stand_in(NOW).unwrap();
    let acme = acme(&settings);
    acme.order().await;
    let first = acme.shown();
    assert_eq!(first.failures, 1);
    assert!(first.fault.unwrap().contains("https://"), "it is told why");
    assert!(first.next_at >= NOW.after(Duration::from_secs(600)));
    acme.order().await;
    let second = acme.shown();
    assert!(second.next_at >= NOW.after(Duration::from_secs(3_600)));
    drop(acme);
    let started_again = self::acme(&settings).shown();
    assert_eq!((started_again.failures, started_again.next_at), (2, second.next_at));
}

#[test]
fn each_authority_has_its_own_account() {
    let one = settings(Path::new("/a"), &["a.example"]);
    let mut other = one.clone();
    other.directory = "https://other.example/directory".into();
    assert_ne!(one.account_file(), other.account_file());
    assert_eq!(one.account_file(), Path::new("/a/account-acme-example-directory.json"));
}
