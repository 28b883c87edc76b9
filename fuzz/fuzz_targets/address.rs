//! Any text as an address: what is taken prints as itself, is taken again, and cannot carry a command.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp::address::Address;

fuzz_target!(|text: &str| {
    for smtputf8 in [false, true] {
        let Ok(address) = Address::parse(text, smtputf8) else { continue };
        let printed = address.to_string();
        assert!(!printed.contains(['\r', '\n', '\0']), "control octets in {printed:?}");
        assert!(smtputf8 || printed.is_ascii());
        assert_eq!(Address::parse(&printed, smtputf8).as_ref(), Ok(&address));
    }
});
