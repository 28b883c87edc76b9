//! Any text as an address: what is taken prints as itself, is taken again, and cannot carry a command.

use smtp::address::{ADDRESS_OCTETS_MAX, Address, DOMAIN_OCTETS_MAX, LOCAL_OCTETS_MAX, ReversePath};
use smtp::command::PathArgument;

/// Reads the octets, where they are text, as an address.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for smtputf8 in [false, true] {
        let path = ReversePath::parse(text, smtputf8);
        let Ok(address) = Address::parse(text, smtputf8) else { continue };
        assert_eq!(path, Ok(ReversePath::Mailbox(address.clone())), "a recipient that cannot be a sender");
        let printed = address.to_string();
        assert!(!printed.chars().any(|letter| letter.is_ascii_control()), "control characters in {printed:?}");
        assert!(smtputf8 || printed.is_ascii());
        assert!(address.local().len() <= LOCAL_OCTETS_MAX && address.domain().len() <= DOMAIN_OCTETS_MAX);
        assert!(printed.len() <= ADDRESS_OCTETS_MAX, "{printed:?} is too long");
        assert_eq!(Address::parse(&printed, smtputf8).as_ref(), Ok(&address));
        stays_in_its_command(&printed);
        reaches_one_domain(&address);
    }
}

/// Written into RCPT, it is the whole path and nothing else.
fn stays_in_its_command(printed: &str) {
    let argument = format!("TO:<{printed}> SIZE=1");
    let read = PathArgument::parse(&argument, "TO:").map(|found| (found.path, found.parameters));
    assert_eq!(read, Ok((printed, " SIZE=1")));
}

/// The name that DNS is asked for is read as the same domain by whoever gets it.
fn reaches_one_domain(address: &Address) {
    let ascii = address.domain_ascii();
    assert!(ascii.is_ascii(), "{ascii:?} is no name for DNS");
    if let Ok(again) = Address::parse(&format!("a@{ascii}"), true) {
        assert_eq!(again.domain_ascii(), ascii);
    }
}
