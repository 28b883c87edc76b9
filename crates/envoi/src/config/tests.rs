//! Tests of the configuration: what is taken, and how each fault is told.

#![allow(clippy::unwrap_used)]

use super::*;
use relay::clock::Timestamp;
use relay::route::RouteTls;

const GOOD: &str = r#"
hostname = "relay.example.com"
data_dir = "data"
[submission]
starttls = ["0.0.0.0:587"]
tls = ["0.0.0.0:465"]
certificate = "/etc/envoi/cert.pem"
key = "key.pem"
[[delivery.route]]
domain = "*"
host = "127.0.0.1"
port = 2525
tls = "none"
"#;

fn read(text: &str) -> Result<(Config, Findings), Findings> {
    from_text(text, Path::new("/srv/relay/envoi.toml"))
}

fn problems(text: &str) -> Vec<Problem> {
    match read(text) {
        Ok((_, findings)) | Err(findings) => findings.problems,
    }
}

/// The only fault of `GOOD` after a line was replaced.
fn only(from: &str, to: &str) -> Problem {
    assert!(GOOD.contains(from), "{from}");
    let found = problems(&GOOD.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_good_file_is_taken_and_paths_follow_it() {
    let (config, findings) = read(GOOD).unwrap();
    assert_eq!(findings.problems, []);
    assert_eq!(config.data_dir, Path::new("/srv/relay/data"));
    assert_eq!(config.submission.certificates[0].certificate, Path::new("/etc/envoi/cert.pem"));
    assert_eq!(config.submission.certificates[0].key, Path::new("/srv/relay/key.pem"));
    assert_eq!(config.submission.starttls, ["0.0.0.0:587".parse().unwrap()]);
    let route = &config.delivery.routes[0].route;
    assert_eq!((route.pattern.as_str(), route.port, route.tls), ("*", 2525, RouteTls::None));
    assert_eq!(config.delivery.retry_for, Duration::from_secs(5 * 86_400));
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.http, ["127.0.0.1:9587".parse().unwrap()]);
    assert!(!config.log.json);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    let fault = only("starttls =", "startls =");
    assert_eq!((fault.line, fault.key.as_str()), (5, "submission.startls"));
    assert!(fault.remedy.contains("`starttls`"), "{}", fault.remedy);
    assert!(only("[[delivery.route]]", "[[delivery.routes]]").remedy.contains("`route`"));
    assert!(only("data_dir = \"data\"", "data_dir = \"data\"\nxyzzy = 1").remedy.contains("Remove it"));
    let fault = only("data_dir = \"data\"", "data_dir = \"data\"\nmaster_key = \"k\"");
    assert!(fault.remedy.contains("below [store]"), "{}", fault.remedy);
    let fault = only("key = \"key.pem\"", "key = \"key.pem\"\nhostname = \"a.example\"");
    assert!(fault.remedy.contains("top of the file"), "{}", fault.remedy);
}

#[test]
fn every_fault_is_told_in_the_order_of_lines() {
    let text = GOOD.replace("relay.example.com", "relay").replace("465", "notaport").replace("2525", "70000");
    let found = problems(&text);
    let lines: Vec<_> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 6, 12], "{found:?}");
    assert!(found.iter().all(|problem| !problem.remedy.is_empty()));
    let shown = read(&text).unwrap_err().to_string();
    assert!(shown.starts_with("/srv/relay/envoi.toml:2: hostname: "), "{shown}");
}

#[test]
fn types_are_told_in_words() {
    assert!(only("port = 2525", "port = \"2525\"").what.contains("a text, not a whole number"));
    assert!(only("tls = \"none\"", "tls = true").what.contains("not a text"));
    assert!(only("tls = \"none\"", "tls = \"opportunist\"").remedy.contains("\"opportunistic\""));
    assert!(only("tls = \"none\"", "tls = \"none\"\nretry_for = 3").what.contains("not a text"));
    assert!(only("tls = \"none\"", "tls = \"none\"\nretry_for = \"3x\"").remedy.contains("15m"));
    assert!(only("[submission]", "[log]\nlevel = 3\n[submission]").what.contains("whole number, not a text"));
    assert!(only("[[delivery.route]]", "[delivery.route]").remedy.contains("[[delivery.route]]"));
}

#[test]
fn an_empty_key_is_no_section() {
    for line in ["\"\" = 1", "[\"\"]\nhostname = \"a.example\""] {
        let fault = only("data_dir = \"data\"", &format!("data_dir = \"data\"\n{line}"));
        assert_eq!((fault.line, fault.key.as_str()), (4, "\"\""), "{fault:?}");
    }
}

#[test]
fn what_a_file_says_moves_no_cursor() {
    for (from, to) in [("data_dir = \"data\"", "data_dir = \"data\"\n\"a\\u001b[2J\\nb\" = 1"), ("127.0.0.1", "a\\nb")]
    {
        let fault = only(from, to);
        let shown = format!("{} {} {}", fault.key, fault.what, fault.remedy);
        assert!(shown.contains("\\n") && !shown.chars().any(char::is_control), "{shown:?}");
    }
}

#[test]
fn missing_keys_are_shown_with_an_example() {
    let fault = only("hostname = \"relay.example.com\"\n", "");
    assert_eq!((fault.line, fault.key.as_str()), (1, "hostname"));
    assert!(fault.remedy.contains("hostname = \"relay.example.com\""));
    assert_eq!(only("host = \"127.0.0.1\"\n", "").line, 9);
    let empty = problems("");
    let keys: Vec<_> = empty.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["hostname", "data_dir", "submission.certificate", "submission.key"]);
}

const ACME: &str = r#"
hostname = "relay.example.com"
data_dir = "/data"
[console]
listen = ["0.0.0.0:443"]
[acme]
terms_agreed = true
"#;

#[test]
fn with_acme_no_certificate_is_named() {
    let (config, findings) = read(ACME).unwrap();
    assert_eq!(findings.problems, []);
    let files: Vec<_> = config.certificate_files().into_iter().map(|files| files.certificate).collect();
    assert_eq!(files, [Path::new("/data/acme/certificate.pem")]);
    let acme = config.acme.unwrap();
    assert_eq!(acme.names, ["relay.example.com"]);
    assert!(acme.directory.contains("letsencrypt.org") && acme.listen.len() == 2);
    let both = ACME.replace("[acme]", "[submission]\ncertificate = \"/c\"\nkey = \"/k\"\n[acme]");
    let files = read(&both).unwrap().0.certificate_files();
    assert_eq!((files.len(), files[1].certificate.as_path()), (2, Path::new("/c")));
}

#[test]
fn what_acme_cannot_do_is_told() {
    let told = |from: &str, to: &str| {
        assert!(ACME.contains(from));
        let found = problems(&ACME.replace(from, to));
        assert_eq!(found.len(), 1, "{to}: {found:?}");
        found[0].key.clone()
    };
    let set = |line: &str| told("terms_agreed = true", &format!("terms_agreed = true\n{line}"));
    assert_eq!(set("directory = \"http://acme.example/directory\""), "acme.directory");
    assert_eq!(set("names = []"), "acme.names");
    assert_eq!(set("names = [\"other.example.com\"]"), "acme.names");
    assert_eq!(set("contact = \"nobody\""), "acme.contact");
    assert_eq!(set("challenge = \"dns-01\""), "acme.challenge");
    assert_eq!(set("listen = []"), "acme.listen");
    assert_eq!(set("listen = [\"0.0.0.0:443\"]"), "acme.listen");
    let local = ACME.replace("0.0.0.0:443", "127.0.0.1:443") + "challenge = \"tls-alpn-01\"";
    assert_eq!(problems(&local)[0].key, "acme.challenge", "nobody outside reaches the console");
    assert!(problems(&(ACME.to_owned() + "challenge = \"tls-alpn-01\"")).is_empty());
    let half = told("[acme]", "[submission]\nkey = \"/k\"\n[acme]");
    assert_eq!(half, "submission.certificate");
    let unread = problems(&GOOD.replace("[[delivery", "[acme]\ncontact = \"a@example.com\"\n[[delivery"));
    assert_eq!((unread.len(), unread[0].key.as_str(), unread[0].warning), (1, "acme.terms_agreed", true));
}

#[test]
fn nobody_is_a_trusted_proxy_unless_named() {
    let (config, _) = read(GOOD).unwrap();
    assert!(config.console_proxies.is_empty() && config.api_proxies.is_empty());
    let named =
        "[console]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1/128\"]\n[api]\ntrusted_proxies = [\"0.0.0.0/0\"]\n";
    let (config, findings) = read(&(GOOD.to_owned() + named)).unwrap();
    assert_eq!((config.console_proxies.len(), config.api_proxies.len()), (2, 1));
    let told: Vec<_> = findings.problems.iter().map(|problem| (problem.key.as_str(), problem.warning)).collect();
    assert_eq!(told, [("api.trusted_proxies", true)], "everybody could claim any address");
}

#[test]
fn people_are_led_to_where_others_reach_the_console() {
    let at = |listen: &str| {
        let (config, _) = read(&format!("{GOOD}[console]\nlisten = {listen}\n")).unwrap();
        config.console_url().unwrap()
    };
    assert_eq!(at(r#"["127.0.0.1:9589", "192.0.2.1:8443"]"#), "https://relay.example.com:8443");
    assert_eq!(at(r#"["127.0.0.1:9589"]"#), "http://127.0.0.1:9589");
    let named = at("[\"127.0.0.1:9589\"]\nurl = \"https://console.example.com\"");
    assert_eq!(named, "https://console.example.com");
}

#[test]
fn a_broken_line_is_told_and_hides_no_other_fault() {
    let found = problems(&GOOD.replace("tls = \"none\"", "tls = none").replace("startt", "start"));
    assert!(found.iter().any(|problem| problem.line == 13 && problem.what.contains("not TOML")), "{found:?}");
    assert!(found.iter().any(|problem| problem.line == 5), "{found:?}");
}

#[test]
fn limits_move_between_floor_and_ceiling_alone() {
    let (config, _) = read(&format!("{GOOD}[limits]\nrecipients_max = 100\n")).unwrap();
    assert_eq!(config.limits.recipients_max, 100);
    assert_eq!(config.limits.messages_max, Limits::default().messages_max);
    let found = problems(&format!("{GOOD}[limits]\nrecipients_max = 0\nmesages_max = 3\n"));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].remedy.contains("from 1 to 1000"), "{found:?}");
    assert!(found[1].remedy.contains("`messages_max`"), "{found:?}");
    let found = problems(&format!("{GOOD}[limits]\nblock_seconds_min = 5000\nblock_seconds_max = 1000\n"));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn listeners_that_collide_are_told() {
    assert!(only("0.0.0.0:465", "127.0.0.1:587").what.contains("0.0.0.0:587 of submission.starttls"));
    assert_eq!(problems(&GOOD.replacen("0.0.0.0:465", "[::]:587", 1)), []);
    assert!(only("port = 2525", "port = 587").what.contains("own submission port"));
    let none = GOOD.replace("\"0.0.0.0:587\"", "").replace("\"0.0.0.0:465\"", "");
    assert!(problems(&none)[0].what.contains("listens nowhere"));
}

#[test]
fn what_is_unwise_is_a_warning() {
    let found = problems(&format!("{GOOD}[[delivery.route]]\ndomain = \"a.example\"\nhost = \"b.example\"\n"));
    assert!(found.len() == 1 && found[0].warning && found[0].what.contains("never reached"), "{found:?}");
    let found = problems(&format!("{GOOD}[http]\nlisten = [\"0.0.0.0:9587\"]\n"));
    assert!(found.len() == 1 && found[0].warning, "{found:?}");
}

/// A route that logs in, in place of that of `GOOD`.
fn logging_in(host: &str, tls: &str, further: &str) -> String {
    let text =
        GOOD.replace("\"127.0.0.1\"", &format!("\"{host}\"")).replace("tls = \"none\"", &format!("tls = \"{tls}\""));
    format!("{text}username = \"customer\"\n{further}\n")
}

#[test]
fn a_route_may_log_in_under_tls() {
    let file = "password_file = \"hop\"\nimplicit_tls = true";
    let (config, findings) = read(&logging_in("hub.example.net", "required", file)).unwrap();
    assert_eq!(findings.problems, []);
    let RouteTable { route, password_file } = &config.delivery.routes[0];
    assert_eq!(password_file.as_deref(), Some(Path::new("/srv/relay/hop")));
    assert!(route.implicit_tls && route.login.as_ref().is_some_and(|login| login.username == "customer"));
    let found = problems(&logging_in("hub.example.net", "encrypted", file));
    assert!(found.len() == 1 && found[0].warning && found[0].what.contains("unchecked"), "{found:?}");
}

#[test]
fn a_login_that_is_half_or_would_be_heard_is_told() {
    let only = |host, tls, further| {
        let found = problems(&logging_in(host, tls, further));
        assert!(found.len() == 1 && !found[0].warning, "{found:?}");
        found[0].key.clone() + ": " + &found[0].what
    };
    assert!(only("hub.example.net", "required", "").starts_with("delivery.route.username: stands alone"));
    let file = "password_file = \"hop\"";
    assert!(only("hub.example.net", "none", file).contains("not sent without TLS"));
    assert!(
        only("hub.example.net", "none", "password_in_clear = true\npassword_file = \"hop\"")
            .contains("this machine alone")
    );
    assert_eq!(problems(&logging_in("127.0.0.1", "none", "password_in_clear = true\npassword_file = \"hop\"")), []);
}

#[test]
fn the_example_is_good_and_so_is_every_line_of_it() {
    let text = example();
    let (_, findings) = read(&text).unwrap();
    assert_eq!(findings.problems, [], "{text}");
    // `#name = value` and `#[[table]]` are settings that are off; `# words` are words
    let on = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
        _ => line.to_owned(),
    };
    // what `[[source]]` says otherwise is refused beside it
    let is_said_once = |line: &&str| !line.starts_with("#source_addresses = ");
    let all_on: String = text.lines().filter(is_said_once).map(|line| on(line) + "\n").collect();
    // an address for the page to unsubscribe is good where something serves that
    let (before, console) = all_on.split_once("[console]").unwrap();
    let console = console.replacen("listen = []", "listen = [\"0.0.0.0:8443\"]", 1);
    let all_on = format!("{before}[console]{console}");
    let (config, findings) = read(&all_on).unwrap_or_else(|findings| panic!("{findings}\n{all_on}"));
    assert_eq!(findings.problems, [], "{all_on}");
    assert_eq!(config.submission.certificates.len(), 2);
    assert_eq!(config.delivery.routes.len(), 1);
    for key in keys::keys() {
        assert!(text.contains(&format!("{} = ", key.name)), "{}", key.name);
        assert!(markdown().contains(&format!("| `{}` |", key.name)), "{}", key.name);
    }
}

#[test]
fn periods_and_sizes_go_both_ways() {
    for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("5d", 432_000)] {
        assert_eq!(parse_span(text), Some(seconds));
        assert_eq!(value::span_text(seconds), text);
    }
    assert_eq!(parse_span("5"), None);
    assert_eq!(parse_span("99999999999999999999d"), None);
    assert_eq!(value::octets_text(20 << 20), "20MB");
}

#[test]
fn files_are_looked_at_beside_every_other_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoi.toml");
    let text = GOOD.replace("relay.example.com", "relay").replace("465", "notaport").replace("2525", "70000");
    std::fs::write(&file, text).unwrap();
    let found = check(&file, Timestamp(0)).problems;
    let keys: Vec<_> = found.iter().filter(|problem| !problem.warning).map(|problem| problem.key.as_str()).collect();
    let all = ["hostname", "submission.tls", "submission.certificate", "submission.key", "delivery.route.port"];
    assert_eq!(keys, all, "{found:?}");
    std::fs::write(&file, "").unwrap();
    assert_eq!(check(&file, Timestamp(0)).problems.len(), 4, "what is missing is told once");
}

#[test]
fn reports_on_tls_have_an_author_once_a_contact_is_named() {
    assert_eq!(read(GOOD).unwrap().0.tls_reports, None);
    let reports = |further: &str| format!("{GOOD}[tls_reports]\ncontact = \"tls@relay.example.com\"\n{further}");
    let (config, findings) = read(&reports("[mail]\nfrom = \"Envoi <envoi@mail.example.com>\"\n")).unwrap();
    assert_eq!(findings.problems, []);
    let author = config.tls_reports.unwrap();
    assert_eq!((author.organization.as_str(), author.submitter.as_str()), ("relay.example.com", "mail.example.com"));
    let found = problems(&reports("organization = \"Example Inc.\"\n"));
    assert!(found.len() == 1 && found[0].warning && found[0].what.contains("by mail get none"), "{found:?}");
    let found = problems(&format!("{GOOD}[tls_reports]\norganization = \"Example Inc.\"\n"));
    assert!(found.len() == 1 && found[0].warning && found[0].what.contains("without a contact"), "{found:?}");
}

#[test]
fn warm_ups_are_read_and_their_faults_told() {
    let source = "[[source]]\nname = \"out1\"\naddresses = [\"192.0.2.25\"]\n";
    let new = "[[source]]\nname = \"out2\"\naddresses = [\"192.0.2.26\"]\nwarm_up = true\n";
    let (config, findings) = read(&format!("{GOOD}{source}{new}")).unwrap();
    assert_eq!(findings.problems, [], "what is warm carries what the new one may not");
    assert_eq!(config.sources.iter().map(|(_, source)| source.warm_up).collect::<Vec<_>>(), [false, true]);
    assert_eq!(config.ladder, Ladder::default(), "the table says what the code does");
    let found = problems(&format!("{GOOD}{new}"));
    assert!(found.len() == 1 && found[0].warning && found[0].what.contains("pool default warm up"), "{found:?}");
    let rungs = |rungs: &str| format!("{GOOD}{source}{new}[warm_up]\nmessages = {rungs}\n");
    assert_eq!(read(&rungs("[10, 20]")).unwrap().0.ladder, Ladder::new(&[10, 20]).unwrap());
    let found = problems(&rungs("[20, 10]"));
    assert!(
        found.len() == 1 && found[0].key == "warm_up.messages" && found[0].what.contains("does not climb"),
        "{found:?}"
    );
}

#[test]
fn sources_and_pools_are_read_and_their_faults_told() {
    let sources = "[[source]]\nname = \"out1\"\naddresses = [\"192.0.2.25\", \"2001:db8::25\"]\nhello = \"out1.example.com\"\n\
                   [[source]]\nname = \"out2\"\naddresses = [\"192.0.2.26\"]\n";
    let pools = "[[pool]]\nname = \"all\"\nsources = [\"out1=3\", \"out2\"]\n[[pool]]\nname = \"bulk\"\nsources = [\"out2\"]\ndomains = [\"News.example.com\"]\naccounts = [7]\nplans = [2, 3]\n";
    let with = |more: &str| format!("{GOOD}{more}");
    let (config, findings) = read(&with(&format!("{sources}{pools}"))).unwrap();
    assert_eq!(findings.problems, []);
    let names: Vec<_> =
        config.sources.iter().map(|(_, source)| (source.name.as_str(), source.hello.as_str())).collect();
    assert_eq!(names, [("out1", "out1.example.com"), ("out2", "relay.example.com")]);
    let weights: Vec<u32> = config.sources.members(Default::default()).iter().map(|(_, weight)| *weight).collect();
    assert_eq!((config.sources.pools().count(), weights), (2, vec![3, 1]));
    assert!(read(GOOD).unwrap().0.sources.is_empty());
    let only_key = |more: &str| {
        let found = problems(&with(more));
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].key.clone(), found[0].what.clone())
    };
    let told = only_key(&format!("{sources}[[pool]]\nname = \"all\"\nsources = [\"out9\"]\n"));
    assert!(told.0 == "pool" && told.1.contains("no source called out9"), "{told:?}");
    let twice =
        only_key(&format!("{sources}{pools}{}", pools.replace("\"all\"", "\"a\"").replace("\"bulk\"", "\"b\"")));
    assert!(twice.0 == "pool" && twice.1.contains("news.example.com"), "{twice:?}");
    let told = only_key(&format!("{sources}{sources}"));
    assert!(told.0 == "source" && told.1.contains("two sources called out1"), "{told:?}");
    assert_eq!(only_key(&sources.replace("2001:db8::25", "192.0.2.27")).0, "source.addresses");
    assert_eq!(only_key(&sources.replace("\"out1\"", "\"Out 1\"")).0, "source.name");
    assert_eq!(only_key(&format!("{sources}[[pool]]\nname = \"p\"\nsources = [\"out1=x\"]\n")).0, "pool.sources");
    let twice = with(sources)
        .replace("[[delivery.route]]", "[delivery]\nsource_addresses = [\"192.0.2.1\"]\n[[delivery.route]]");
    assert_eq!(problems(&twice)[0].key, "delivery.source_addresses");
    let unpublished = "[zone]\nname = \"relay.example.net\"\naddresses = [\"192.0.2.25\", \"2001:db8::25\"]\nlisten = [\"192.0.2.1:53\"]\n";
    let found = problems(&with(&format!("{sources}{unpublished}")));
    assert!(found.len() == 1 && found[0].warning && found[0].what.contains("192.0.2.26"), "{found:?}");
}
