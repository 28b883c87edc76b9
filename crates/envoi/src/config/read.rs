//! From the text of the file to checked values: every fault is found in one go, each with its line.

use std::collections::HashMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{Absent, Key, SECTIONS, Section, keys};
use super::value::{self, Value};
use super::{Problem, nearest};

/// One table of the file with its checked values.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The line of its head; 1 for the top or where it is absent.
    pub(super) line: usize,
    values: HashMap<String, (Value, usize)>,
}

impl Table {
    /// The value of a key, if it is there or has a default.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|(value, _)| value)
    }

    /// Where the key stands, or else its table.
    pub(super) fn line_of(&self, name: &str) -> usize {
        self.values.get(name).map_or(self.line, |(_, line)| if *line == 0 { self.line } else { *line })
    }
}

/// The whole file.
#[derive(Debug)]
pub(super) struct Tree {
    tables: HashMap<&'static str, Vec<Table>>,
}

impl Tree {
    /// The one table of this name (not a repeated one).
    pub(super) fn table(&self, section: &'static str) -> &Table {
        &self.tables[section][0]
    }

    /// Every table of a repeated section.
    pub(super) fn repeated(&self, section: &'static str) -> &[Table] {
        self.tables.get(section).map_or(&[], Vec::as_slice)
    }
}

/// Reads the text. What could not be read is absent from the tree and among the problems.
pub(super) fn read(text: &str) -> (Tree, Vec<Problem>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, keys: keys(), problems: Vec::new(), tables: HashMap::new() };
    let broken = !errors.is_empty();
    for error in errors {
        let line = error.span().map_or(1, |span| reader.line(span.start));
        reader.problems.push(Problem::fault(
            line,
            "",
            format!("not TOML: {}", error.message()),
            "Each line is `key = value`, a `[table]`, or a comment behind #; texts stand in double quotes.",
        ));
    }
    for section in SECTIONS.iter().filter(|section| !section.repeated) {
        reader.tables.insert(section.name, vec![Table { line: 1, values: HashMap::new() }]);
    }
    reader.walk("", root.get_ref(), 0);
    // a missing key after a broken line may well be there
    reader.fill(!broken);
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.line);
    (Tree { tables: reader.tables }, problems)
}

struct Reader<'t> {
    text: &'t str,
    keys: Vec<Key>,
    problems: Vec<Problem>,
    tables: HashMap<&'static str, Vec<Table>>,
}

fn joined(section: &str, name: &str) -> String {
    // TOML lets a key be empty, in quotes
    let name = if name.is_empty() { "\"\"" } else { name };
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

impl Reader<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        1 + before.iter().filter(|octet| **octet == b'\n').count()
    }

    fn walk(&mut self, section: &'static str, table: &DeTable<'_>, place: usize) {
        for (name, value) in table {
            let line = self.line(name.span().start);
            let full = joined(section, name.get_ref());
            if let Some(inner) = SECTIONS.iter().find(|candidate| candidate.name == full) {
                self.enter(inner, value, line);
            } else if let Some(key) =
                self.keys.iter().find(|key| key.section == section && key.name == name.get_ref().as_ref())
            {
                match value::read(&key.kind, value.get_ref()) {
                    Ok(read) => {
                        let into = self.tables.entry(section).or_default();
                        into[place].values.insert(name.get_ref().to_string(), (read, line));
                    }
                    Err(refusal) => {
                        self.problems.push(Problem::fault(line, full, refusal.what, refusal.remedy));
                        // known to be there, so that it is not called missing
                        let into = self.tables.entry(section).or_default();
                        into[place].values.insert(name.get_ref().to_string(), (Value::Text(String::new()), line));
                    }
                }
            } else {
                self.unknown(section, name.get_ref(), line);
            }
        }
    }

    fn enter(&mut self, section: &'static Section, value: &Spanned<DeValue<'_>>, line: usize) {
        let head = if section.repeated { format!("[[{}]]", section.name) } else { format!("[{}]", section.name) };
        let remedy = format!("Write its keys below a line {head}.");
        match (value.get_ref(), section.repeated) {
            (DeValue::Table(table), false) => {
                let line = self.line(value.span().start).max(1);
                if let Some(one) = self.tables.get_mut(section.name).and_then(|list| list.first_mut()) {
                    one.line = line;
                }
                self.walk(section.name, table, 0);
            }
            (DeValue::Array(items), true) => {
                for item in items {
                    let line = self.line(item.span().start);
                    let DeValue::Table(table) = item.get_ref() else {
                        self.problems.push(Problem::fault(line, section.name, "is not a list of tables", &remedy));
                        continue;
                    };
                    let list = self.tables.entry(section.name).or_default();
                    list.push(Table { line, values: HashMap::new() });
                    let place = list.len() - 1;
                    self.walk(section.name, table, place);
                }
            }
            (_, true) => {
                let what = "stands once, in single brackets or as a value";
                self.problems.push(Problem::fault(line, section.name, what, remedy));
            }
            (_, false) => {
                self.problems.push(Problem::fault(line, section.name, "is a table, not a single value", remedy));
            }
        }
    }

    fn unknown(&mut self, section: &'static str, name: &str, line: usize) {
        let here = self.keys.iter().filter(|key| key.section == section).map(|key| key.name.as_ref());
        let below = SECTIONS.iter().filter_map(|inner| {
            let rest =
                if section.is_empty() { inner.name } else { inner.name.strip_prefix(section)?.strip_prefix('.')? };
            (!rest.is_empty() && !rest.contains('.')).then_some(rest)
        });
        let elsewhere = self.keys.iter().find(|key| key.section != section && key.name == name);
        let remedy = match (elsewhere, nearest(name, here.chain(below))) {
            (Some(key), _) if key.section.is_empty() => {
                format!("`{name}` belongs to the top of the file, before the first [table].")
            }
            (Some(key), _) => format!("`{name}` belongs below [{}].", key.section),
            (None, Some(near)) => format!("Did you mean `{near}`?"),
            (None, None) => "Remove it; `envoi config example` shows every key.".to_owned(),
        };
        self.problems.push(Problem::fault(line, joined(section, name), "is no key that is known", remedy));
    }

    fn fill(&mut self, missing_counts: bool) {
        let acme = self.tables.get("acme").and_then(|tables| tables.first()?.value("terms_agreed"));
        let brings_certificate = acme == Some(&Value::Flag(true));
        for key in &self.keys {
            for table in self.tables.entry(key.section).or_default() {
                if table.values.contains_key(key.name.as_ref()) {
                    continue;
                }
                match &key.absent {
                    Absent::RefusedWithoutAcme if brings_certificate => {}
                    Absent::Refused | Absent::RefusedWithoutAcme if missing_counts => {
                        self.problems.push(Problem::fault(
                            table.line,
                            joined(key.section, &key.name),
                            "is missing",
                            format!("Write it{}: {} = {}", place_words(key.section), key.name, key.example),
                        ))
                    }
                    Absent::Refused | Absent::RefusedWithoutAcme | Absent::Nothing(_) => {}
                    Absent::Means(text) => {
                        let default = DeValue::parse(text).ok();
                        let value = default.and_then(|value| value::read(&key.kind, value.get_ref()).ok());
                        if let Some(value) = value {
                            table.values.insert(key.name.to_string(), (value, 0));
                        }
                    }
                }
            }
        }
    }
}

fn place_words(section: &str) -> String {
    if section.is_empty() { " before the first [table]".to_owned() } else { format!(" below [{section}]") }
}
