//! Any octets as an MTA-STS policy, and as the record that tells of one.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::mta_sts::check(data));
