//! Any octets as a report on DMARC: packed or not, bombs included.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::dmarc_report::check(data));
