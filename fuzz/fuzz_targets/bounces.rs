//! Any octets as what a next hop says, and as rules that an operator wrote.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::bounces::check(data));
