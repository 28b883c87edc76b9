//! The addresses that a text or HTML leads to: found to be shown, by a scan that takes anything for HTML.

/// Links that are looked for.
pub const LINKS_MAX: usize = 200;
/// Octets of one; a longer one is cut.
const LINK_OCTETS_MAX: usize = 2_000;

/// Where a link was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A link of the HTML.
    Html,
    /// A picture or style that the HTML loads.
    Loaded,
    /// The text.
    Text,
}

/// An address, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where.
    pub place: Place,
    /// The address as it is written.
    pub address: String,
}

/// The links of HTML, each once, in the order in which they stand there.
pub fn in_html(html: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if !rest.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            continue;
        }
        let name_end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let tag = rest[..name_end].to_ascii_lowercase();
        rest = &rest[name_end..];
        while let Some((name, value, after)) = attribute(rest) {
            rest = after;
            let place = match (tag.as_str(), name.as_str()) {
                ("link", "href") | (_, "src" | "background" | "poster") => Place::Loaded,
                (_, "href" | "action" | "formaction") => Place::Html,
                _ => continue,
            };
            add(&mut found, place, unescaped(value.trim()));
            if found.len() >= LINKS_MAX {
                return found;
            }
        }
    }
    found
}

/// The next attribute of a tag, and what follows it; none where the tag ends.
fn attribute(rest: &str) -> Option<(String, &str, &str)> {
    let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '/');
    let is_end = |letter: char| letter.is_ascii_whitespace() || matches!(letter, '=' | '>' | '/');
    if rest.is_empty() || rest.starts_with('>') {
        return None;
    }
    // an equals sign in front belongs to the name
    let name_end = rest.char_indices().skip(1).find(|(_, letter)| is_end(*letter)).map_or(rest.len(), |(at, _)| at);
    let (name, after) = rest.split_at(name_end);
    let name = name.to_ascii_lowercase();
    let Some(value) = after.trim_start().strip_prefix('=') else { return Some((name, "", after)) };
    let value = value.trim_start();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            let end = inner.find(quote).unwrap_or(inner.len());
            return Some((name, &inner[..end], inner.get(end + 1..).unwrap_or_default()));
        }
    }
    let end = value.find(|letter: char| letter.is_ascii_whitespace() || letter == '>').unwrap_or(value.len());
    Some((name, &value[..end], &value[end..]))
}

/// The few references that stand in addresses.
fn unescaped(value: &str) -> String {
    let value = &value[..value.floor_char_boundary(LINK_OCTETS_MAX * 4)];
    value.replace("&quot;", "\"").replace("&#39;", "'").replace("&#38;", "&").replace("&amp;", "&")
}

/// The links of a text, each once, in the order in which they stand there.
pub fn in_text(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let words = text.split(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '"'));
    for word in words {
        let Some(begin) = ["https://", "http://"].iter().filter_map(|scheme| word.find(scheme)).min() else { continue };
        let address = word[begin..].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '*']);
        add(&mut found, Place::Text, address.to_owned());
        if found.len() >= LINKS_MAX {
            break;
        }
    }
    found
}

fn add(found: &mut Vec<Link>, place: Place, mut address: String) {
    address.truncate(address.floor_char_boundary(LINK_OCTETS_MAX));
    let link = Link { place, address };
    if !link.address.is_empty() && !found.contains(&link) {
        found.push(link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> Vec<(Place, String)> {
        in_html(text).into_iter().map(|link| (link.place, link.address)).collect()
    }

    #[test]
    fn links_of_html() {
        let found = html(
            "<p>1 < 2</p><A class=x HREF = \"https://a.example/?x=1&amp;y=2\">a</A> <a href='b'>b</a><a\nhref=c>c</a>\
             <a href=b>again</a><img src=https://t.example/p.gif/><link href=s.css><form action=/f><br/><a href",
        );
        let expected = [
            (Place::Html, "https://a.example/?x=1&y=2"),
            (Place::Html, "b"),
            (Place::Html, "c"),
            (Place::Loaded, "https://t.example/p.gif/"),
            (Place::Loaded, "s.css"),
            (Place::Html, "/f"),
        ];
        assert_eq!(found, expected.map(|(place, address)| (place, address.to_owned())));
        for odd in
            ["<", "<a", "<a =", "<a href=\"", "<a href='x", "</a href=x>", "<!-- href=x -->", "<é href=x>", "a=>"]
        {
            assert!(html(odd).len() <= 1, "{odd}");
        }
    }

    #[test]
    fn links_of_text() {
        let found =
            in_text("See (https://a.example/x), <http://b.example>. \"https://a.example/x\" ftp://c xhttps://é");
        let addresses: Vec<_> = found.iter().map(|link| link.address.as_str()).collect();
        assert_eq!(addresses, ["https://a.example/x", "http://b.example", "https://é"]);
    }

    #[test]
    fn there_is_an_end_to_them() {
        let many: String = (0..1_000).map(|number| format!("<a href=h{number}> https://x{number} ")).collect();
        assert_eq!((in_html(&many).len(), in_text(&many).len()), (LINKS_MAX, LINKS_MAX));
        let long = format!("https://{}", "é".repeat(LINK_OCTETS_MAX));
        assert_eq!(in_text(&long)[0].address.len(), LINK_OCTETS_MAX);
    }
}
