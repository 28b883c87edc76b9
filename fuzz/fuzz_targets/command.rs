//! Any text as a command line, its path, its parameters, its credentials.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::command::check(data));
