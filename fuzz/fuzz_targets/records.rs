//! Any octets as records, meta parts and checkpoints of the spool.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::records::check(data));
