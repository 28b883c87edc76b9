//! What the console says: the same in both languages, nothing missing, nothing left over, no text within templates.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

/// Messages that read the same in both languages, and are right so.
const SAME: &[&str] = &[
    "actions",
    "activity-took-milliseconds",
    "audit-kind-message",
    "audit-kind-site",
    "audit-kind-source",
    "audit-kind-webhook",
    "audit-word-ed25519",
    "audit-word-rsa2048",
    "check-name-configuration",
    "code",
    "connect-port",
    "letter-signature",
    "limits-messages",
    "reference-kind",
    "reference-tag-messages",
    "reference-tag-webhooks",
    "listing-pages",
    "menu",
    "menu-webhooks",
    "octets",
    "quota",
    "record-form",
    "sites-site",
    "sites-title",
    "sources-source",
    "sources-title",
    "timeline-attempt-how",
    "tls-policy-sts",
    "tls-policy-tlsa",
    "tls-report-counted",
    "unit-conversations",
    "unit-messages",
    "unit-octets",
    "unit-sessions",
    "unit-webhooks",
];

/// Words that stand in templates in any language: names.
const NAMES: &[&str] = &["Envoi", "English", "Français"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|ending| ending == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A message: what it is made of, and the names of what is put in.
#[derive(Default)]
struct Message {
    text: String,
    variables: BTreeSet<String>,
}

impl Message {
    fn read(&mut self, pattern: &Pattern<&str>) {
        for element in &pattern.elements {
            match element {
                PatternElement::TextElement { value } => self.text.push_str(value),
                PatternElement::Placeable { expression } => self.expression(expression),
            }
        }
    }

    fn expression(&mut self, expression: &Expression<&str>) {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                self.inline(selector);
                variants.iter().for_each(|variant| self.read(&variant.value));
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                self.variables.insert(id.name.to_owned());
            }
            InlineExpression::StringLiteral { value } => self.text.push_str(value),
            other => panic!("{other:?} is not used here"),
        }
    }
}

/// What the relay says in English itself, and the console in French alone.
const FAULTS: &str = "faults.ftl";
const CHECKS: &str = "checks.ftl";

/// What the console says in a language, but for what the relay says itself.
fn messages(language: &str) -> BTreeMap<String, Message> {
    let files = files(&root().join("words").join(language), "ftl");
    messages_of(files.into_iter().filter(|path| !path.ends_with(FAULTS) && !path.ends_with(CHECKS)), language)
}

fn messages_of(files: impl IntoIterator<Item = PathBuf>, language: &str) -> BTreeMap<String, Message> {
    let mut messages = BTreeMap::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let resource = fluent_syntax::parser::parse(text.as_str()).unwrap_or_else(|(_, errors)| {
            panic!("{}: {errors:?}", path.display());
        });
        for entry in &resource.body {
            if let Entry::Message(message) = entry {
                let mut read = Message::default();
                read.read(message.value.as_ref().unwrap());
                let name = message.id.name.to_owned();
                assert!(messages.insert(name.clone(), read).is_none(), "{name} stands twice in {language}");
            }
        }
    }
    messages
}

#[test]
fn both_languages_say_the_same_things() {
    let (english, french) = (messages("en"), messages("fr"));
    let names = |messages: &BTreeMap<String, Message>| messages.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&english), names(&french));
    for (name, message) in &english {
        let twin = &french[name];
        assert_eq!(message.variables, twin.variables, "{name} has other things put in");
        let same = message.text == twin.text && message.text.chars().any(char::is_alphabetic);
        assert_eq!(same, SAME.contains(&name.as_str()), "{name}: {:?} in both languages", message.text);
    }
}

#[test]
fn no_line_of_french_begins_with_a_sign_that_belongs_to_the_one_before() {
    let files = files(&root().join("words/fr"), "ftl");
    for (name, Message { text, .. }) in messages_of(files, "fr") {
        for sign in [" ?", " :", " ;", " !", " »", "« "] {
            assert!(!text.contains(sign), "{name}: a blank that does not break belongs into {sign:?}: {text}");
        }
    }
}

#[test]
fn no_reason_names_a_port_or_a_size_that_may_be_configured() {
    for language in ["en", "fr"] {
        for (name, Message { text, .. }) in
            messages_of([root().join("words").join(language).join("reasons.ftl")], language)
        {
            for number in ["587", "465", " MB", "\u{a0}Mo"] {
                assert!(!text.contains(number), "{name} in {language}: {text}");
            }
        }
    }
}

/// Every text between double quotes, and what stands between such texts, which does no harm.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1)
}

#[test]
fn every_message_is_there_and_every_one_is_said() {
    let known: BTreeSet<_> = messages("en").into_keys().collect();
    // what a message's name begins or ends with, where the rest is a state
    let (mut said, mut parts) = (BTreeSet::new(), Vec::new());
    let sources = files(&root().join("templates"), "html").into_iter().chain(files(&root().join("src"), "rs"));
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        for call in ["t(\"", "with(\"", "filled(\"", "count(\""] {
            for (at, _) in text.match_indices(call) {
                if text[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
                    continue;
                }
                let name = text[at + call.len()..].split('"').next().unwrap();
                assert!(known.contains(name), "{}: {name} is said nowhere", path.display());
            }
        }
        said.extend(literals(&text).map(str::to_owned));
        for literal in literals(&text) {
            if let Some((beginning, _)) = literal.split_once("-{") {
                parts.push((format!("{beginning}-"), String::new()));
            } else if let Some((_, ending)) = literal.split_once("}-") {
                parts.push((String::new(), format!("-{ending}")));
            }
        }
    }
    let built = |name: &str| parts.iter().any(|(begins, ends)| name.starts_with(begins) && name.ends_with(ends));
    let idle: Vec<_> = known.iter().filter(|name| !said.contains(*name) && !built(name)).collect();
    assert!(idle.is_empty(), "said by nobody: {idle:?}");
}

/// A template without what Askama and HTML make of it.
fn bare(template: &str) -> String {
    let mut text = template.to_owned();
    for (open, close) in
        [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<svg", "</svg>"), ("<script", "</script>"), ("<", ">")]
    {
        while let Some(begin) = text.find(open) {
            let Some(end) = text[begin..].find(close) else { break };
            text.replace_range(begin..begin + end + close.len(), " ");
        }
    }
    text
}

#[test]
fn no_text_stands_in_a_template() {
    for path in files(&root().join("templates"), "html") {
        let template = fs::read_to_string(&path).unwrap();
        let mut text = bare(&template);
        for name in NAMES {
            text = text.replace(name, "");
        }
        text = text.replace("&amp;", "").replace("&nbsp;", "");
        let words: Vec<_> = text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).collect();
        assert!(words.is_empty(), "{}: {words:?}", path.display());
        for attribute in ["aria-label=\"", "placeholder=\"", "title=\"", "alt=\"", "data-label=\""] {
            for (at, _) in template.match_indices(attribute) {
                let value = &template[at + attribute.len()..];
                assert!(value.starts_with(['{', '"']), "{}: {attribute}{:.20}", path.display(), value);
            }
        }
    }
}

/// The sources where lines of the audit log are written.
const AUDITED: &[&str] = &["store/src", "relay/src/service", "envoi/src/execute", "envoi/src/doctor"];

/// Of what a line of the audit log can be.
const AREAS: &[&str] = &[
    "account",
    "api_key",
    "block",
    "brake",
    "certificate",
    "domain",
    "member",
    "plan",
    "queue",
    "repair",
    "site",
    "smtp_user",
    "source",
    "suppression",
    "test_inbox",
    "webhook",
];

fn is_action(literal: &str) -> bool {
    let Some((area, verb)) = literal.split_once('.') else { return false };
    let is_verb = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    AREAS.contains(&area) && !verb.is_empty() && verb.chars().all(is_verb)
}

#[test]
fn every_action_of_the_audit_log_has_words() {
    let mut actions: BTreeSet<String> = BTreeSet::from(["backup".to_owned()]);
    for folder in AUDITED {
        for path in files(&root().join("..").join(folder), "rs") {
            let text = fs::read_to_string(&path).unwrap();
            actions.extend(literals(&text).filter(|literal| is_action(literal)).map(str::to_owned));
        }
    }
    // these end in a role
    for role in relay::power::Role::ALL {
        actions.insert(format!("member.role_{}", relay::service::view::word(&role)));
    }
    let name = |action: &String| format!("action-{}", action.replace(['.', '_'], "-"));
    let wanted: BTreeSet<_> = actions.iter().map(name).collect();
    for language in ["en", "fr"] {
        let there: BTreeSet<_> = messages(language).into_keys().filter(|name| name.starts_with("action-")).collect();
        assert_eq!(wanted, there, "{language}");
    }
}

/// The faults that a source names, and what each puts into its words.
fn faults(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let calls = ["named(\"", "of_store(error, \""];
    let ends = calls.iter().flat_map(|call| text.match_indices(call).map(|(at, call)| at + call.len()));
    let named = |rest: &str| {
        let (code, rest) = rest.split_once('"')?;
        let (values, _) = rest.strip_prefix(", &[")?.split_once(']')?;
        let value = |part: &str| part.split('"').next().map(str::to_owned);
        Some((code.to_owned(), values.split("(\"").skip(1).filter_map(value).collect()))
    };
    ends.filter_map(|at| named(&text[at..])).collect()
}

#[test]
fn every_fault_that_has_a_name_has_words_in_french() {
    let there = messages_of([root().join("words/fr").join(FAULTS)], "fr");
    let mut named = BTreeSet::new();
    for folder in ["relay/src/service", "envoi/src/execute"] {
        let mut paths = files(&root().join("..").join(folder), "rs");
        paths.push(root().join("..").join(format!("{folder}.rs")));
        for path in paths {
            for (code, values) in faults(&fs::read_to_string(&path).unwrap()) {
                let message = there.get(&format!("fault-{code}"));
                let message = message.unwrap_or_else(|| panic!("{}: {code} has no words", path.display()));
                assert!(message.variables.is_subset(&values), "{code} is given {values:?} alone");
                named.insert(format!("fault-{code}"));
            }
        }
    }
    let idle: Vec<_> = there.keys().filter(|name| !named.contains(*name)).collect();
    assert!(idle.is_empty(), "said by nobody: {idle:?}");
    assert!(named.len() > 60, "the sources are read rightly");
}

/// What the checks of a source find by name, and what each puts into its words.
fn findings(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let name = |part: &str| part.trim().rsplit([' ', ',', '\n']).next().map(str::to_owned);
    let found = |(at, _): (usize, &str)| {
        let call = text[at..].split_once(';')?.0;
        let mut parts = literals(call);
        let code = parts.next().filter(|_| call.starts_with("said!("))?;
        let rest = call.split_once(code)?.1.splitn(4, '"').nth(3).unwrap_or_default();
        Some((code.to_owned(), rest.split(" = ").filter_map(name).collect()))
    };
    text.match_indices("said!(").filter_map(found).collect()
}

#[test]
fn everything_that_a_check_finds_by_name_has_words_in_french() {
    let there = messages_of([root().join("words/fr").join(CHECKS)], "fr");
    let mut named = BTreeSet::new();
    for path in files(&root().join("../envoi/src/doctor"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        // one finding in three states
        for code in literals(&text).filter(|literal| literal.starts_with("disk-")) {
            named.insert(code.to_owned());
        }
        for (code, values) in findings(&text) {
            let message = there.get(&format!("found-{code}"));
            let message = message.unwrap_or_else(|| panic!("{}: {code} has no words", path.display()));
            assert!(message.variables.is_subset(&values), "{code} is given {values:?} alone");
            named.insert(code);
        }
    }
    let is_said = |message: &&String| message.split_once('-').is_some_and(|(_, code)| named.contains(code));
    let idle: Vec<_> = there.keys().filter(|message| !is_said(message)).collect();
    assert!(idle.is_empty(), "said by nobody: {idle:?}");
    assert!(named.len() > 30, "the sources are read rightly");
}

#[test]
fn every_limit_has_words() {
    let known: BTreeSet<_> = messages("en").into_keys().collect();
    for limit in relay::limits::TABLE {
        for name in
            [format!("limit-{}", limit.name.replace('_', "-")), format!("unit-{}", limit.unit.replace(' ', "-"))]
        {
            assert!(known.contains(&name), "{name}");
        }
    }
}
