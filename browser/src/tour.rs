//! Every page that a member can reach by links, looked at: accessible, in the right language, within the window, small.

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

use crate::Report;
use crate::driver::Driver;
use crate::house::House;
use crate::story::Person;

/// A desk and a phone.
const WINDOWS: [(&str, (u32, u32)); 2] = [("desk", (1280, 900)), ("phone", (390, 844))];
/// Octets of a page as it comes, without the style sheet and script that are kept.
const PAGE_OCTETS_MAX: u64 = 100 * 1024;
/// Pages of one member: more would mean that links lead on for ever.
const PAGES_MAX: usize = 120;
/// Places that are shown of a rule that is broken, and how much of each.
const PLACES_MAX: usize = 3;
const ELEMENT_CHARACTERS: usize = 160;
/// What axe-core is asked for.
const RULES: &str = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }";

/// Looks at every page as each of these people.
pub(crate) async fn all(
    house: &House,
    driver: &Driver,
    people: &[Person],
    (axe, pictures): (&str, &Path),
    report: &mut Report,
) -> Result<()> {
    for person in people {
        driver.forget().await?;
        person.sign_in(house, driver).await?;
        let pages = reached(house, driver).await?;
        report.note(&format!("{}: {} pages are reached", person.name, pages.len()), &[]);
        for path in pages {
            for (window, size) in WINDOWS {
                driver.resize(size).await?;
                driver.open(&format!("{}{path}", house.console())).await?;
                let mut wrong = faults(driver, person.language).await?;
                wrong.extend(inaccessible(driver, axe).await?);
                let file = format!("{}{}-{window}.png", person.name, path.replace(['/', '?', '=', '&'], "-"));
                driver.picture(&pictures.join(file)).await?;
                report.note(&format!("{} {path} on a {window}", person.name), &wrong);
            }
        }
    }
    Ok(())
}

/// Every page that links lead to, from where the member begins. Of rows alike the first is enough.
async fn reached(house: &House, driver: &Driver) -> Result<Vec<String>> {
    let (mut seen, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    let mut waiting = vec!["/".to_owned(), "/profile".to_owned()];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) || !kinds.insert(kind(&path)) {
            continue;
        }
        anyhow::ensure!(found.len() < PAGES_MAX, "links lead on for ever: {path}");
        driver.open(&format!("{}{path}", house.console())).await?;
        let links =
            driver.script("return [...document.querySelectorAll('a[href]')].map(a => a.href)", Vec::new()).await?;
        let links = links.as_array().context("links")?.iter().filter_map(Value::as_str);
        let own = links.filter_map(|link| link.strip_prefix(house.console())).map(|link| link.split('#').next());
        waiting.extend(
            own.flatten()
                .filter(|path| path.starts_with('/') && !path.contains("/export.") && !path.ends_with(".eml"))
                .map(str::to_owned),
        );
        found.push(path);
    }
    found.sort();
    Ok(found)
}

/// A path without what tells one row from another: numbers, names and ids, and the values of a query.
fn kind(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let part = |part: &str| {
        let is_name = part.contains('.') || part.chars().any(|letter| letter.is_ascii_digit() || letter.is_uppercase());
        if is_name { "*".to_owned() } else { part.to_owned() }
    };
    let names: BTreeSet<_> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    format!("{}?{names:?}", path.split('/').map(part).collect::<Vec<_>>().join("/"))
}

/// What is wrong with the page as it stands.
async fn faults(driver: &Driver, language: &str) -> Result<Vec<String>> {
    let told = driver
        .script(
            "const page = performance.getEntriesByType('navigation')[0];\
             const wide = document.documentElement.scrollWidth - window.innerWidth;\
             return { language: document.documentElement.lang, wide, octets: page.decodedBodySize, \
                      status: page.responseStatus, title: document.title, headings: document.querySelectorAll('h1').length, \
                      elsewhere: performance.getEntriesByType('resource').map(r => r.name)\
                          .filter(name => !name.startsWith(location.origin)) }",
            Vec::new(),
        )
        .await?;
    let number = |name: &str| told[name].as_f64().unwrap_or_default();
    let mut wrong = Vec::new();
    if told["language"] != language {
        wrong.push(format!("it speaks {}", told["language"]));
    }
    if number("wide") > 1.0 {
        wrong.push(format!("it is {} points wider than the window", number("wide")));
    }
    if number("octets") > PAGE_OCTETS_MAX as f64 {
        wrong.push(format!("it has {} octets", number("octets")));
    }
    if !(200.0..300.0).contains(&number("status")) {
        wrong.push(format!("it came with {}", number("status")));
    }
    if number("headings") != 1.0 {
        wrong.push(format!("it has {} main headings", number("headings")));
    }
    if told["elsewhere"].as_array().is_some_and(|names| !names.is_empty()) {
        wrong.push(format!("it takes something from elsewhere: {}", told["elsewhere"]));
    }
    Ok(wrong)
}

/// What axe-core finds.
async fn inaccessible(driver: &Driver, axe: &str) -> Result<Vec<String>> {
    driver.script(axe, Vec::new()).await?;
    let script =
        format!("const done = arguments[arguments.length - 1]; axe.run({RULES}).then(found => done(found.violations))");
    let violations = driver.script_later(&script).await?;
    let violations = violations.as_array().context("axe-core said nothing")?;
    Ok(violations.iter().flat_map(told).collect())
}

/// A rule that is broken, and a line each of the first places where.
fn told(violation: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = violation["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines = vec![format!("{} ({}), {} times:", text(&violation["help"]), text(&violation["id"]), nodes.len())];
    for node in nodes.iter().take(PLACES_MAX) {
        let element: String = text(&node["html"]).split_whitespace().collect::<Vec<_>>().join(" ");
        lines.push(format!("  {}", element.chars().take(ELEMENT_CHARACTERS).collect::<String>()));
        let why = text(&node["failureSummary"]);
        lines.extend(why.lines().skip(1).map(|line| format!("    {}", line.trim())));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::told;
    use serde_json::json;

    #[test]
    fn a_broken_rule_is_told_line_by_line() {
        let node = json!({
            "html": "<p\n   class=\"hint\">", "failureSummary": "Fix any of the following:\n  Too little contrast\n  Too thin",
        });
        let violation =
            json!({ "id": "color-contrast", "help": "Text must stand out", "nodes": [node, node, node, node] });
        let lines = told(&violation);
        assert_eq!(lines[0], "Text must stand out (color-contrast), 4 times:");
        assert_eq!(lines[1..4], ["  <p class=\"hint\">", "    Too little contrast", "    Too thin"]);
        assert_eq!(lines.len(), 10, "of four places three are shown");
    }
}
