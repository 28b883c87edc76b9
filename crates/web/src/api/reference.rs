//! The reference of the API as a page for people, made from the OpenAPI document once, at the start.

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use relay::language::Language;
use serde_json::Value;

use super::{Api, PREFIX};
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
    name: String,
    slug: String,
    routes: Vec<Route>,
}

struct Schema {
    name: String,
    about: String,
    kind: Kind,
    fields: Vec<Field>,
}

#[derive(Template)]
#[template(path = "api-reference.html")]
struct ReferencePage {
    words: Words,
    language: &'static str,
    styles: String,
    about: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// The page in both languages; what the document itself says is English.
pub(super) struct Pages([(Language, Bytes); 2]);

impl Pages {
    /// From the text of the document.
    pub(super) fn new(document: &str) -> Pages {
        // it is ours, and plain data
        let document: Value = serde_json::from_str(document).unwrap_or_default();
        let page = |language: Language| {
            let page = ReferencePage {
                words: Words::new(language),
                language: language.tag(),
                styles: format!("{PREFIX}/reference.css"),
                about: text(&document["info"]["description"]),
                groups: groups(&document),
                schemas: schemas(&document),
            };
            // writing to a String cannot fail
            (language, Bytes::from(page.render().unwrap_or_default()))
        };
        Pages(Language::ALL.map(page))
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

/// The routes by what they are about, in the order of the document.
fn groups(document: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let name = text(&operation["tags"][0]);
            let place = groups.iter().position(|group| group.name == name).unwrap_or_else(|| {
                let slug = name.to_lowercase().replace(' ', "-");
                groups.push(Group { name, slug, routes: Vec::new() });
                groups.len() - 1
            });
            groups[place].routes.push(route(method, path, operation));
        }
    }
    groups
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

/// Answers with the page, in the language that a browser asks for.
pub(super) async fn page(State(api): State<Api>, headers: HeaderMap) -> Response {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let language = Language::preferred(wanted).unwrap_or_default();
    let page = api.reference.0.iter().find(|(spoken, _)| *spoken == language);
    let page = page.map(|(_, page)| page.clone()).unwrap_or_default();
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

    #[test]
    fn every_route_and_every_schema_stands_on_the_page_and_every_link_leads_somewhere() {
        let document = super::super::document();
        let parsed: Value = serde_json::from_str(&document).unwrap();
        for (_, page) in Pages::new(&document).0 {
            let page = std::str::from_utf8(&page).unwrap();
            for (path, operations) in parsed["paths"].as_object().unwrap() {
                assert!(page.contains(path.as_str()), "{path}");
                for operation in operations.as_object().unwrap().values() {
                    let id = operation["operationId"].as_str().unwrap();
                    assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
                }
            }
            for link in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(page.contains(&format!("id=\"{link}\"")), "{link}");
            }
            assert!(!page.contains("reference-") && !page.contains('`'), "{page}");
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
