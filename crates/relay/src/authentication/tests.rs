//! Who vouches for a message, and how that is written down.

use super::*;
use crate::inspection::Answer;
use message::dkim::{BodyHash, Signer, SigningKey, generate_ed25519, record, seal};

const BODY: &str = "Hello.\r\n";
const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn known(text: &str) -> Authentication {
    text.parse().unwrap()
}

#[test]
fn what_is_known_comes_back_from_its_text() {
    for text in [
        "spf=pass smtp.helo=mx.example.org; dkim=none",
        "spf=fail smtp.mailfrom=example.org; dkim=pass header.d=isp.example",
        "spf=none; dkim=permerror",
        "spf=temperror smtp.mailfrom=example.org; dkim=temperror header.d=isp.example",
        "spf=softfail smtp.mailfrom=example.org; dkim=neutral header.d=isp.example",
    ] {
        assert_eq!(known(text).to_string(), text);
    }
    for text in ["", "spf=pass", "spf=good; dkim=none", "dkim=none; spf=none", "spf=pass smtp.helo=x dkim=none"] {
        assert_eq!(text.parse::<Authentication>(), Err(Unreadable), "{text}");
    }
    assert!(Verdict::ALL.into_iter().all(|verdict| verdict.name().parse() == Ok(verdict)));
}

#[test]
fn who_says_a_name_in_ehlo_that_is_no_domain_comes_back_from_its_text() {
    for (hello, expected) in
        [("[192.0.2.1]", "spf=temperror; dkim=temperror"), ("a\0b", "spf=temperror; dkim=temperror")]
    {
        let unknown = Bringer::new([192, 0, 2, 1].into(), hello, &ReversePath::Null).unknown();
        assert_eq!((unknown.to_string().as_str(), known(&unknown.to_string())), (expected, unknown));
    }
}

#[test]
fn either_vouches_and_only_spf_disowns() {
    let vouched = |text: &str| known(text).vouched_by().map(str::to_owned);
    assert_eq!(vouched("spf=pass smtp.mailfrom=a.example; dkim=pass header.d=b.example").as_deref(), Some("b.example"));
    assert_eq!(vouched("spf=pass smtp.helo=a.example; dkim=fail header.d=b.example").as_deref(), Some("a.example"));
    for text in ["spf=none; dkim=none", "spf=softfail smtp.helo=a.example; dkim=neutral header.d=b.example"] {
        assert_eq!(
            (vouched(text), known(text).is_disowned(), known(text).is_unknown()),
            (None, false, false),
            "{text}"
        );
    }
    let disowned = |text: &str| known(text).is_disowned();
    assert!(disowned("spf=fail smtp.helo=a.example; dkim=none"));
    assert!(disowned("spf=fail smtp.helo=a.example; dkim=fail header.d=a.example"));
    assert!(!disowned("spf=fail smtp.helo=a.example; dkim=pass header.d=a.example"));
    let may_be = known("spf=fail smtp.helo=a.example; dkim=temperror header.d=a.example");
    assert!(!may_be.is_disowned() && may_be.is_unknown(), "the signature may be right");
}

/// A message of a@FROM with a signature of each of these domains, and what DNS has of their keys.
fn signed(from: &str, domains: &[&str]) -> (String, Answers) {
    let header = format!("From: \"A, b\" <a@{from}>\r\nTo: b@y.example\r\n\r\n");
    let mut hash = BodyHash::default();
    hash.update(BODY.as_bytes());
    let hash = hash.finish();
    let (mut front, mut answers) = (String::new(), Answers::default());
    for domain in domains {
        let der = generate_ed25519().unwrap();
        let key = SigningKey::from_pkcs8(&der).unwrap();
        let signers = [Signer { domain, selector: "S1", key: &key }];
        let sealed = seal(&signers, header.as_bytes(), hash, NOW.0 / 1_000).unwrap();
        front.push_str(std::str::from_utf8(&sealed).unwrap());
        put(&mut answers, domain, Said::Found(vec!["v=spf1 -all".to_owned(), record(&der).unwrap()]));
    }
    (format!("{front}{header}{BODY}"), answers)
}

fn put(answers: &mut Answers, domain: &str, said: Said) {
    let question = Question { name: format!("s1._domainkey.{domain}"), kind: Kind::Txt };
    answers.put(question, Answer { said, server: None });
}

fn judged(content: &str, answers: &Answers) -> (Verdict, String) {
    let method = signatures(content.as_bytes(), NOW, answers).unwrap();
    (method.verdict, method.domain)
}

#[test]
fn of_several_signatures_the_one_that_says_most_is_kept() {
    let (content, mut answers) = signed("mail.isp.example", &["else.example", "isp.example"]);
    let mut asked: Vec<String> = signatures(content.as_bytes(), NOW, &Answers::default())
        .unwrap_err()
        .into_iter()
        .map(|question| question.name)
        .collect();
    asked.sort();
    assert_eq!(asked, ["s1._domainkey.else.example", "s1._domainkey.isp.example"], "all at once");
    assert_eq!(judged(&content, &answers), (Verdict::Pass, "isp.example".to_owned()), "that of From");
    put(&mut answers, "isp.example", Said::Nothing);
    assert_eq!(judged(&content, &answers), (Verdict::Pass, "else.example".to_owned()));
    put(&mut answers, "else.example", Said::Fault("SERVFAIL".to_owned()));
    assert_eq!(judged(&content, &answers), (Verdict::TempError, "else.example".to_owned()));
    put(&mut answers, "else.example", Said::Found(vec!["v=DKIM1; p=".to_owned()]));
    assert_eq!(judged(&content, &answers), (Verdict::PermError, "else.example".to_owned()), "taken back");
    assert_eq!(judged(&content.replace("Hello", "Hallo"), &answers), (Verdict::Fail, "else.example".to_owned()));
    assert_eq!(judged("From: a@isp.example\r\n\r\nHello.\r\n", &answers), (Verdict::None, String::new()));
    let odd = "DKIM-Signature: v=2; d=a\u{1f}b\r\nFrom: a@isp.example\r\n\r\n";
    assert_eq!(judged(odd, &answers), (Verdict::Neutral, String::new()));
}

#[test]
fn hundreds_of_signatures_ask_for_no_more_keys_than_a_few() {
    let domains: Vec<String> = (0..300).map(|number| format!("d{number}.example")).collect();
    let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
    let (content, _) = signed("isp.example", &domains);
    let open = signatures(content.as_bytes(), NOW, &Answers::default()).unwrap_err();
    assert_eq!(open.len(), message::dkim::SIGNATURES_MAX);
    let changed = content.replace("Hello", "Hallo");
    assert!(signatures(changed.as_bytes(), NOW, &Answers::default()).is_ok(), "of what was changed nothing is asked");
}
