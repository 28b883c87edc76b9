//! Any octets as a PROXY header.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::proxy::check(data));
