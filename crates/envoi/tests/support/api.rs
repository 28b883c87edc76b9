//! A client of the API.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use super::{House, Server};

/// An answer of the API.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub fields: BTreeMap<String, String>,
    pub body: Value,
}

impl Reply {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// A client with a key.
pub struct Client<'a> {
    pub server: &'a Server,
    pub key: String,
}

/// A new key, made by the command line.
pub fn key<'a>(house: &House, server: &'a Server, rest: &[&str]) -> Client<'a> {
    let made = house.json(&[&["api-key", "add", "--name"], rest].concat());
    Client { server, key: made["secret"].as_str().unwrap().to_owned() }
}

impl Client<'_> {
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.raw(method, path, &body)
    }

    pub fn raw(&self, method: &str, path: &str, body: &str) -> Reply {
        self.sent(method, path, "application/json", body)
    }

    pub fn sent(&self, method: &str, path: &str, kind: &str, body: &str) -> Reply {
        self.with_fields(method, path, &[("Content-Type", kind)], body)
    }

    pub fn with_fields(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Reply {
        let mut stream = self.begin(method, path, fields, body);
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Reply { status, fields, body: serde_json::from_str(body).unwrap_or(Value::Null) }
    }

    /// Sends a request; its answer is still to be read.
    pub fn begin(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.server.api)).unwrap();
        let key = if self.key.is_empty() { String::new() } else { format!("Authorization: Bearer {}\r\n", self.key) };
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\n{key}{}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            fields.concat(),
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    pub fn get(&self, path: &str) -> Value {
        let reply = self.ask("GET", path, None);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        let reply = self.ask("POST", path, Some(body));
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }
}
