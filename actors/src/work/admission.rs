//! What is checked before anything is done for a client: its packet, and each of its test cases.

use std::ffi::OsString;
use std::path::{Component, Path};

use flotilla_messages::packet::{Engine, SignedPacket, WorkPacket};
use flotilla_messages::{Arg, Fingerprint, Program, TestCase};

/// What a packet has to fit.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Whose link it is.
    pub client: Fingerprint,
    /// This machine.
    pub own: Fingerprint,
    /// The link's exporter value.
    pub exporter: [u8; 32],
}

/// The packet, if it is this client's, for this machine, on this link, and this machine can do it.
///
/// # Errors
/// Why not, for people.
pub fn admit(bytes: &[u8], terms: &Terms) -> Result<WorkPacket, String> {
    let SignedPacket { issuer, content } = SignedPacket::open(bytes).map_err(|error| error.to_string())?;
    if issuer != terms.client {
        return Err(format!("the work packet is of the key {issuer}, which is not this link's"));
    }
    if content.recipient != terms.own {
        return Err(format!("the work packet is for {}, not for this machine", content.recipient));
    }
    if content.exporter != terms.exporter {
        return Err("the work packet is for another connection".into());
    }
    if let Engine::Native { os, arch } = &content.engine {
        let own = (std::env::consts::OS, std::env::consts::ARCH);
        if (os.as_str(), arch.as_str()) != own {
            let shown = |text: &str| text.chars().take(32).collect::<String>().escape_debug().to_string();
            return Err(format!(
                "the engine is for {} {}, this machine is {} {}",
                shown(os),
                shown(arch),
                own.0,
                own.1
            ));
        }
    }
    if let Some(program) = content.probe.first() {
        below("the probe's program", program)?;
    }
    Ok(content)
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
            Arg::Text(_) if what == "an argument" => {}
            Arg::Text(text) => return Err(format!("{what} {text:?} is not below the root")),
        }
    }
    match case.env.keys().find(|name| !is_passed_on(name)) {
        Some(name) => Err(format!("the variable {name:?} is this machine's own")),
        None => Ok(()),
    }
}

/// A path of nothing but names.
fn below(what: &str, path: &str) -> Result<(), String> {
    let names = |component| matches!(component, Component::Normal(_) | Component::CurDir);
    if Path::new(path).components().all(names) && !path.contains('\0') {
        Ok(())
    } else {
        Err(format!("{what} {path:?} leads out of the root"))
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
/// machine's owner sets; later ones win. The names that were left out come with it.
pub fn environment(
    tmp: &Path,
    client: &[(String, String)],
    own: &[(OsString, OsString)],
) -> (Vec<(OsString, OsString)>, Vec<String>) {
    let mut env: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
        ("HOME".into(), tmp.into()),
        ("TMPDIR".into(), tmp.into()),
        ("LANG".into(), "en_US.UTF-8".into()),
    ];
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
    use std::time::Duration;

    use ed25519_dalek::SigningKey;
    use flotilla_messages::inputs::Digest;
    use flotilla_messages::{Expectation, Judge, TestName};

    use super::*;

    pub fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    pub fn terms() -> Terms {
        let name = |seed| Fingerprint::of(&key(seed).verifying_key());
        Terms { client: name(1), own: name(2), exporter: [9; 32] }
    }

    pub fn packet() -> WorkPacket {
        WorkPacket {
            recipient: terms().own,
            exporter: terms().exporter,
            root: Digest::of(b"root"),
            client_root: "/home/ada/v8".into(),
            engine: Engine::Builtin,
            probe: Vec::new(),
            env: Vec::new(),
            output_cap: 1 << 20,
            max_heavy: 1,
            tests: 1,
            issued: 0,
        }
    }

    pub fn case(name: &str) -> TestCase {
        let name = TestName { suite: "s".into(), name: name.into(), variant: "default".into(), detail: None };
        TestCase {
            id: name.path(),
            name,
            prefix: Vec::new(),
            program: Program::Shell(Arg::Path("out/d8".into())),
            args: vec![Arg::Path("test/a.js".into()), Arg::Text("--flag=/etc".into())],
            env: BTreeMap::new(),
            unset_env: Vec::new(),
            timeout: Duration::from_secs(60),
            judge: Judge::ExitCode,
            expected_file: None,
            expectation: Expectation::pass(),
            slow: false,
            variant_flags: Vec::new(),
            random_seed: None,
        }
    }

    fn refused(change: impl FnOnce(&mut WorkPacket)) -> String {
        let mut packet = packet();
        change(&mut packet);
        admit(&packet.sign(&key(1)).unwrap(), &terms()).unwrap_err()
    }

    #[test]
    fn a_packet_holds_for_one_signer_recipient_connection_and_platform() {
        let signed = packet().sign(&key(1)).unwrap();
        assert_eq!(admit(&signed, &terms()), Ok(packet()));
        assert!(admit(&packet().sign(&key(3)).unwrap(), &terms()).unwrap_err().contains("not this link's"));
        assert!(admit(&signed[1..], &terms()).is_err());
        assert!(refused(|packet| packet.recipient = terms().client).contains("not for this machine"));
        assert!(refused(|packet| packet.exporter[0] ^= 1).contains("another connection"));
        let engine = Engine::Native { os: "plan9\n".into(), arch: "vax".into() };
        assert!(refused(|packet| packet.engine = engine).contains("plan9\\n vax"));
        for program in ["/bin/sh", "../sh", "a/../../sh"] {
            assert!(refused(|packet| packet.probe = vec![program.into()]).contains("leads out"));
        }
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
            pair("FLOTILLA_RUN", "1.2"),
            pair("A=B", "c"),
        ];
        let (env, left_out) = environment(Path::new("/t"), &client, &[("SLOW".into(), "4".into())]);
        assert_eq!(left_out, ["LD_PRELOAD", "PATH", "FLOTILLA_RUN", "A=B"]);
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
    }
}
