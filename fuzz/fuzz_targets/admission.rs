//! Any content as a submission: header section and body.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::admission::check(data));
