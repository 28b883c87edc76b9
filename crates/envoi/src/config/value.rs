//! One value of the file: from TOML to what the key takes, or a fault with its remedy.

use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use toml::de::DeValue;

use net::own_mail::Sender;

use super::keys::Kind;

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A word, host, pattern or name.
    Text(String),
    /// A file or folder, as written.
    Path(PathBuf),
    /// Yes or no.
    Flag(bool),
    /// A count, seconds, octets or a port.
    Number(u64),
    /// Addresses with ports.
    Sockets(Vec<SocketAddr>),
    /// Networks.
    Networks(Vec<IpNet>),
    /// Addresses.
    Addresses(Vec<IpAddr>),
    /// Names.
    Names(Vec<String>),
    /// Whole numbers.
    Numbers(Vec<u64>),
    /// Names with weights.
    Weights(Vec<(String, u32)>),
}

/// Why a value is not taken: what is wrong, what to write instead.
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) remedy: String,
}

fn refuse<T>(what: impl Into<String>, remedy: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { what: what.into(), remedy: remedy.into() })
}

/// Reads a value for a key of this kind.
pub(super) fn read(kind: &Kind, value: &DeValue<'_>) -> Result<Value, Refusal> {
    match kind {
        Kind::Hostname => hostname(text(value)?),
        Kind::Path => match text(value)? {
            "" => refuse("the path is empty", "Name a file or folder."),
            path => Ok(Value::Path(path.into())),
        },
        Kind::Flag => match value {
            DeValue::Boolean(flag) => Ok(Value::Flag(*flag)),
            other => {
                refuse(format!("is {}, not true or false", type_words(other)), "Write true or false, without quotes.")
            }
        },
        Kind::Choice(words) => choice(words, text(value)?),
        Kind::Sockets => list(value, socket).map(Value::Sockets),
        Kind::Networks => list(value, network).map(Value::Networks),
        Kind::Addresses => list(value, address).map(Value::Addresses),
        Kind::Names => match list(value, name)? {
            none if none.is_empty() => refuse("names nothing", "Name the relay's hostname, or leave it out."),
            names => Ok(Value::Names(names)),
        },
        Kind::Domains => list(value, domain).map(Value::Names),
        Kind::Zone => zone(text(value)?),
        Kind::Mailbox => match relay::service::mailbox(text(value)?) {
            Ok(address) => Ok(Value::Text(address)),
            Err(fault) => refuse(fault.what.trim_end_matches('.').to_owned(), "Write an address alone."),
        },
        Kind::Directory => match text(value)? {
            given if given.starts_with("https://") && !given.contains(char::is_whitespace) => {
                Ok(Value::Text(given.to_owned()))
            }
            given => {
                refuse(format!("{given:?} does not begin with https://"), "Write the whole address of its directory.")
            }
        },
        Kind::NameServers => list(value, name_server).map(Value::Sockets),
        Kind::Count { floor, ceiling } => number(value, *floor, *ceiling),
        Kind::Span { floor, ceiling } => span(text(value)?, *floor, *ceiling),
        Kind::Octets { floor, ceiling } => octets(value, *floor, *ceiling),
        Kind::Pattern => pattern(text(value)?),
        Kind::Host => host(text(value)?),
        Kind::Sender => match text(value)? {
            given if sender(given).is_some() => Ok(Value::Text(given.to_owned())),
            given => refuse(
                format!("{given:?} is nobody that mail could be from"),
                "Write an address, or a name and the address in angle brackets: \"Envoi <envoi@mail.example.com>\".",
            ),
        },
        Kind::Url => url(text(value)?),
        Kind::Port => number(value, 1, 65_535),
        Kind::Name => match text(value)? {
            given if given.is_empty() || given.chars().any(char::is_control) => {
                refuse("is empty, or has more than one line", "Write it on one line, in double quotes.")
            }
            given => Ok(Value::Text(given.to_owned())),
        },
        Kind::Numbers => match value {
            DeValue::Array(items) => {
                let numbers: Result<_, _> = items.iter().map(|item| whole(item.get_ref())).collect();
                numbers.map(Value::Numbers)
            }
            one => whole(one).map(|one| Value::Numbers(vec![one])),
        },
        Kind::Word => word(text(value)?).map(|word| Value::Text(word.to_owned())),
        Kind::Weights => list(value, weight).map(Value::Weights),
    }
}

/// Characters of a name of a source or pool.
const WORD_CHARACTERS_MAX: usize = 40;

fn word(given: &str) -> Result<&str, Refusal> {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-".contains(letter);
    if given.is_empty() || given.len() > WORD_CHARACTERS_MAX || !given.chars().all(is_plain) {
        return refuse(
            format!("{given:?} is not such a name"),
            format!("Write small letters, digits, `_` and `-`, {WORD_CHARACTERS_MAX} at the most."),
        );
    }
    Ok(given)
}

fn weight(given: &str) -> Result<(String, u32), Refusal> {
    let (name, weight) = given.split_once('=').unwrap_or((given, "1"));
    let name = word(name.trim())?;
    match weight.trim().parse() {
        Ok(weight) => Ok((name.to_owned(), weight)),
        Err(_) => refuse(format!("`{given}` has no weight that is a number"), "Write a name alone, or \"name=3\"."),
    }
}

/// Who `Name <address>`, or an address alone, says that mail is from.
pub(super) fn sender(given: &str) -> Option<Sender> {
    let (name, address) = match given.trim().strip_suffix('>') {
        Some(rest) => rest.split_once('<')?,
        None => ("Envoi", given),
    };
    let name = name.trim().trim_matches('"').trim();
    let is_name = !name.is_empty() && !name.chars().any(|letter| letter.is_control() || "<>\"".contains(letter));
    let address = relay::service::mailbox(address).ok()?;
    is_name.then(|| Sender { name: name.to_owned(), address })
}

fn url(given: &str) -> Result<Value, Refusal> {
    let rest = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://"));
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter);
    match rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest)) {
        Some(place) if !place.is_empty() && place.chars().all(plain) => {
            Ok(Value::Text(given.trim_end_matches('/').to_owned()))
        }
        _ => refuse(
            format!("{given:?} is not where a console could be found"),
            "Write https:// and a name, and a port where it is not 443: \"https://console.example.com\".",
        ),
    }
}

fn type_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Refusal> {
    match value {
        DeValue::String(text) => Ok(text),
        other => refuse(format!("is {}, not a text", type_words(other)), "Write it in double quotes."),
    }
}

fn list<T>(value: &DeValue<'_>, read: impl Fn(&str) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
    match value {
        DeValue::Array(items) => items.iter().map(|item| read(text(item.get_ref())?)).collect(),
        DeValue::String(item) => Ok(vec![read(item)?]),
        other => refuse(format!("is {}, not a list", type_words(other)), "Write a list of texts: [\"…\", \"…\"]."),
    }
}

fn whole(value: &DeValue<'_>) -> Result<u64, Refusal> {
    let DeValue::Integer(integer) = value else {
        return refuse(
            format!("is {}, not a whole number", type_words(value)),
            "Write a whole number, without quotes.",
        );
    };
    u64::from_str_radix(integer.as_str(), integer.radix())
        .or_else(|_| refuse(format!("{integer} is out of range"), "Write a number that is not negative."))
}

fn number(value: &DeValue<'_>, floor: u64, ceiling: u64) -> Result<Value, Refusal> {
    let number = whole(value)?;
    if !(floor..=ceiling).contains(&number) {
        return refuse(
            format!("{number} is outside what is possible"),
            format!("Write a number from {floor} to {ceiling}."),
        );
    }
    Ok(Value::Number(number))
}

const SPANS: &[(&str, u64)] = &[("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
const SIZES: &[(&str, u64)] = &[("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];

/// A period given in text, in seconds: `90s`, `15m`, `2h`, `5d`.
pub fn parse_span(given: &str) -> Option<u64> {
    let given = given.trim();
    SPANS
        .iter()
        .find_map(|(unit, seconds)| given.strip_suffix(unit)?.trim_end().parse::<u64>().ok()?.checked_mul(*seconds))
}

/// Seconds as the file would write them.
pub(super) fn span_text(seconds: u64) -> String {
    let fits = SPANS.iter().find(|(_, unit)| seconds.is_multiple_of(*unit) && seconds >= *unit);
    fits.map_or_else(|| format!("{seconds}s"), |(name, unit)| format!("{}{name}", seconds / unit))
}

/// Octets as the file would write them.
pub(super) fn octets_text(octets: u64) -> String {
    let fits = SIZES.iter().find(|(_, unit)| octets.is_multiple_of(*unit) && octets >= *unit);
    fits.map_or_else(|| octets.to_string(), |(name, unit)| format!("{}{name}", octets / unit))
}

fn span(given: &str, floor: u64, ceiling: u64) -> Result<Value, Refusal> {
    let Some(seconds) = parse_span(given) else {
        return refuse(
            format!("`{given}` is not a period of time"),
            "Write a number with s, m, h or d behind it, such as \"15m\".",
        );
    };
    if !(floor..=ceiling).contains(&seconds) {
        return refuse(
            format!("{given} is outside what is possible"),
            format!("Write a period from {} to {}.", span_text(floor), span_text(ceiling)),
        );
    }
    Ok(Value::Number(seconds))
}

fn octets(value: &DeValue<'_>, floor: u64, ceiling: u64) -> Result<Value, Refusal> {
    let (given, octets) = match value {
        DeValue::String(given) => {
            let sized = SIZES.iter().find_map(|(unit, size)| {
                given.trim().strip_suffix(unit)?.trim_end().parse::<u64>().ok()?.checked_mul(*size)
            });
            (given.to_string(), sized.or_else(|| given.trim().parse().ok()))
        }
        value => {
            let octets = whole(value)?;
            (octets.to_string(), Some(octets))
        }
    };
    let Some(octets) = octets else {
        return refuse(
            format!("`{given}` is not a size"),
            "Write a number with KB, MB, GB or TB behind it, such as \"20MB\".",
        );
    };
    if !(floor..=ceiling).contains(&octets) {
        return refuse(
            format!("{given} is outside what is possible"),
            format!("Write a size from {} to {}.", octets_text(floor), octets_text(ceiling)),
        );
    }
    Ok(Value::Number(octets))
}

fn choice(words: &[&str], given: &str) -> Result<Value, Refusal> {
    if words.contains(&given) {
        return Ok(Value::Text(given.to_owned()));
    }
    let near = super::nearest(given, words.iter().copied());
    let list = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let hint = near.map(|near| format!("Did you mean \"{near}\"? ")).unwrap_or_default();
    refuse(format!("`{given}` is not one of its words"), format!("{hint}Write one of {list}."))
}

fn hostname(given: &str) -> Result<Value, Refusal> {
    if given == "localhost" {
        return Ok(Value::Text(given.to_owned()));
    }
    match relay::service::domain_name(given) {
        Ok(name) => Ok(Value::Text(name)),
        Err(fault) => refuse(
            fault.what.trim_end_matches('.').to_owned(),
            "Write the full name that the relay's address has in DNS, such as \"relay.example.com\".",
        ),
    }
}

fn name(given: &str) -> Result<String, Refusal> {
    relay::service::domain_name(given)
        .or_else(|fault| refuse(fault.what.trim_end_matches('.').to_owned(), "Write full names of this machine."))
}

fn domain(given: &str) -> Result<String, Refusal> {
    relay::service::domain_name(given)
        .or_else(|fault| refuse(fault.what.trim_end_matches('.').to_owned(), "Write full names of sending domains."))
}

fn zone(given: &str) -> Result<Value, Refusal> {
    let most = relay::zone::ZONE_OCTETS_MAX;
    match relay::service::domain_name(given) {
        Ok(name) if name.len() <= most => Ok(Value::Text(name)),
        Ok(name) => refuse(
            format!("`{name}` is too long: names below it would be longer than DNS allows"),
            format!("Use a zone of at most {most} octets."),
        ),
        Err(fault) => refuse(
            fault.what.trim_end_matches('.').to_owned(),
            "Write the name of a zone that is for the relay alone, such as \"relay.example.net\".",
        ),
    }
}

fn socket(given: &str) -> Result<SocketAddr, Refusal> {
    given.parse().or_else(|_| {
        refuse(
            format!("`{given}` is not an address with a port"),
            "Write an IP address, a colon and a port: \"0.0.0.0:587\", or \"[::]:587\" for IPv6.",
        )
    })
}

fn name_server(given: &str) -> Result<SocketAddr, Refusal> {
    let with_port = given.parse::<SocketAddr>().ok();
    with_port.or_else(|| given.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53))).map_or_else(
        || {
            refuse(
                format!("`{given}` is not the address of a name server"),
                "Write an IP address: \"127.0.0.1\" or \"127.0.0.1:53\".",
            )
        },
        Ok,
    )
}

fn network(given: &str) -> Result<IpNet, Refusal> {
    let net = given.parse::<IpNet>().ok().or_else(|| given.parse::<IpAddr>().ok().map(IpNet::from));
    net.map_or_else(
        || refuse(format!("`{given}` is not a network"), "Write an address and a prefix length: \"192.0.2.0/24\"."),
        |net| Ok(net.trunc()),
    )
}

fn address(given: &str) -> Result<IpAddr, Refusal> {
    given.parse().or_else(|_| refuse(format!("`{given}` is not an IP address"), "Write an IP address, without a port."))
}

fn pattern(given: &str) -> Result<Value, Refusal> {
    if given == "*" {
        return Ok(Value::Text(given.to_owned()));
    }
    let (prefix, name) = given.strip_prefix("*.").map_or(("", given), |rest| ("*.", rest));
    let single = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    match relay::service::domain_name(name) {
        Ok(name) => Ok(Value::Text(format!("{prefix}{name}"))),
        // `*.example` and `localhost` are domains too when they are routed by hand
        Err(_) if single => Ok(Value::Text(format!("{prefix}{}", name.to_ascii_lowercase()))),
        Err(_) => refuse(
            format!("`{given}` is not a pattern of domains"),
            "Write \"*\", \"example.com\", or \"*.example.com\".",
        ),
    }
}

fn host(given: &str) -> Result<Value, Refusal> {
    let bare = given.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(Value::Text(ip.to_string()));
    }
    let name = given.trim_end_matches('.');
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_');
    if !name.is_empty() && name.len() <= 253 && name.bytes().all(plain) && !name.contains("..") {
        return Ok(Value::Text(name.to_ascii_lowercase()));
    }
    refuse(format!("`{given}` is not a host"), "Write a host name or an IP address; the port has a key of its own.")
}
