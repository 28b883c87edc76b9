//! Signatures as a receiver finds them: right, changed, expired, of keys that were taken back, and made to cost much.

use super::super::vectors;
use super::super::{Signer, SigningKey, generate_ed25519, generate_rsa, record, seal};
use super::*;

const HEADER: &str = "From: a@x.example\r\nTo: b@y.example\r\nSubject: Hi\r\n there\r\n\r\n";
const BODY: &str = "Hi.\r\n\r\nSee you.\r\n";
/// Now, seconds since 1970.
const NOW: u64 = 1_800_000_000;

struct Signed {
    content: String,
    records: Vec<(String, String)>,
}

fn signed() -> Signed {
    let keys = [("r", generate_rsa().unwrap()), ("e", generate_ed25519().unwrap())];
    let parsed: Vec<_> = keys.iter().map(|(name, key)| (*name, SigningKey::from_pkcs8(key).unwrap())).collect();
    let signers: Vec<_> = parsed.iter().map(|(selector, key)| Signer { domain: "x.example", selector, key }).collect();
    let mut hash = BodyHash::default();
    hash.update(BODY.as_bytes());
    let seal = seal(&signers, HEADER.as_bytes(), hash.finish(), NOW).unwrap();
    let content = format!("{}{HEADER}{BODY}", String::from_utf8(seal.to_vec()).unwrap());
    let records = keys.iter().map(|(name, key)| ((*name).to_owned(), record(key).unwrap())).collect();
    Signed { content, records }
}

impl Signed {
    fn verdicts(&self, content: &str) -> Vec<Verdict> {
        let record = |domain: &str, selector: &str| {
            assert_eq!(domain, "x.example");
            let found = self.records.iter().find(|(name, _)| name == selector);
            found.map_or(KeyRecord::Absent, |(_, record)| KeyRecord::Found(record.clone()))
        };
        verify(content.as_bytes(), NOW, record).into_iter().map(|checked| checked.verdict).collect()
    }
}

/// Puts a signature in front of a message, in these forms and with these further tags.
fn sealed(key: &SigningKey, forms: &str, tags: &str, header: &str, body: &str) -> String {
    let [of_header, of_body] = super::forms(&format!("c={forms}")).unwrap();
    let hash = match of_body {
        Form::Simple => simple_hash(body.as_bytes()),
        Form::Relaxed => {
            let mut hash = BodyHash::default();
            hash.update(body.as_bytes());
            hash.finish()
        }
    };
    let field = format!(
        "DKIM-Signature: v=1; a={}; c={forms}; d=x.example; s=k;{tags}\r\n\th=from:to; bh={}; b=",
        key.algorithm(),
        BASE64.encode(hash)
    );
    let octets = signed_octets(of_header, header.as_bytes(), ["from", "to"], field.as_bytes());
    format!("{field}{}\r\n{header}{body}", BASE64.encode(key.sign(&octets).unwrap()))
}

fn verdict(content: &str, record: &str) -> Verdict {
    verify(content.as_bytes(), NOW, |_, _| KeyRecord::Found(record.to_owned()))[0].verdict
}

#[test]
fn what_we_sign_is_right_until_it_is_changed() {
    use Verdict::{BodyChanged, NoKey, Pass, Unchecked, Unknown, Wrong};
    let mut signed = signed();
    let content = signed.content.clone();
    assert_eq!(signed.verdicts(&content), [Pass, Pass]);
    let found = verify(content.as_bytes(), NOW, |_, _| KeyRecord::Absent);
    let said = |checked: &Checked| (checked.selector.clone(), checked.algorithm.clone(), checked.verdict);
    assert_eq!(said(&found[0]), ("r".into(), "rsa-sha256".into(), NoKey));
    assert_eq!(said(&found[1]), ("e".into(), "ed25519-sha256".into(), NoKey));
    let found = verify(content.as_bytes(), NOW, |_, _| KeyRecord::Unknown);
    assert!(found.iter().all(|checked| checked.verdict == Unknown), "{found:?}");
    let changed = |from: &str, to: &str| signed.verdicts(&content.replace(from, to));
    assert_eq!(changed("See you.", "See me."), [BodyChanged, BodyChanged]);
    assert_eq!(changed("Subject: Hi", "Subject: Ho"), [Wrong, Wrong]);
    assert_eq!(changed("\r\n there\r\n", " \t there \r\n"), [Pass, Pass], "relaxed");
    assert_eq!(changed("From: a@", "From: c@z.example\r\nFrom: a@"), [Wrong, Wrong], "oversigned");
    assert_eq!(changed("c=relaxed/relaxed", "c=simple/relaxed"), [Wrong, Wrong]);
    assert_eq!(changed("c=relaxed/relaxed", "c=relaxed/strict"), [Unchecked, Unchecked]);
    assert_eq!(changed("v=1;", "v=1; l=5;"), [Unchecked, Unchecked]);
    assert_eq!(changed("v=1;", "v=1; i=@y.example;"), [Unchecked, Unchecked], "of another domain");
    assert_eq!(changed("v=1; a=rsa-sha256", "v=1; a=rsa-sha1"), [Unchecked, Pass]);
    signed.records.swap(0, 1);
    let (first, second) = (signed.records[0].1.clone(), signed.records[1].1.clone());
    signed.records = vec![("r".into(), first), ("e".into(), second)];
    assert_eq!(signed.verdicts(&content), [Wrong, Wrong], "keys of another kind");
}

#[test]
fn every_form_is_checked_as_it_was_signed() {
    let der = generate_ed25519().unwrap();
    let (key, record) = (SigningKey::from_pkcs8(&der).unwrap(), record(&der).unwrap());
    let spaced = |content: &str| content.replace("To: b@", "To:  b@");
    let trailing = |content: &str| content.replace("See you.\r\n", "See you. \r\n");
    for forms in ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"] {
        let content = sealed(&key, forms, "", HEADER, BODY);
        assert_eq!(verdict(&content, &record), Verdict::Pass, "{forms}");
        assert_eq!(verdict(&format!("{content}\r\n\r\n"), &record), Verdict::Pass, "{forms}: empty lines at the end");
        let (header, body) = forms.split_once('/').unwrap();
        let expected = if header == "simple" { Verdict::Wrong } else { Verdict::Pass };
        assert_eq!(verdict(&spaced(&content), &record), expected, "{forms}");
        let expected = if body == "simple" { Verdict::BodyChanged } else { Verdict::Pass };
        assert_eq!(verdict(&trailing(&content), &record), expected, "{forms}");
    }
    // `c=` that names one form, or is not there
    let content = sealed(&key, "relaxed", "", HEADER, BODY);
    assert_eq!(verdict(&content, &record), Verdict::Pass);
    assert_eq!(super::forms("v=1"), Some([Form::Simple, Form::Simple]));
}

#[test]
fn what_the_key_and_the_time_say_counts() {
    let der = generate_ed25519().unwrap();
    let (key, record) = (SigningKey::from_pkcs8(&der).unwrap(), record(&der).unwrap());
    let with = |tags: &str| sealed(&key, "relaxed/relaxed", tags, HEADER, BODY);
    assert_eq!(verdict(&with(&format!(" x={NOW};")), &record), Verdict::Pass);
    assert_eq!(verdict(&with(&format!(" x={};", NOW - 1)), &record), Verdict::Expired);
    assert_eq!(verdict(&with(" i=me@mail.x.example;"), &record), Verdict::Pass);
    assert_eq!(verdict(&with(" i=me@notx.example;"), &record), Verdict::Unchecked);
    let plain = with("");
    let with = |tags: &str| record.replace("v=DKIM1;", &format!("v=DKIM1; {tags};"));
    for (record, expected) in [
        (with("h=sha256:sha1"), Verdict::Pass),
        (with("h=sha1"), Verdict::NoKey),
        (with("s=email"), Verdict::Pass),
        (with("s=*"), Verdict::Pass),
        (with("s=tlsrpt"), Verdict::NoKey),
        (with("t=y"), Verdict::Unchecked),
        (with("t=s"), Verdict::Pass),
        (record.replace("DKIM1", "DKIM2"), Verdict::NoKey),
        ("v=DKIM1; k=ed25519; p=".to_owned(), Verdict::NoKey),
        ("v=DKIM1; k=ed25519".to_owned(), Verdict::NoKey),
        ("v=DKIM1; k=ed25519; p=!!!".to_owned(), Verdict::Wrong),
        (record.replace("k=ed25519; ", ""), Verdict::Wrong),
    ] {
        assert_eq!(verdict(&plain, &record), expected, "{record}");
    }
    let below = sealed(&key, "relaxed/relaxed", " i=@mail.x.example;", HEADER, BODY);
    assert_eq!(verdict(&below, &with("t=s")), Verdict::Unchecked, "not for names below");
}

#[test]
fn the_published_example_is_right() {
    let (content, keys) = vectors::signed();
    let key =
        |_: &str, selector: &str| KeyRecord::Found(keys.iter().find(|(name, _)| *name == selector).unwrap().1.clone());
    let verdicts: Vec<Verdict> = verify(content.as_bytes(), NOW, key).into_iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Pass], "RSA of 1024 bits counts");
}

#[test]
fn fields_that_say_nothing_sensible_are_unchecked() {
    for field in ["", ";", "=", "b=", "v=1", "v=1; a=rsa-sha256; c=relaxed/relaxed; h=to; bh=; b="] {
        let content = format!("DKIM-Signature: {field}\r\nFrom: a@x.example\r\n\r\n");
        assert_eq!(verify(content.as_bytes(), NOW, |_, _| KeyRecord::Absent)[0].verdict, Verdict::Unchecked, "{field}");
    }
}

#[test]
fn what_is_made_to_cost_much_is_not_looked_at() {
    let signed = signed();
    let many = signed.content.split("From: a@").next().unwrap().repeat(300);
    let content = format!("{many}{HEADER}{BODY}");
    assert_eq!(signed.verdicts(&content).len(), SIGNATURES_MAX);
    let fields = "X: y\r\n".repeat(FIELDS_MAX);
    let content = signed.content.replace("From: a@", &format!("{fields}From: a@"));
    assert_eq!(signed.verdicts(&content), [Verdict::Unchecked, Verdict::Unchecked]);
    let names = format!("h=from:{}", "x:".repeat(NAMES_MAX));
    assert_eq!(signed.verdicts(&signed.content.replace("h=from:", &names)), [Verdict::Unchecked; 2]);
    let long = format!("v=1; z={};", "x".repeat(FIELD_OCTETS_MAX));
    assert_eq!(signed.verdicts(&signed.content.replace("v=1;", &long)), [Verdict::Unchecked; 2]);
    let der = generate_ed25519().unwrap();
    let content = sealed(&SigningKey::from_pkcs8(&der).unwrap(), "relaxed/relaxed", "", HEADER, BODY);
    let giant = format!("v=DKIM1; p={}", BASE64.encode(vec![0x30; 200_000]));
    assert_eq!(verdict(&content.replace("ed25519-sha256", "rsa-sha256"), &giant), Verdict::Wrong);
}
