//! Any octets as a message of a test inbox.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::letter::check(data));
