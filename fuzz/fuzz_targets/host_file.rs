//! Feeds any text to the reader of host files, as a whole and inside a valid one: it must accept or reject it.

#![no_main]

use flotilla_suites::Host;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = Host::parse("fuzz", &text, |_| Ok(String::new()));
    let literal = text.replace("'''", "");
    let sound = format!(
        "can-block = true\nerror = '''{literal}'''\n[script]\nargs = ['''{literal}''', \"%{{compiled}}\"]\nfile = '''{literal}'''\n"
    );
    let _ = Host::parse("fuzz", &sound, |_| Ok(String::new()));
});
