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
