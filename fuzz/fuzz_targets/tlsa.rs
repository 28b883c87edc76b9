//! Any octets as a TLSA record and a certificate.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::tlsa::check(data));
