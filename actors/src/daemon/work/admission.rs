//! What is checked before anything is done for a client: its packet, and each of its test cases.

use std::ffi::OsString;
use std::path::{Component, Path};
use std::sync::Arc;

use flotilla_messages::packet::{Engine, Native, SignedPacket, WorkPacket};
use flotilla_messages::untrusted::{NAME, SHORT, untrusted_text};
use flotilla_messages::{Arg, Fingerprint, Part, Program, TestCase};

use crate::content::engine::Host;

/// What a packet has to fit.
#[derive(Clone, Debug)]
pub struct AdmissionPolicy {
    /// Whose link it is.
    pub client: Fingerprint,
    /// This machine.
    pub own: Fingerprint,
    /// The link's exporter value.
    pub exporter: [u8; 32],
    /// What engines find on this machine.
    pub host: Arc<Host>,
}

/// The packet, if it is this client's, for this machine, on this link, and this machine can do it.
///
/// # Errors
/// Why not, for people.
pub fn admit(bytes: &[u8], policy: &AdmissionPolicy) -> Result<WorkPacket, String> {
    let SignedPacket { issuer, content } = SignedPacket::open(bytes).map_err(|error| error.to_string())?;
    if issuer != policy.client {
        return Err(format!("the work packet is of the key {issuer}, which is not this link's"));
    }
    if content.recipient != policy.own {
        return Err(format!("the work packet is for {}, not for this machine", content.recipient));
    }
    if content.exporter != policy.exporter {
        return Err("the work packet is for another connection".into());
    }
    if let Engine::Native(native) = &content.engine {
        fits(native, &policy.host)?;
    }
    Ok(content)
}

/// Whether programs can run here, as far as can be told before they are there.
fn fits(native: &Native, host: &Host) -> Result<(), String> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    if (native.os.as_str(), native.arch.as_str()) != (os, arch) {
        let made = format!("{} {}", untrusted_text(&native.os, NAME), untrusted_text(&native.arch, NAME));
        return Err(format!("the engine is for {made}, this machine is {os} {arch}"));
    }
    if let Some(lack) = host.lacks(native) {
        return Err(lack);
    }
    for probe in &native.probes {
        let Some(program) = probe.first() else { return Err("an empty probe".into()) };
        below("the probe", program)?;
        if probe.iter().any(|word| word.contains('\0')) {
            return Err("a probe with a NUL".into());
        }
    }
    for place in native.libraries.iter().chain(native.elsewhere.iter().map(|elsewhere| &elsewhere.place)) {
        below("the directory", place)?;
        // It becomes one of a list.
        if place.is_empty() || place.contains(':') {
            return Err(format!("the directory '{}' is none", untrusted_text(place, NAME)));
        }
    }
    Ok(())
}

/// Whether a case stays in the workspace, as far as its own words tell. What the program does is another matter.
///
/// # Errors
/// Why not, for people.
pub fn confined(case: &TestCase) -> Result<(), String> {
    if !case.prefix.is_empty() {
        return Err("a command prefix is for the own machine alone".into());
    }
    match &case.program {
        Program::Builtin => {}
        Program::Shell(Arg::Path(path)) => below("the program", path)?,
        Program::Shell(_) => return Err("a program that is not below the root".into()),
    }
    let expected = case.expected_file.iter().map(|arg| ("the expected output", arg));
    for (what, arg) in case.args.iter().map(|arg| ("an argument", arg)).chain(expected) {
        match arg {
            Arg::Path(path) | Arg::Embedded { path, .. } => below(what, path)?,
            Arg::Text(_) | Arg::Compiled | Arg::Harness if what == "an argument" => {}
            Arg::Compiled | Arg::Harness => return Err(format!("{what} is a file made for the test")),
            Arg::Text(text) => {
                return Err(format!("{what} '{}' is not below the root", untrusted_text(text, SHORT)));
            }
        }
    }
    if let Some(recipe) = &case.recipe {
        for part in recipe.all_parts() {
            match part {
                Part::Text(_) => {}
                Part::File(path) | Part::QuotedFile(path) | Part::QuotedPath(path) => {
                    below("a part of the test's file", path)?;
                }
            }
        }
        for path in &recipe.beside {
            below("a file beside the test's", path)?;
        }
    }
    match case.env.keys().find(|name| !is_passed_on(name)) {
        Some(name) => Err(format!("the variable '{}' is this machine's own", untrusted_text(name, NAME))),
        None => Ok(()),
    }
}

/// A path of nothing but names.
fn below(what: &str, path: &str) -> Result<(), String> {
    let names = |component| matches!(component, Component::Normal(_) | Component::CurDir);
    if Path::new(path).components().all(names) && !path.contains('\0') {
        Ok(())
    } else {
        Err(format!("{what} '{}' leads out of the root", untrusted_text(path, SHORT)))
    }
}

/// Whether a client's variable reaches its tests: none that decides which code runs, or that is this machine's own.
fn is_passed_on(name: &str) -> bool {
    const OWN: [&str; 9] = [
        "PATH",
        "HOME",
        "TMPDIR",
        "USER",
        "LOGNAME",
        "SHELL",
        "PWD",
        "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS",
    ];
    const FAMILIES: [&str; 3] = ["LD_", "DYLD_", "FLOTILLA_"];
    let sound = !name.is_empty() && !name.contains(['=', '\0']);
    sound && !OWN.contains(&name) && !FAMILIES.iter().any(|family| name.starts_with(family))
}

/// The environment of a job's tests: this machine's minimum, the client's variables that may be passed on, and what this
/// machine's owner sets; later ones win. `libraries` is where programs find libraries that were sent along, if any was.
/// The names that were left out come with it.
pub fn environment(
    tmp: &Path,
    libraries: Option<OsString>,
    client: &[(String, String)],
    own: &[(OsString, OsString)],
) -> (Vec<(OsString, OsString)>, Vec<String>) {
    let mut env: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
        ("HOME".into(), tmp.into()),
        ("TMPDIR".into(), tmp.into()),
        ("LANG".into(), "en_US.UTF-8".into()),
    ];
    env.extend(libraries.map(|libraries| ("LD_LIBRARY_PATH".into(), libraries)));
    let mut left_out = Vec::new();
    for (name, value) in client {
        if is_passed_on(name) && !value.contains('\0') {
            set(&mut env, name.into(), value.into());
        } else {
            left_out.push(name.clone());
        }
    }
    for (name, value) in own {
        set(&mut env, name.clone(), value.clone());
    }
    (env, left_out)
}

fn set(env: &mut Vec<(OsString, OsString)>, name: OsString, value: OsString) {
    env.retain(|(other, _)| *other != name);
    env.push((name, value));
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use ed25519_dalek::SigningKey;
    use flotilla_messages::Recipe;
    use flotilla_messages::inputs::Digest;
    use flotilla_messages::packet::{Elsewhere, Version};

    use super::*;

    pub fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    pub fn policy() -> AdmissionPolicy {
        let name = |seed| Fingerprint::of(&key(seed).verifying_key());
        AdmissionPolicy { client: name(1), own: name(2), exporter: [9; 32], host: Arc::default() }
    }

    pub fn packet() -> WorkPacket {
        WorkPacket {
            recipient: policy().own,
            exporter: policy().exporter,
            root: Digest::of(b"root"),
            client_root: "/home/ada/v8".into(),
            engine: Engine::Builtin,
            env: Vec::new(),
            output_cap: 1 << 20,
            memory: false,
            max_heavy: 1,
            tests: 1,
            issued: 0,
        }
    }

    pub fn case(name: &str) -> TestCase {
        TestCase {
            program: Program::Shell(Arg::Path("out/d8".into())),
            args: vec![Arg::Path("test/a.js".into()), Arg::Text("--flag=/etc".into())],
            ..TestCase::for_tests(name)
        }
    }

    fn refused(change: impl FnOnce(&mut WorkPacket)) -> String {
        let mut packet = packet();
        change(&mut packet);
        admit(&packet.sign(&key(1)).unwrap(), &policy()).unwrap_err()
    }

    #[test]
    fn a_packet_holds_for_one_signer_recipient_connection_and_platform() {
        let signed = packet().sign(&key(1)).unwrap();
        assert_eq!(admit(&signed, &policy()), Ok(packet()));
        assert!(admit(&packet().sign(&key(3)).unwrap(), &policy()).unwrap_err().contains("not this link's"));
        assert!(admit(&signed[1..], &policy()).is_err());
        assert!(refused(|packet| packet.recipient = policy().client).contains("not for this machine"));
        assert!(refused(|packet| packet.exporter[0] ^= 1).contains("another connection"));
        let engine = Native { os: "plan9\n".into(), arch: "vax".into(), ..Native::here() };
        assert!(refused(|packet| packet.engine = Engine::Native(engine)).contains("plan9\\n vax"));
    }

    #[test]
    fn what_a_packet_says_of_the_engine_stays_below_the_root() {
        let bad = |change: &dyn Fn(&mut Native)| {
            let mut native = Native::here();
            change(&mut native);
            refused(|packet| packet.engine = Engine::Native(native))
        };
        for path in ["/bin/sh", "../sh", "a/../../sh", "a\0"] {
            assert!(bad(&|native| native.probes = vec![vec![path.into()]]).contains("leads out"));
            assert!(bad(&|native| native.libraries = vec![path.into()]).contains("leads out"));
            let elsewhere = Elsewhere { place: path.into(), path: "/opt".into() };
            assert!(bad(&|native| native.elsewhere = vec![elsewhere.clone()]).contains("leads out"));
        }
        assert!(bad(&|native| native.probes = vec![Vec::new()]).contains("empty probe"));
        for path in ["", "a:/usr/lib"] {
            assert!(bad(&|native| native.libraries = vec![path.into()]).contains("is none"));
        }
    }

    #[test]
    fn an_engine_that_needs_what_this_machine_lacks_is_refused_in_words() {
        let has = |names: &[&str]| ("libc.so.6".to_owned(), names.iter().map(|&name| name.into()).collect());
        let host = Arc::new(Host::with([has(&["GLIBC_2.2.5", "GLIBC_2.31", "GLIBC_PRIVATE"])], 2));
        let asked = |native: Native| {
            let packet = WorkPacket { engine: Engine::Native(native), ..packet() };
            let policy = AdmissionPolicy { host: Arc::clone(&host), ..policy() };
            admit(&packet.sign(&key(1)).unwrap(), &policy).map(drop)
        };
        let version = |library: &str, name: &str| Version { library: library.into(), name: name.into() };
        let needs = |library: &str, name: &str| {
            asked(Native { versions: vec![version(library, name)], ..Native::here() })
        };
        assert_eq!(needs("libc.so.6", "GLIBC_2.31"), Ok(()));
        // Whether a library is there at all, the probe tells.
        assert_eq!(needs("libnobody.so.1", "X_1"), Ok(()));
        let refusal = needs("libc.so.6", "GLIBC_2.38").unwrap_err();
        assert_eq!(refusal, "the engine needs GLIBC_2.38, this machine has GLIBC_2.31 (libc.so.6)");
        assert!(needs("libc.so.6", "GLIBC_2.38\n\x1b[2J").unwrap_err().contains("2.38\\n\\u{1b}[2J"));
        assert_eq!(asked(Native { level: 2, ..Native::here() }), Ok(()));
        let refusal = asked(Native { level: 3, ..Native::here() }).unwrap_err();
        assert_eq!(refusal, "the engine needs a processor of level x86-64-v3, this machine's is x86-64-v2");
    }

    #[test]
    fn a_case_names_nothing_outside_the_root() {
        assert_eq!(confined(&case("a")), Ok(()));
        let bad = |change: fn(&mut TestCase)| {
            let mut case = case("a");
            change(&mut case);
            assert!(confined(&case).is_err(), "{case:?}");
        };
        bad(|case| case.program = Program::Shell(Arg::Text("/bin/sh".into())));
        bad(|case| case.program = Program::Shell(Arg::Text("sh".into())));
        bad(|case| case.program = Program::Shell(Arg::Path("/bin/sh".into())));
        bad(|case| case.program = Program::Shell(Arg::Path("a/../../../bin/sh".into())));
        bad(|case| case.args = vec![Arg::Path("../x".into())]);
        bad(|case| {
            case.args = vec![Arg::Embedded { before: "".into(), path: "/etc".into(), after: "".into() }];
        });
        bad(|case| {
            let parts = vec![Part::Text("x".into()), Part::QuotedFile("../x".into())];
            case.recipe = Some(Box::new(Recipe { parts, ..Recipe::default() }));
        });
        bad(|case| {
            let beside = vec!["/etc/passwd".into()];
            case.recipe = Some(Box::new(Recipe { beside, ..Recipe::default() }));
        });
        bad(|case| {
            let harness = Some(vec![Part::File("/etc/passwd".into())]);
            case.recipe = Some(Box::new(Recipe { harness, ..Recipe::default() }));
        });
        bad(|case| case.expected_file = Some(Arg::Harness));
        bad(|case| case.expected_file = Some(Arg::Path("../x".into())));
        bad(|case| case.expected_file = Some(Arg::Text("/etc/passwd".into())));
        bad(|case| case.prefix = vec!["valgrind".into()]);
        bad(|case| case.env = BTreeMap::from([("LD_PRELOAD".into(), "x.so".into())]));
    }

    #[test]
    fn the_environment_is_this_machines_with_the_clients_harmless_variables() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let client = [
            pair("LANG", "de_DE.UTF-8"),
            pair("ASAN_OPTIONS", "a=1"),
            pair("LD_PRELOAD", "/x.so"),
            pair("PATH", "/evil"),
            pair("LD_LIBRARY_PATH", "/evil"),
            pair("FLOTILLA_RUN", "1.2"),
            pair("A=B", "c"),
        ];
        let (env, left_out) =
            environment(Path::new("/t"), Some("/w/lib".into()), &client, &[("SLOW".into(), "4".into())]);
        assert_eq!(left_out, ["LD_PRELOAD", "PATH", "LD_LIBRARY_PATH", "FLOTILLA_RUN", "A=B"]);
        let get = |wanted: &str| {
            let found: Vec<_> = env.iter().filter(|(name, _)| name == wanted).collect();
            assert!(found.len() <= 1);
            found.first().map(|(_, value)| value.to_str().unwrap())
        };
        assert_eq!(get("LANG"), Some("de_DE.UTF-8"));
        assert_eq!(get("ASAN_OPTIONS"), Some("a=1"));
        assert_eq!(get("PATH"), Some("/usr/local/bin:/usr/bin:/bin"));
        assert_eq!((get("HOME"), get("TMPDIR"), get("SLOW")), (Some("/t"), Some("/t"), Some("4")));
        assert_eq!((get("LD_PRELOAD"), get("FLOTILLA_RUN")), (None, None));
        assert_eq!(get("LD_LIBRARY_PATH"), Some("/w/lib"));
    }
}
