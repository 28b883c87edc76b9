//! A spool that was damaged, or forged.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::segment::check(data));
