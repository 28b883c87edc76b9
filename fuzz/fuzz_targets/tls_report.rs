//! Any octets as the record that says where a domain wants reports on TLS.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::tls_report::check(data));
