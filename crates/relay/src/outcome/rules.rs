//! Which class a reply is of: an ordered list of rules, ours and before them the operator's, matched in one pass.

use aho_corasick::AhoCorasick;
use serde::Deserialize;
use smtp::client::Stage;
use smtp::reply::{Enhanced, Reply};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use super::class::{Class, SiteAction};

/// Our rules, as a text.
pub const OURS: &str = include_str!("rules.toml");

/// The octets of a reply's text that are looked at, once its blanks are folded; what comes behind says nothing new.
const LOOKED_AT_OCTETS_MAX: usize = 4096;

/// The rules that one text may have.
const RULES_MAX: usize = 2000;

/// The phrases of one rule.
const PHRASES_MAX: usize = 200;

/// The octets of a phrase.
const PHRASE_OCTETS_MAX: usize = 200;

/// Why a text of rules is not taken. Nothing of it is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// It is no TOML, or has fields that rules do not have; where and what.
    #[error("{0}")]
    Syntax(String),
    /// A rule that cannot be.
    #[error("rule {name:?}: {problem}")]
    Rule {
        /// Its name, or its place in the file where it has none: `number 3`.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// More rules than can be.
    #[error("{0} rules; at most {RULES_MAX} can be")]
    TooMany(usize),
}

/// Rules in their order.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// None where there is no phrase.
    phrases: Option<AhoCorasick>,
    /// How many there are.
    count: usize,
}

#[derive(Debug)]
struct Rule {
    name: String,
    class: Class,
    site: SiteAction,
    codes: Vec<CodePattern>,
    statuses: Vec<StatusPattern>,
    stages: Vec<Stage>,
    /// The numbers of phrases.
    any: Vec<usize>,
    all: Vec<usize>,
}

/// What a reply was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified<'a> {
    /// Its class.
    pub class: Class,
    /// The name of the rule that said so; none where none fits, which is [`Class::Unknown`].
    pub rule: Option<&'a str>,
    /// What the site should do: what its class says, unless the rule says otherwise.
    pub site: SiteAction,
}

/// A rule as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleSummary<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its class.
    pub class: Class,
}

static BUILT_IN: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    // a test of this file reads the text: what it holds is never left out in what ships
    Arc::new(Rules::parse(OURS).unwrap_or(Rules { rules: Vec::new(), phrases: None, count: 0 }))
});

impl Rules {
    /// Our rules alone.
    pub fn ours() -> &'static Arc<Rules> {
        &BUILT_IN
    }

    /// The rules of a text, before ours.
    ///
    /// # Errors
    /// [`RulesError`]: the text is no list of rules; the operator has to put it right.
    pub fn before_ours(text: &str) -> Result<Rules, RulesError> {
        let mut drafts = drafts(text)?;
        drafts.extend(self::drafts(OURS)?);
        Rules::compiled(drafts)
    }

    /// The rules of a text, and no others.
    ///
    /// # Errors
    /// [`RulesError`]: the text is no list of rules.
    pub fn parse(text: &str) -> Result<Rules, RulesError> {
        Rules::compiled(drafts(text)?)
    }

    fn compiled(drafts: Vec<Draft>) -> Result<Rules, RulesError> {
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut needles: Vec<String> = Vec::new();
        let mut number = |phrase: String| {
            *numbers.entry(phrase.clone()).or_insert_with(|| {
                needles.push(phrase);
                needles.len() - 1
            })
        };
        let rules = drafts.into_iter().map(|draft| Rule {
            name: draft.name,
            class: draft.class,
            site: draft.site,
            codes: draft.codes,
            statuses: draft.statuses,
            stages: draft.stages,
            any: draft.any.into_iter().map(&mut number).collect(),
            all: draft.all.into_iter().map(&mut number).collect(),
        });
        let rules = rules.collect();
        let phrases = match needles.len() {
            0 => None,
            _ => Some(AhoCorasick::new(&needles).map_err(|error| RulesError::Syntax(error.to_string()))?),
        };
        Ok(Rules { rules, phrases, count: needles.len() })
    }

    /// The class of a reply that is not positive, and the rule that says so. One pass over its text, of bounded length.
    pub fn classify(&self, stage: Stage, reply: &Reply) -> Classified<'_> {
        let said = self.said(reply);
        let found = self.rules.iter().find(|rule| rule.fits(stage, reply, &said));
        Classified {
            class: found.map_or(Class::Unknown, |rule| rule.class),
            rule: found.map(|rule| rule.name.as_str()),
            site: found.map_or(SiteAction::Nothing, |rule| rule.site),
        }
    }

    /// The rules in their order.
    pub fn summaries(&self) -> impl Iterator<Item = RuleSummary<'_>> {
        self.rules.iter().map(|rule| RuleSummary { name: &rule.name, class: rule.class })
    }

    /// Which phrases a reply has.
    fn said(&self, reply: &Reply) -> Vec<bool> {
        let mut said = vec![false; self.count];
        let Some(phrases) = &self.phrases else { return said };
        let text = folded(reply.lines.iter().map(AsRef::as_ref), LOOKED_AT_OCTETS_MAX);
        for found in phrases.find_overlapping_iter(&text) {
            said[found.pattern().as_usize()] = true;
        }
        said
    }
}

impl Rule {
    fn fits(&self, stage: Stage, reply: &Reply, said: &[bool]) -> bool {
        let has = |phrase: &usize| said.get(*phrase).copied().unwrap_or(false);
        (self.codes.is_empty() || self.codes.iter().any(|code| code.fits(reply.code)))
            && (self.statuses.is_empty() || self.statuses.iter().any(|status| status.fits(reply.enhanced)))
            && (self.stages.is_empty() || self.stages.contains(&stage))
            && (self.any.is_empty() || self.any.iter().any(has))
            && self.all.iter().all(has)
    }
}

/// Small letters and digits; whatever else becomes one blank, as do the ends.
pub(super) fn folded<'t>(lines: impl Iterator<Item = &'t str>, octets_max: usize) -> String {
    let mut text = String::from(" ");
    for line in lines {
        for character in line.chars().flat_map(char::to_lowercase) {
            if text.len() >= octets_max {
                break;
            }
            if character.is_alphanumeric() {
                text.push(character);
            } else if !text.ends_with(' ') {
                text.push(' ');
            }
        }
        if !text.ends_with(' ') {
            text.push(' ');
        }
    }
    text
}

/// Three digits, of which x is any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CodePattern([Option<u16>; 3]);

impl CodePattern {
    fn parse(text: &str) -> Option<CodePattern> {
        let mut digits = [None; 3];
        let mut characters = text.chars();
        for digit in &mut digits {
            *digit = match characters.next()? {
                'x' => None,
                other => Some(u16::try_from(other.to_digit(10)?).ok()?),
            };
        }
        (characters.next().is_none() && !matches!(digits[0], Some(0..=3 | 6..))).then_some(CodePattern(digits))
    }

    fn fits(self, code: u16) -> bool {
        let digits = [code / 100, code / 10 % 10, code % 10];
        self.0.iter().zip(digits).all(|(wanted, digit)| wanted.is_none_or(|wanted| wanted == digit))
    }
}

/// An enhanced status code, of which x is any; or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatusPattern {
    None,
    Some { class: Option<u8>, subject: Option<u16>, detail: Option<(u16, u16)> },
}

impl StatusPattern {
    fn parse(text: &str) -> Option<StatusPattern> {
        if text == "none" {
            return Some(StatusPattern::None);
        }
        let mut parts = text.split('.');
        let class = match parts.next()? {
            "x" => None,
            "4" => Some(4),
            "5" => Some(5),
            _ => return None,
        };
        let subject = match parts.next()? {
            "x" => None,
            number => Some(number.parse().ok()?),
        };
        let detail = match parts.next()? {
            "x" => None,
            range => {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                Some((first, last)).filter(|_| first <= last)?;
                Some((first, last))
            }
        };
        parts.next().is_none().then_some(StatusPattern::Some { class, subject, detail })
    }

    fn fits(self, status: Option<Enhanced>) -> bool {
        match (self, status) {
            (StatusPattern::None, status) => status.is_none(),
            (StatusPattern::Some { .. }, None) => false,
            (StatusPattern::Some { class, subject, detail }, Some(Enhanced(is, of, at))) => {
                class.is_none_or(|class| class == is)
                    && subject.is_none_or(|subject| subject == of)
                    && detail.is_none_or(|(first, last)| (first..=last).contains(&at))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, rename = "rule")]
    rules: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    #[serde(default)]
    name: String,
    #[serde(default)]
    class: String,
    site: Option<SiteAction>,
    #[serde(default)]
    code: Vec<String>,
    #[serde(default)]
    status: Vec<String>,
    #[serde(default)]
    stage: Vec<String>,
    #[serde(default)]
    any: Vec<String>,
    #[serde(default)]
    all: Vec<String>,
}

/// A rule that was read, its phrases not yet numbered.
struct Draft {
    name: String,
    class: Class,
    site: SiteAction,
    codes: Vec<CodePattern>,
    statuses: Vec<StatusPattern>,
    stages: Vec<Stage>,
    any: Vec<String>,
    all: Vec<String>,
}

fn drafts(text: &str) -> Result<Vec<Draft>, RulesError> {
    let written: Written = toml::from_str(text).map_err(|error| RulesError::Syntax(error.to_string()))?;
    if written.rules.len() > RULES_MAX {
        return Err(RulesError::TooMany(written.rules.len()));
    }
    let mut names = HashSet::new();
    let mut drafts = Vec::with_capacity(written.rules.len());
    for (place, rule) in written.rules.into_iter().enumerate() {
        let shown = if rule.name.is_empty() { format!("number {}", place + 1) } else { rule.name.clone() };
        let draft = draft(rule).map_err(|problem| RulesError::Rule { name: shown.clone(), problem })?;
        if !names.insert(draft.name.clone()) {
            return Err(RulesError::Rule { name: shown, problem: "another rule has this name".to_owned() });
        }
        drafts.push(draft);
    }
    Ok(drafts)
}

fn draft(rule: WrittenRule) -> Result<Draft, String> {
    let is_plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || matches!(octet, b'_' | b'-');
    if rule.name.is_empty() || rule.name.len() > 80 || !rule.name.bytes().all(is_plain) {
        return Err("a name is 1 to 80 small letters, digits, _ and -".to_owned());
    }
    if [&rule.code, &rule.status, &rule.stage, &rule.any, &rule.all].iter().all(|list| list.is_empty()) {
        return Err("it has no condition, so it would fit every reply".to_owned());
    }
    if rule.any.len() > PHRASES_MAX || rule.all.len() > PHRASES_MAX {
        return Err(format!("at most {PHRASES_MAX} phrases can stand in any, and in all"));
    }
    let class: Class = rule.class.parse().map_err(|_| format!("there is no class {:?}", rule.class))?;
    let stages = each(&rule.stage, stage, "a stage is greeting, hello, tls, mail, recipient, data or content")?;
    Ok(Draft {
        name: rule.name,
        class,
        site: rule.site.unwrap_or(class.site_action()),
        codes: each(&rule.code, CodePattern::parse, "a code is 4 or 5 and two digits, or x for any: \"5xx\"")?,
        statuses: each(&rule.status, StatusPattern::parse, "a status is like \"5.1.1\", \"x.7.606-649\" or \"none\"")?,
        stages: heard(class, stages)?,
        any: each(&rule.any, needle, "a phrase has letters or digits, and is not too long")?,
        all: each(&rule.all, needle, "a phrase has letters or digits, and is not too long")?,
    })
}

/// Where a recipient was named: what is said before is about us or the sender, whatever its words.
const ABOUT_RECIPIENTS: [Stage; 3] = [Stage::Recipient, Stage::Data, Stage::Content];

/// The stages at which a rule of a class fits that gives these; none: all of them.
fn heard(class: Class, given: Vec<Stage>) -> Result<Vec<Stage>, String> {
    if !class.suppresses() {
        return Ok(given);
    }
    if given.is_empty() {
        return Ok(ABOUT_RECIPIENTS.to_vec());
    }
    match given.iter().all(|stage| ABOUT_RECIPIENTS.contains(stage)) {
        true => Ok(given),
        false => Err(format!("{class} says that the address is bad, which nobody can say before recipient")),
    }
}

fn each<T>(texts: &[String], parse: impl Fn(&str) -> Option<T>, form: &str) -> Result<Vec<T>, String> {
    texts.iter().map(|text| parse(text).ok_or_else(|| format!("{text:?}: {form}"))).collect()
}

fn stage(name: &str) -> Option<Stage> {
    Some(match name {
        "greeting" => Stage::Greeting,
        "hello" => Stage::Hello,
        "tls" => Stage::Tls,
        "mail" => Stage::Mail,
        "recipient" => Stage::Recipient,
        "data" => Stage::Data,
        "content" => Stage::Content,
        _ => return None,
    })
}

/// A phrase as it is looked for: whole words, where it has no `*` at that end.
fn needle(phrase: &str) -> Option<String> {
    if phrase.len() > PHRASE_OCTETS_MAX {
        return None;
    }
    let (inner, goes_on) = phrase.strip_suffix('*').map_or((phrase, false), |inner| (inner, true));
    let (inner, comes_from) = inner.strip_prefix('*').map_or((inner, false), |inner| (inner, true));
    let folded = folded(std::iter::once(inner), usize::MAX);
    let words = folded.trim();
    let (before, after) = (if comes_from { "" } else { " " }, if goes_on { "" } else { " " });
    (!words.is_empty()).then(|| format!("{before}{words}{after}"))
}

#[cfg(test)]
mod tests;
