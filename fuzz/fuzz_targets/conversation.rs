//! Any octets from a next hop.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::conversation::check(data));
