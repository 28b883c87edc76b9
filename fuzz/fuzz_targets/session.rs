//! Any octets from a client.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::session::check(data));
