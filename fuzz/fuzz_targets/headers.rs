#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| atelier_fuzz::headers::check(input));
