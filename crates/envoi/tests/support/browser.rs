//! A browser as the console sees it: cookies, forms with what their page put into them, an address of its own.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use tokio::net::TcpSocket;

use super::{House, Server};
use relay::power::Role;
use relay::service::view::word;
use serde_json::Value;

/// The password of every member.
pub const PASSWORD: &str = "four words nobody knows";

/// A relay whose mail waits, and its process.
pub fn world() -> (House, Server) {
    // nothing listens there: what is sent waits
    let house = House::new(1);
    let server = house.serve();
    (house, server)
}

/// Adds a member by the command line; what it tells.
pub fn add(house: &House, account: Option<&str>, email: &str, role: Role) -> Value {
    let role = word(&role).replace('_', "-");
    let mut line = vec!["member", "add", email, "--name", "Somebody"];
    if let Some(account) = account {
        line.extend(["--account", account, "--role", &role]);
    }
    house.json(&line)
}

/// A browser of a new member, signed in.
pub fn member(house: &House, server: &Server, account: Option<&str>, email: &str, role: Role) -> Browser {
    let made = add(house, account, email, role);
    let mut browser = Browser::new(server.console);
    let fields = [("token", made["token"].as_str().unwrap()), ("password", PASSWORD)];
    let shown = browser.send("/choose-password", &fields);
    assert_eq!(shown.status, 303, "{email}: {}", shown.body);
    assert!(browser.is_signed_in());
    browser
}

/// An answer.
pub struct Shown {
    pub status: u16,
    pub location: String,
    /// Content-Security-Policy.
    pub policy: String,
    pub body: String,
    /// Status line and fields.
    pub head: String,
}

/// One browser.
pub struct Browser {
    port: u16,
    from: IpAddr,
    cookies: BTreeMap<String, String>,
    /// Further fields of every request, as a proxy adds them.
    via: String,
}

impl Browser {
    pub fn new(port: u16) -> Browser {
        Browser { port, from: Ipv4Addr::LOCALHOST.into(), cookies: BTreeMap::new(), via: String::new() }
    }

    /// One at another address of loopback.
    pub fn from(port: u16, last: u8) -> Browser {
        Browser { from: Ipv4Addr::new(127, 0, 0, last).into(), ..Browser::new(port) }
    }

    /// The same with further fields in every request, as a proxy adds them.
    pub fn told(self, fields: &str) -> Browser {
        Browser { via: fields.to_owned(), ..self }
    }

    pub fn get(&mut self, path: &str) -> Shown {
        self.ask("GET", path, "", "")
    }

    /// Sends a form as our page would, without the field that shows which page it was.
    pub fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let origin = format!("Origin: http://127.0.0.1:{}\r\n", self.port);
        self.ask("POST", path, &origin, &encoded(fields))
    }

    /// Sends a form as our page does for somebody who is signed in.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let csrf = self.csrf();
        self.send(path, &[&[("csrf", csrf.as_str())], fields].concat())
    }

    /// Sends a form as a page of another site makes a browser do.
    pub fn send_from_elsewhere(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        self.ask("POST", path, "Origin: https://elsewhere.example\r\n", &encoded(fields))
    }

    /// What the forms of this sign-in carry.
    pub fn csrf(&mut self) -> String {
        field(&self.get("/profile").body, "csrf")
    }

    pub fn is_signed_in(&mut self) -> bool {
        self.get("/profile").status == 200
    }

    fn stream(&self) -> TcpStream {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::new(self.from, 0)).unwrap();
            socket.connect((Ipv4Addr::LOCALHOST, self.port).into()).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        stream
    }

    fn request(&self, method: &str, path: &str, fields: &str, body: &str) -> String {
        let (port, via, octets) = (self.port, &self.via, body.len());
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie = cookies.join("; ");
        format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\nUser-Agent: Trial\r\n{via}{fields}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {octets}\r\n\
             Connection: close\r\n\r\n{body}"
        )
    }

    /// Sends a form but for its last octet.
    pub fn hold(&mut self, path: &str) -> Held {
        let body = encoded(&[("csrf", self.csrf().as_str())]);
        let origin = format!("Origin: http://127.0.0.1:{}\r\n", self.port);
        let request = self.request("POST", path, &origin, &body);
        let (most, last) = request.split_at(request.len() - 1);
        let mut stream = self.stream();
        stream.write_all(most.as_bytes()).unwrap();
        Held { stream, last: last.to_owned() }
    }

    fn ask(&mut self, method: &str, path: &str, fields: &str, body: &str) -> Shown {
        let mut stream = self.stream();
        stream.write_all(self.request(method, path, fields, body).as_bytes()).unwrap();
        self.shown(stream)
    }

    fn shown(&mut self, mut stream: TcpStream) -> Shown {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let (mut location, mut policy) = (String::new(), String::new());
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            match name {
                "location" => value.clone_into(&mut location),
                "content-security-policy" => value.clone_into(&mut policy),
                "set-cookie" => {
                    let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
                _ => {}
            }
        }
        Shown { status, location, policy, body: body.to_owned(), head: head.to_owned() }
    }
}

/// A form that has not come whole.
pub struct Held {
    stream: TcpStream,
    last: String,
}

impl Held {
    /// Sends the rest.
    pub fn go_on(mut self, browser: &mut Browser) -> Shown {
        self.stream.write_all(self.last.as_bytes()).unwrap();
        browser.shown(self.stream)
    }
}

/// The value of a hidden field of a page.
pub fn field(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let letter = |octet: u8| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(octet).to_string(),
        octet => format!("%{octet:02X}"),
    };
    let text = |text: &str| text.bytes().map(letter).collect::<String>();
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect();
    pairs.join("&")
}
