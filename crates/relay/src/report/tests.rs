//! What reports mean: of whom, and which of the classes.

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn token(first: u16, is_single: bool) -> Token {
    Token {
        message: MessageId(u128::from(NOW.0) << 80 | 5),
        account: Id::new(1),
        domain: Some(Id::new(2)),
        user: Some(Id::new(3)),
        first,
        is_single,
        until: NOW.day(),
        days_ahead: 0,
    }
}

fn told(action: Action, recipient: &str, status: &str, diagnostic: &str) -> Told {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Told {
        action,
        recipient: some(recipient),
        original: None,
        status: some(status),
        diagnostic: diagnostic.to_owned(),
        server: String::new(),
    }
}

fn judged(token: &Token, reading: Reading) -> Vec<Report> {
    judged_by(token, reading, None)
}

/// What is judged of one for whom this vouches.
fn judged_by(token: &Token, reading: Reading, known: Option<&str>) -> Vec<Report> {
    let recipients = [recipient(0, "anna@example.org", "mx.example.org"), recipient(1, "bert@example.org", "")];
    judged_of(&recipients, token, reading, known)
}

fn recipient(number: u16, address: &str, host: &str) -> Recipient {
    let host = (!host.is_empty()).then(|| host.to_owned());
    let address = address.to_owned();
    Recipient { number, address, host, is_delivered: true, is_waiting: false, acted: Acted::default() }
}

fn judged_of(recipients: &[Recipient], token: &Token, reading: Reading, known: Option<&str>) -> Vec<Report> {
    let known: Option<Authentication> = known.map(|text| text.parse().unwrap());
    judge(&reading, &Context { token, recipients, rules: Rules::ours(), now: NOW, authentication: known.as_ref() })
}

#[test]
fn a_failure_of_the_one_recipient_has_its_class_and_words() {
    let told = told(Action::Failed, "other@elsewhere.example", "5.1.1", "550 5.1.1 No such user here");
    let reports = judged(&token(1, true), Reading::Status(vec![told.clone(), told]));
    let [report] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!(
        (report.recipient, report.kind, report.class),
        (Some(1), ReportKind::HardBounce, Some(Class::NoSuchMailbox))
    );
    assert_eq!(report.reason, format!("{REPORTED}There is no such mailbox at example.org."));
    assert_eq!(report.reply, "550 5.1.1 No such user here");
    assert_eq!(report.suppresses(), Some(SuppressionCause::Bounce));
    assert_eq!(report.day(), NOW.day());
}

#[test]
fn who_was_handed_some_of_a_message_has_no_say_about_the_others() {
    let all = [
        recipient(0, "one@evil.example", "mx.evil.example"),
        recipient(1, "two@evil.example", "mx.evil.example"),
        recipient(2, "bert@good.example", "mx.good.example"),
        recipient(3, "carl@another.example", "mx.evil.example"),
        recipient(4, "dora@EVIL.example", ""),
    ];
    let of = |first, address: &str| {
        let failed = Reading::Status(vec![told(Action::Failed, address, "5.1.1", "550 5.1.1 No such user")]);
        judged_of(&all, &token(first, false), failed, None)[0].recipient
    };
    assert_eq!(of(0, "bert@good.example"), None);
    assert_eq!(of(2, "two@evil.example"), None);
    assert_eq!(of(9, "bert@good.example"), None, "of the transaction nothing is left");
    // what goes to one server goes in one transaction, also for several domains
    assert_eq!((of(0, "carl@another.example"), of(3, "two@evil.example")), (Some(3), Some(1)));
    // and what was tried again later went to another server of the same domain
    assert_eq!(of(0, "dora@evil.example"), Some(4));
    let complaint = |address: &str| {
        let complaint = Complaint { recipients: vec![address.to_owned()], ..Complaint::default() };
        judged_of(&all, &token(0, false), Reading::Complaint(complaint), None)[0].kind
    };
    assert_eq!(
        (complaint("bert@good.example"), complaint("two@evil.example")),
        (ReportKind::Remark, ReportKind::Complaint)
    );
}

#[test]
fn what_passes_is_soft_and_suppresses_nobody() {
    for (status, diagnostic) in [("5.2.2", "552 5.2.2 Mailbox full"), ("4.4.7", ""), ("", "421 try later")] {
        let reports = judged(&token(0, true), Reading::Status(vec![told(Action::Failed, "", status, diagnostic)]));
        assert_eq!(reports[0].kind, ReportKind::SoftBounce, "{status} {diagnostic}");
        assert_eq!(reports[0].suppresses(), None);
    }
}

#[test]
fn a_report_of_the_senders_or_the_relays_fault_suppresses_nobody() {
    for (status, diagnostic, class) in [
        ("5.1.8", "553 5.1.8 sender <shop@a.example>… unknown domain", Class::SenderRefused),
        ("5.1.7", "550 5.1.7 The sender mailbox does not exist", Class::SenderRefused),
        ("5.0.0", "550 The sender mailbox does not exist", Class::SenderRefused),
        ("5.7.1", "550 5.7.1 Client host unknown", Class::RelayName),
        ("5.0.0", "554 Sending server unknown in DNS", Class::RelayName),
        ("5.7.1", "550 5.7.1 HELO name unknown in DNS", Class::RelayName),
    ] {
        let reports = judged(&token(0, true), Reading::Status(vec![told(Action::Failed, "", status, diagnostic)]));
        assert_eq!((reports[0].class, reports[0].suppresses()), (Some(class), None), "{diagnostic}");
    }
}

#[test]
fn of_several_the_one_that_is_named_is_meant_and_nobody_is_guessed() {
    let several = token(0, false);
    let named = told(Action::Failed, "BERT@example.org", "5.1.1", "550 5.1.1 no");
    assert_eq!(judged(&several, Reading::Status(vec![named]))[0].recipient, Some(1));
    for other in ["", "clara@example.org"] {
        let unnamed = told(Action::Failed, other, "5.1.1", "550 5.1.1 no");
        let reports = judged(&several, Reading::Status(vec![unnamed.clone(), unnamed]));
        let [report] = reports.as_slice() else { panic!("{reports:?}") };
        assert_eq!((report.recipient, report.kind, report.reason.as_str()), (None, ReportKind::Remark, UNATTRIBUTED));
    }
    let delayed = told(Action::Delayed, "", "4.2.0", "");
    assert!(judged(&several, Reading::Status(vec![delayed])).is_empty());
}

#[test]
fn what_is_no_failure_is_a_remark_and_an_answer_is_nothing() {
    for (action, words) in [(Action::Delayed, DELAYED), (Action::Relayed, HANDED_ON), (Action::Delivered, HANDED_ON)] {
        let reports = judged(&token(0, true), Reading::Status(vec![told(action, "", "", "")]));
        assert_eq!((reports[0].kind, reports[0].reason.as_str()), (ReportKind::Remark, words));
        assert_eq!(reports[0].status(), None);
    }
    assert!(judged(&token(0, true), Reading::Automatic).is_empty());
    assert!(judged(&token(0, true), Reading::Unknown).is_empty());
}

#[test]
fn a_failure_counts_before_what_else_is_told_of_a_recipient() {
    let delivered = told(Action::Delivered, "one@elsewhere.example", "2.0.0", "");
    let failed = told(Action::Failed, "two@elsewhere.example", "5.1.1", "550 5.1.1 no");
    let reports = judged(&token(0, true), Reading::Status(vec![delivered, failed]));
    assert_eq!((reports.len(), reports[0].kind), (1, ReportKind::HardBounce));
}

#[test]
fn a_complaint_is_of_the_one_recipient_or_of_the_one_that_is_named() {
    let complaint = |recipients: &[&str]| {
        Reading::Complaint(Complaint {
            kind: "abuse".into(),
            recipients: recipients.iter().map(ToString::to_string).collect(),
            return_paths: Vec::new(),
            program: "Loop/1.0".into(),
        })
    };
    let report = &judged(&token(1, true), complaint(&[]))[0];
    assert_eq!(
        (report.recipient, report.kind, report.reply.as_str()),
        (Some(1), ReportKind::Complaint, "abuse (Loop/1.0)")
    );
    assert_eq!(report.suppresses(), Some(SuppressionCause::Complaint));
    assert_eq!(judged(&token(0, false), complaint(&["bert@example.org"]))[0].recipient, Some(1));
    let nobody = &judged(&token(0, false), complaint(&["x@example.org"]))[0];
    assert_eq!((nobody.recipient, nobody.kind), (None, ReportKind::Remark));
    assert_eq!(nobody.suppresses(), None);
}

const VOUCHED: &str = "spf=none smtp.helo=mx.isp.example; dkim=pass header.d=isp.example";
const NOBODY: &str = "spf=none smtp.helo=mx.isp.example; dkim=none";
const UNKNOWN: &str = "spf=temperror smtp.helo=mx.isp.example; dkim=none";
const DISOWNED: &str = "spf=fail smtp.mailfrom=isp.example; dkim=none";

#[test]
fn a_bounce_is_one_whoever_vouches_and_suppresses_unless_it_is_disowned() {
    for (known, suppresses) in [(VOUCHED, true), (NOBODY, true), (UNKNOWN, true), (DISOWNED, false)] {
        let told = told(Action::Failed, "", "5.1.1", "550 5.1.1 No such user here");
        let reports = judged_by(&token(1, true), Reading::Status(vec![told]), Some(known));
        let [report] = reports.as_slice() else { panic!("{reports:?}") };
        assert_eq!((report.kind, report.status()), (ReportKind::HardBounce, Some(Status::HardBounce)), "{known}");
        assert_eq!(report.suppresses().is_some(), suppresses, "{known}");
        assert_eq!(report.authentication.as_ref().map(ToString::to_string).as_deref(), Some(known));
    }
}

#[test]
fn a_complaint_counts_only_where_somebody_vouches_for_it() {
    for (known, counts, suppresses) in
        [(VOUCHED, true, true), (NOBODY, false, true), (UNKNOWN, false, true), (DISOWNED, false, false)]
    {
        let complaint = Complaint {
            kind: "abuse".into(),
            program: String::new(),
            recipients: Vec::new(),
            return_paths: Vec::new(),
        };
        let reports = judged_by(&token(0, true), Reading::Complaint(complaint), Some(known));
        let [report] = reports.as_slice() else { panic!("{reports:?}") };
        assert_eq!(report.status().is_some(), counts, "{known}");
        assert_eq!(report.reason, if counts { COMPLAINED } else { DOUBTED_COMPLAINT }, "{known}");
        assert_eq!(report.suppresses().is_some(), suppresses, "{known}");
    }
}

#[test]
fn each_kind_of_report_acts_once_and_what_is_disowned_silences_nobody() {
    let complaint =
        || Reading::Complaint(Complaint { recipients: vec!["bert@example.org".into()], ..Complaint::default() });
    let bounce = || Reading::Status(vec![told(Action::Failed, "", "5.1.1", "550 5.1.1 No such user")]);
    let soft = Reading::Status(vec![told(Action::Failed, "", "5.2.2", "552 5.2.2 Mailbox full")]);
    let of = |reading, known| judged_by(&token(1, true), reading, Some(known)).remove(0);
    let mut acted = Acted::default();
    for report in [of(soft, NOBODY), of(bounce(), DISOWNED), of(complaint(), DISOWNED)] {
        assert!(!acted.note(&report), "{report:?}");
    }
    for report in [of(bounce(), NOBODY), of(complaint(), NOBODY), of(complaint(), VOUCHED)] {
        assert!(acted.note(&report), "{report:?}");
        assert!(!acted.note(&report), "once more: {report:?}");
    }
    assert!(!acted.note(&of(complaint(), NOBODY)), "somebody has vouched for one already");
}
