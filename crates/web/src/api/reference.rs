//! The reference of the API as pages for people, made from the OpenAPI document once, at the start: a table of contents, and a
//! page for each thing that the API is about, with the objects that are met there first.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use relay::language::Language;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::{Api, PREFIX, nowhere};
use crate::console::words::Words;

/// Its styles and nothing else, in no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";
const STYLES: &str = include_str!("../../assets/reference.css");

/// What a value is, with the schema that says more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kind {
    /// In front of the schema's name, or all there is to say.
    text: String,
    schema: Option<String>,
    /// Behind it.
    more: String,
}

/// A parameter, or a field of an object.
#[derive(Clone)]
struct Field {
    name: String,
    /// `path` or `query`; empty for a field.
    place: String,
    kind: Kind,
    required: bool,
    about: String,
}

struct Route {
    id: String,
    method: String,
    path: String,
    summary: String,
    more: String,
    parameters: Vec<Field>,
    body: Option<Kind>,
    answer: Option<Kind>,
    example: String,
}

struct Group {
    /// Its tag; empty for the objects that no route names.
    tag: String,
    slug: String,
    routes: Vec<Route>,
    schemas: Vec<Schema>,
}

impl Group {
    /// What people call it.
    fn name(&self, words: &Words) -> String {
        match self.slug.as_str() {
            OBJECTS => words.t("reference-objects"),
            slug => words.t(&format!("reference-tag-{slug}")),
        }
    }
}

/// The page of those objects.
const OBJECTS: &str = "objects";

/// On which page each schema stands, by their names.
#[derive(Default)]
struct Homes(BTreeMap<String, String>);

impl Homes {
    /// Where a schema is told.
    fn place(&self, schema: &str) -> String {
        place(self.0.get(schema).map_or(OBJECTS, String::as_str), schema)
    }
}

/// Where something stands on the page of a group.
fn place(slug: &str, id: &str) -> String {
    format!("{PREFIX}/reference/{slug}#{id}")
}

#[derive(Clone)]
struct Schema {
    name: String,
    about: String,
    kind: Kind,
    fields: Vec<Field>,
}

#[derive(Template)]
#[template(path = "api-reference.html")]
struct ReferencePage<'a> {
    words: Words,
    language: &'static str,
    /// The path that all begin with.
    prefix: &'static str,
    /// Where the console is.
    console: Option<&'a str>,
    groups: &'a [Group],
    homes: &'a Homes,
    /// The one that is told; none: the table of contents.
    group: Option<&'a Group>,
}

/// Every page in both languages, by language and slug, which is empty for the table of contents; what the document itself says of
/// operations and fields is English.
pub(super) struct Pages(BTreeMap<(&'static str, String), Bytes>);

impl Pages {
    /// From the text of the document.
    pub(super) fn new(document: &str, console: Option<&str>) -> Pages {
        // it is ours, and plain data
        let document: Value = serde_json::from_str(document).unwrap_or_default();
        let (groups, homes) = groups(&document);
        let mut pages = BTreeMap::new();
        for language in Language::ALL {
            let language_tag = language.tag();
            for group in groups.iter().map(Some).chain([None]) {
                let page = ReferencePage {
                    words: Words::new(language),
                    language: language_tag,
                    prefix: PREFIX,
                    console,
                    groups: &groups,
                    homes: &homes,
                    group,
                };
                let slug = group.map(|group| group.slug.clone()).unwrap_or_default();
                // writing to a String cannot fail
                pages.insert((language_tag, slug), Bytes::from(page.render().unwrap_or_default()));
            }
        }
        Pages(pages)
    }

    /// The page of a group in a language.
    fn of(&self, language: Language, slug: &str) -> Option<Bytes> {
        self.0.get(&(language.tag(), slug.to_owned())).cloned()
    }
}

/// A text of the document; what stands between backquotes there needs none on a page.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('`', "")
}

fn plain(text: impl Into<String>) -> Kind {
    Kind { text: text.into(), ..Kind::default() }
}

/// What a schema takes, in a few words.
fn kind(schema: &Value) -> Kind {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
        return Kind { schema: Some(name), ..Kind::default() };
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().map(|word| word.to_string()).collect();
        return plain(words.join(", "));
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[several].as_array() {
            let is_null = |one: &&Value| one["type"] == "null";
            let mut found = all.iter().find(|one| !is_null(one)).map(kind).unwrap_or_default();
            if all.iter().any(|one| is_null(&one)) {
                found.more += " or null";
            }
            return found;
        }
    }
    let names: Vec<_> = match &schema["type"] {
        Value::Array(names) => names.iter().map(text).collect(),
        name => vec![text(name)],
    };
    let mut found = match names.first().map(String::as_str) {
        Some("array") if schema["items"].is_object() => {
            let of = kind(&schema["items"]);
            Kind { text: format!("list of {}", of.text), ..of }
        }
        Some("object") if schema["additionalProperties"].is_object() => {
            let of = kind(&schema["additionalProperties"]);
            Kind { text: format!("object of {}", of.text), ..of }
        }
        Some(name) => plain(name),
        None => plain("any"),
    };
    if names.iter().any(|name| name == "null") {
        found.more += " or null";
    }
    if let (Some(least), Some(most)) = (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
        found.more += &format!(", {least} to {most}");
    }
    found
}

fn parameter(given: &Value) -> Field {
    Field {
        name: text(&given["name"]),
        place: text(&given["in"]),
        kind: kind(&given["schema"]),
        required: given["required"] == true,
        about: text(&given["description"]),
    }
}

fn fields(schema: &Value) -> Vec<Field> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let field = |(name, field): (&String, &Value)| Field {
        name: name.clone(),
        place: String::new(),
        kind: kind(field),
        required: required.iter().any(|one| one == name),
        about: text(&field["description"]),
    };
    schema["properties"].as_object().into_iter().flatten().map(field).collect()
}

/// The schema of the first content of a request or an answer; where that is no JSON, its media type.
fn content(of: &Value) -> Option<Kind> {
    let (media, content) = of["content"].as_object()?.iter().next()?;
    Some(if media == "application/json" { kind(&content["schema"]) } else { plain(media) })
}

/// The request as it is typed.
fn example(method: &str, path: &str, body: Option<&Kind>) -> String {
    let method_option = if method == "GET" { String::new() } else { format!(" -X {method}") };
    let body = if body.is_some() { " \\\n  --json '{…}'" } else { "" };
    format!("curl{method_option} -H \"Authorization: Bearer $KEY\"{body} \\\n  https://…{path}")
}

fn route(method: &str, path: &str, operation: &Value) -> Route {
    let method = method.to_uppercase();
    let body = content(&operation["requestBody"]);
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    Route {
        id: text(&operation["operationId"]),
        summary: text(&operation["summary"]),
        more: text(&operation["description"]),
        parameters: parameters.map(parameter).collect(),
        answer: content(&operation["responses"]["200"]),
        example: example(&method, path, body.as_ref()),
        body,
        path: path.to_owned(),
        method,
    }
}

/// The routes by what they are about, in the order of the document, each with the schemas that are met there first; and where
/// each schema stands.
fn groups(document: &Value) -> (Vec<Group>, Homes) {
    let mut groups: Vec<Group> = Vec::new();
    let mut homes = Homes::default();
    let all = &document["components"]["schemas"];
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let tag = text(&operation["tags"][0]);
            let place = groups.iter().position(|group| group.tag == tag).unwrap_or_else(|| {
                let slug = tag.to_lowercase().replace(' ', "-");
                groups.push(Group { tag, slug, routes: Vec::new(), schemas: Vec::new() });
                groups.len() - 1
            });
            groups[place].routes.push(route(method, path, operation));
            let asked = [&operation["parameters"], &operation["requestBody"], &operation["responses"]["200"]];
            for name in asked.into_iter().flat_map(|part| named(part, all)) {
                homes.0.entry(name).or_insert_with(|| groups[place].slug.clone());
            }
        }
    }
    // what is told of every route alike
    groups.push(Group { tag: String::new(), slug: OBJECTS.to_owned(), routes: Vec::new(), schemas: Vec::new() });
    for schema in schemas(document) {
        let home = homes.0.entry(schema.name.clone()).or_insert_with(|| OBJECTS.to_owned());
        groups
            .iter_mut()
            .filter(|group| group.slug == *home)
            .take(1)
            .for_each(|group| group.schemas.push(schema.clone()));
    }
    (groups, homes)
}

/// The schemas that a part of the document names, and those that they name.
fn named(part: &Value, schemas: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![part];
    while let Some(value) = waiting.pop() {
        if let Some(name) = value["$ref"].as_str().and_then(|path| path.rsplit('/').next())
            && found.insert(name.to_owned())
        {
            waiting.push(&schemas[name]);
        }
        match value {
            Value::Object(fields) => waiting.extend(fields.values()),
            Value::Array(all) => waiting.extend(all),
            _ => {}
        }
    }
    found
}

fn schemas(document: &Value) -> Vec<Schema> {
    let schema = |(name, schema): (&String, &Value)| Schema {
        name: name.clone(),
        about: text(&schema["description"]),
        kind: kind(schema),
        fields: fields(schema),
    };
    document["components"]["schemas"].as_object().into_iter().flatten().map(schema).collect()
}

/// Answers with the table of contents, in the language that a browser asks for.
pub(super) async fn contents(State(api): State<Api>, headers: HeaderMap) -> Response {
    answer(&api, &headers, "").await
}

/// Answers with the page of a group.
pub(super) async fn page(State(api): State<Api>, Path(group): Path<String>, headers: HeaderMap) -> Response {
    answer(&api, &headers, &group).await
}

async fn answer(api: &Api, headers: &HeaderMap, slug: &str) -> Response {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let language = Language::preferred(wanted).unwrap_or_default();
    let Some(page) = api.reference.of(language, slug) else { return nowhere().await.into_response() };
    let fields = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept-language"),
    ];
    (fields, page).into_response()
}

/// Answers with its styles.
pub(super) async fn styles() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLES).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Octets that a page may have.
    const OCTETS_MAX: usize = 100_000;

    fn ids(page: &str) -> BTreeSet<&str> {
        page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
    }

    #[test]
    fn every_route_and_every_schema_stands_on_a_page_and_every_link_leads_somewhere() {
        let document = super::super::document();
        let parsed: Value = serde_json::from_str(&document).unwrap();
        let pages = Pages::new(&document, Some("https://relay.example.com"));
        for language in Language::ALL {
            let of = |slug: &str| {
                let page = pages.of(language, slug).unwrap_or_else(|| panic!("there is no page {slug}"));
                String::from_utf8(page.to_vec()).unwrap()
            };
            let contents = of("");
            assert!(contents.contains("href=\"https://relay.example.com\""));
            let mut told = BTreeMap::new();
            for (_, slug) in pages.0.keys().filter(|(tag, _)| *tag == language.tag()) {
                let page = of(slug);
                assert!(page.len() < OCTETS_MAX, "{slug} has {} octets", page.len());
                assert!(!page.contains("reference-") && !page.contains('`'), "{page}");
                for link in page.split("href=\"/api/v1/reference").skip(1) {
                    let link = link.split('"').next().unwrap().trim_start_matches('/');
                    if link == ".css" {
                        continue;
                    }
                    let (slug, anchor) = link.split_once('#').unwrap_or((link, ""));
                    assert!(anchor.is_empty() || ids(&of(slug)).contains(anchor), "{link}");
                }
                if !slug.is_empty() {
                    told.extend(ids(&page).into_iter().map(|id| (id.to_owned(), slug.clone())));
                }
            }
            // each has one place, and the anchors of the one page that there was lead on from the table of contents
            let mut wanted: Vec<&str> =
                parsed["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
            for (path, operations) in parsed["paths"].as_object().unwrap() {
                for operation in operations.as_object().unwrap().values() {
                    let id = operation["operationId"].as_str().unwrap();
                    assert!(of(&told[id]).contains(path.as_str()), "{path}");
                    wanted.push(id);
                }
            }
            for id in wanted {
                let home = told.get(id).unwrap_or_else(|| panic!("{id} is told nowhere"));
                assert!(ids(&contents).contains(id) && contents.contains(&format!("/{home}#{id}\"")), "{id}");
            }
        }
    }

    #[test]
    fn kinds_are_told_in_words() {
        let told = |schema: Value| {
            let Kind { text, schema, more } = kind(&schema);
            format!("{text}{}{more}", schema.unwrap_or_default())
        };
        assert_eq!(told(json!({"type": ["string", "null"]})), "string or null");
        assert_eq!(told(json!({"type": "array", "items": {"$ref": "#/components/schemas/A"}})), "list of A");
        assert_eq!(told(json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/A"}]})), "A or null");
        assert_eq!(told(json!({"type": "integer", "minimum": 1, "maximum": 1000})), "integer, 1 to 1000");
        assert_eq!(told(json!({"enum": ["a", "b"]})), "\"a\", \"b\"");
        assert_eq!(told(json!({"type": "object", "additionalProperties": {"type": "integer"}})), "object of integer");
    }
}
