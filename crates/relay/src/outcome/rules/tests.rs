//! What fits and what is refused, on small texts; the great corpus is `tests/bounces.rs`.

use super::*;

fn reply(code: u16, status: Option<Enhanced>, lines: &[&str]) -> Reply {
    let lines = lines.iter().map(|line| (*line).to_owned().into()).collect();
    Reply { code, enhanced: status, lines, reference: None }
}

fn one(rule: &str) -> Rules {
    Rules::parse(&format!("[[rule]]\nname = \"one\"\nclass = \"policy\"\n{rule}")).unwrap()
}

fn fits(rule: &str, reply: &Reply) -> bool {
    one(rule).classify(Stage::Recipient, reply).rule.is_some()
}

#[test]
fn ours_are_read_whole() {
    let read = Rules::parse(OURS).map(|rules| rules.rules.len());
    assert!(read.clone().is_ok_and(|count| count > 50), "{read:?}");
    assert_eq!(Rules::ours().rules.len(), read.unwrap());
}

#[test]
fn phrases_are_whole_words_whatever_stands_between() {
    let said = |text: &str| reply(550, None, &[text]);
    for text in ["OVER-QUOTA", "<x> over  quota!", "x/over_quota.", "you are over quota"] {
        assert!(fits("any = [\"over quota\"]", &said(text)), "{text}");
    }
    for text in ["over quotas", "moreover quota", "overquota", ""] {
        assert!(!fits("any = [\"over quota\"]", &said(text)), "{text}");
    }
    assert!(fits("any = [\"over quot*\"]", &said("over quotas")));
    assert!(fits("any = [\"*over quota\"]", &said("moreover quota")));
    assert!(fits("any = [\"été\"]", &said("L’ÉTÉ.")));
}

#[test]
fn lines_are_one_text() {
    assert!(fits("any = [\"no such user\"]", &reply(550, None, &["there is no such", "user here"])));
}

#[test]
fn all_are_needed_and_any_one_is() {
    let both = reply(550, None, &["rate limited for spf"]);
    let one = reply(550, None, &["rate limited"]);
    let rule = "all = [\"rate limited\"]\nany = [\"spf\", \"dkim\"]";
    assert!(fits(rule, &both));
    assert!(!fits(rule, &one));
}

#[test]
fn codes_and_statuses_are_patterns() {
    assert!(fits("code = [\"55x\"]", &reply(552, None, &[""])));
    assert!(!fits("code = [\"55x\"]", &reply(562, None, &[""])));
    assert!(fits("status = [\"x.7.606-649\"]", &reply(550, Some(Enhanced(5, 7, 620)), &[""])));
    assert!(!fits("status = [\"x.7.606-649\"]", &reply(550, Some(Enhanced(5, 7, 650)), &[""])));
    assert!(!fits("status = [\"4.x.x\"]", &reply(550, Some(Enhanced(5, 7, 1)), &[""])));
    assert!(!fits("status = [\"5.7.1\"]", &reply(550, None, &["5.7.1"])));
    assert!(fits("status = [\"none\"]", &reply(550, None, &[""])));
}

#[test]
fn the_stage_counts_where_it_is_given() {
    let rules = one("stage = [\"mail\"]");
    assert_eq!(rules.classify(Stage::Mail, &reply(550, None, &[""])).class, Class::Policy);
    assert_eq!(rules.classify(Stage::Content, &reply(550, None, &[""])).class, Class::Unknown);
}

#[test]
fn the_first_that_fits_decides_and_the_operators_come_before_ours() {
    let known = reply(550, Some(Enhanced(5, 1, 1)), &["user unknown"]);
    assert_eq!(Rules::ours().classify(Stage::Recipient, &known).class, Class::NoSuchMailbox);
    let own = "[[rule]]\nname = \"mine\"\nclass = \"policy\"\nany = [\"user unknown\"]";
    let rules = Rules::before_ours(own).unwrap();
    assert_eq!(
        rules.classify(Stage::Recipient, &known),
        Classified { class: Class::Policy, rule: Some("mine"), site: SiteAction::Nothing }
    );
    let other = reply(550, None, &["no such user"]);
    assert_eq!(rules.classify(Stage::Recipient, &other).rule, Some("no_such_mailbox"));
}

#[test]
fn what_cannot_be_a_rule_is_told_with_its_name() {
    let cases = [
        ("[[rule]]\nclass = \"policy\"\nany = [\"x\"]", "rule \"number 1\": a name is"),
        ("[[rule]]\nname = \"a b\"\nclass = \"policy\"\nany = [\"x\"]", "rule \"a b\": a name is"),
        ("[[rule]]\nname = \"a\"\nclass = \"what\"\nany = [\"x\"]", "rule \"a\": there is no class \"what\""),
        ("[[rule]]\nname = \"a\"\nclass = \"policy\"", "rule \"a\": it has no condition"),
        ("[[rule]]\nname = \"a\"\nclass = \"policy\"\ncode = [\"350\"]", "rule \"a\": \"350\": a code is"),
        ("[[rule]]\nname = \"a\"\nclass = \"policy\"\nstatus = [\"5.7\"]", "rule \"a\": \"5.7\": a status is"),
        ("[[rule]]\nname = \"a\"\nclass = \"policy\"\nstatus = [\"5.7.9-3\"]", "rule \"a\": \"5.7.9-3\": a status is"),
        ("[[rule]]\nname = \"a\"\nclass = \"policy\"\nstage = [\"late\"]", "rule \"a\": \"late\": a stage is"),
        ("[[rule]]\nname = \"a\"\nclass = \"policy\"\nany = [\" *\"]", "rule \"a\": \" *\": a phrase has"),
        ("[[rule]]\nname = \"a\"\nclass = \"policy\"\nregex = \"x\"", "unknown field `regex`"),
        ("[[rule]]\nname = 1", "invalid type"),
        ("rule", "TOML parse error"),
    ];
    for (text, told) in cases {
        let error = Rules::parse(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
    let twice = "[[rule]]\nname = \"a\"\nclass = \"policy\"\nany = [\"x\"]\n".repeat(2);
    assert_eq!(Rules::parse(&twice).unwrap_err().to_string(), "rule \"a\": another rule has this name");
    let many: String =
        (0..=RULES_MAX).map(|n| format!("[[rule]]\nname = \"r{n}\"\nclass = \"policy\"\ncode = [\"5xx\"]\n")).collect();
    assert_eq!(Rules::parse(&many).unwrap_err(), RulesError::TooMany(RULES_MAX + 1));
    assert!(Rules::parse("").is_ok_and(|rules| rules.rules.is_empty()), "no rule at all is a list, too");
}

/// Our rules that say that an address is bad, but for that of the sandbox, which speaks for itself.
fn suppressing() -> Vec<Draft> {
    let drafts = drafts(OURS).unwrap().into_iter();
    drafts.filter(|draft| draft.class.suppresses() && draft.name != "sandbox").collect()
}

/// Replies that a rule is made for: each of its phrases, under each of its statuses.
fn made_for(draft: &Draft) -> Vec<Reply> {
    let is_taken = |code: &u16| draft.codes.is_empty() || draft.codes.iter().any(|pattern| pattern.fits(*code));
    let code = (550..560).chain(400..550).find(is_taken).unwrap();
    let status = |pattern: &StatusPattern| match *pattern {
        StatusPattern::None => None,
        StatusPattern::Some { class, subject, detail } => {
            Some(Enhanced(class.unwrap_or(5), subject.unwrap_or(1), detail.map_or(2, |(first, _)| first)))
        }
    };
    let statuses: Vec<_> = match draft.statuses.is_empty() {
        true => vec![None, Some(Enhanced(5, 1, 1)), Some(Enhanced(5, 7, 1))],
        false => draft.statuses.iter().map(status).collect(),
    };
    let all = draft.all.concat();
    let texts: Vec<String> = match draft.any.is_empty() {
        true => vec![all],
        false => draft.any.iter().map(|phrase| format!("{phrase}{all}")).collect(),
    };
    let replies = texts.iter().flat_map(|text| statuses.iter().map(|status| reply(code, *status, &[text])));
    replies.collect()
}

#[test]
fn nothing_that_is_said_before_a_recipient_was_named_is_about_its_address() {
    let mut about_addresses = 0;
    for draft in suppressing() {
        for reply in made_for(&draft) {
            for stage in [Stage::Greeting, Stage::Hello, Stage::Tls, Stage::Mail] {
                let found = Rules::ours().classify(stage, &reply);
                assert!(!found.class.suppresses(), "{stage:?} {reply:?}: {found:?}");
            }
            about_addresses += usize::from(Rules::ours().classify(Stage::Recipient, &reply).class.suppresses());
        }
    }
    assert!(about_addresses > 200, "{about_addresses}: said to a recipient, they are");
}

#[test]
fn an_operators_rule_about_addresses_is_none_about_what_came_before() {
    let rule = |stage: &str| {
        Rules::before_ours(&format!(
            "[[rule]]\nname = \"mine\"\nclass = \"mailbox_disabled\"\nany = [\"gone\"]\n{stage}"
        ))
    };
    let rules = rule("").unwrap();
    let said = reply(550, None, &["it is gone"]);
    for (stage, mine) in [(Stage::Hello, false), (Stage::Mail, false), (Stage::Recipient, true), (Stage::Content, true)]
    {
        assert_eq!(rules.classify(stage, &said).rule == Some("mine"), mine, "{stage:?}");
    }
    assert!(rule("stage = [\"recipient\", \"data\", \"content\"]").is_ok());
    for before in ["greeting", "hello", "tls", "mail"] {
        let error = rule(&format!("stage = [\"recipient\", \"{before}\"]")).unwrap_err().to_string();
        assert!(error.starts_with("rule \"mine\": mailbox_disabled says that the address is bad"), "{error}");
    }
}

/// Whether a reply, said to a recipient or reported later, is a fault of the address.
fn is_about_the_address(code: u16, status: Option<Enhanced>, text: &str) -> bool {
    let reply = reply(code, status, &[text]);
    [Stage::Recipient, Stage::Content].iter().any(|stage| Rules::ours().classify(*stage, &reply).class.suppresses())
}

#[test]
fn the_words_for_a_bad_address_are_about_the_sender_where_they_name_one() {
    let statuses =
        [(1, 1), (1, 2), (1, 6), (1, 10), (2, 1), (7, 1)].map(|(subject, detail)| Enhanced(5, subject, detail));
    for draft in suppressing() {
        for phrase in &draft.any {
            // whatever a text says under a status of the sender's
            for detail in [7, 8] {
                assert!(!is_about_the_address(550, Some(Enhanced(5, 1, detail)), phrase), "5.1.{detail} {phrase}");
            }
            if ["recip", "destinataire", "addressee"].iter().any(|whose| phrase.contains(whose)) {
                continue;
            }
            for status in statuses.map(Some).into_iter().chain([None]) {
                for text in [format!("sender <shop@a.example>:{phrase}"), format!("{phrase}(the sender)")] {
                    assert!(!is_about_the_address(550, status, &text), "{status:?} {text}");
                }
            }
        }
    }
}

#[test]
fn words_about_the_sender_or_the_relay_are_none_about_the_recipient() {
    for (text, class) in [
        ("553 5.1.8 sender <shop@a.example>… unknown domain", Class::SenderRefused),
        ("553 sender <shop@a.example>… unknown domain", Class::SenderRefused),
        ("550 5.1.7 The sender mailbox does not exist", Class::SenderRefused),
        ("550 The sender mailbox does not exist", Class::SenderRefused),
        ("550 5.1.7 <shop@a.example>: user unknown", Class::SenderRefused),
        ("550 5.1.8 <shop@a.example>: domain not found", Class::SenderRefused),
        ("550 5.1.1 Unknown sender <shop@a.example>", Class::SenderRefused),
        ("550 5.1.2 no such domain of the sender", Class::SenderRefused),
        ("550 5.1.1 sender <shop@a.example> was turned away", Class::SenderRefused),
        ("550 5.1.1 The From address does not exist", Class::SenderRefused),
        ("550 Return-Path: address unknown", Class::SenderRefused),
        ("550 5.7.1 unknown domain in MAIL FROM", Class::SenderRefused),
        ("550 5.7.1 Client host unknown", Class::RelayName),
        ("550 Client host unknown", Class::RelayName),
        ("550 5.7.1 unknown client [192.0.2.1]", Class::RelayName),
        ("554 Sending server unknown in DNS", Class::RelayName),
        ("554 Your IP address unknown", Class::RelayName),
        ("550 5.7.1 HELO name unknown in DNS", Class::RelayName),
        ("550 HELO relay.example: no such domain", Class::RelayName),
        ("550 5.7.1 EHLO host unknown", Class::RelayName),
        ("450 4.7.1 EHLO name does not resolve", Class::RelayName),
        ("550 5.7.1 the host unknown to us", Class::Policy),
        ("550 5.3.0 unknown domain", Class::ServerFault),
    ] {
        let (code, rest) = text.split_once(' ').unwrap();
        let status = rest.split_once(' ').and_then(|(status, _)| Enhanced::parse(status));
        let reply = reply(code.parse().unwrap(), status, &[rest]);
        for stage in [Stage::Recipient, Stage::Content] {
            let found = Rules::ours().classify(stage, &reply);
            assert_eq!(found.class, class, "{text} {stage:?} {:?}", found.rule);
        }
    }
}

#[test]
fn what_is_said_of_an_address_at_mail_is_said_of_the_senders() {
    let five = |subject, detail| Some(Enhanced(5, subject, detail));
    for (status, text, class) in [
        (five(1, 1), "<shop@a.example>: User unknown", Class::SenderRefused),
        (None, "unknown domain a.example", Class::SenderRefused),
        (five(1, 0), "no", Class::SenderRefused),
        (five(1, 10), "null MX", Class::SenderRefused),
        (None, "Requested action not taken: mailbox unavailable", Class::SenderRefused),
        (five(7, 1), "Client host unknown", Class::RelayName),
        (five(7, 1), "192.0.2.1 is on a blocklist; unknown user", Class::Reputation),
    ] {
        assert_eq!(Rules::ours().classify(Stage::Mail, &reply(550, status, &[text])).class, class, "{status:?} {text}");
    }
    // a code that RFC 7504 has for recipients speaks of the host before
    for (stage, class) in [(Stage::Hello, Class::HostTakesNoMail), (Stage::Recipient, Class::DomainTakesNoMail)] {
        assert_eq!(Rules::ours().classify(stage, &reply(556, None, &["no"])).class, class, "{stage:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(code in 400u16..600, lines in proptest::collection::vec("\\PC{0,300}", 0..6)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let reply = reply(code, None, &lines);
        let found = Rules::ours().classify(Stage::Content, &reply);
        proptest::prop_assert_eq!(found.rule.is_none(), found.class == Class::Unknown);
        let text = folded(lines.iter().copied(), LOOKED_AT_OCTETS_MAX);
        proptest::prop_assert!(text.len() <= LOOKED_AT_OCTETS_MAX + 8, "{}", text.len());
    }
}

#[test]
fn a_rule_may_say_what_the_site_should_do() {
    let text = "[[rule]]\nname = \"mine\"\nclass = \"rate\"\nany = [\"slow\"]\n";
    let known = reply(450, None, &["slow"]);
    let site = |text: &str| Rules::parse(text).unwrap().classify(Stage::Recipient, &known).site;
    assert_eq!(site(text), Class::Rate.site_action());
    assert_eq!(site(&format!("{text}site = \"nothing\"\n")), SiteAction::Nothing);
    assert!(Rules::parse(&format!("{text}site = \"explode\"\n")).is_err());
}
