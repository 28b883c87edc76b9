//! Any octets as what another server reports: DSN, ARF, and whatever else comes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::reports::check(data));
