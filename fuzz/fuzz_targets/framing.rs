//! DATA and BDAT against a simple model.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::framing::check(data));
