//! What comes before the first lease.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// What is said of a probe of this script, whose first line is given too.
fn probed(script: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let engine = root.join("engine");
    fs::write(&engine, script).unwrap();
    fs::set_permissions(&engine, fs::Permissions::from_mode(0o755)).unwrap();
    let place = Place { root: root.clone(), tmp: root.clone() };
    let preparation = Preparation {
        guard: None,
        launcher: Launcher::new(root, vec![("PATH".into(), "/usr/bin:/bin".into())]),
        probes: vec![vec!["engine".into(), "/dev/null".into()]],
        marker: "probe".into(),
        guest: Sandbox {
            rewrite: rewrite(&place, "/home/ada/v8", &[]),
            confinement: Confinement { read: Vec::new(), write: vec![place.root.clone()] },
            ceilings: ResourceLimits::of_guests(),
        },
        switch: Arc::new(StopSignal::new().unwrap()),
    };
    let (_, probed) = preparation.carry_out();
    probed
}

#[test]
fn a_probe_tells_an_engine_that_runs_from_one_that_does_not() {
    assert_eq!(probed("#!/bin/sh\nexit 0\n"), Ok(()));
    // It did not like the empty script, perhaps, but it runs.
    assert_eq!(probed("#!/bin/sh\nexit 1\n"), Ok(()));
    let loader = "error while loading shared libraries: libx.so: cannot open shared object file";
    for (script, words) in [
        (format!("#!/bin/sh\necho '{loader}' >&2; exit 127\n"), loader),
        (
            "#!/bin/sh\necho \"$0: version 'GLIBC_9' not found (required by $0)\" >&2; exit 1".into(),
            "GLIBC_9",
        ),
        ("#!/bin/sh\nkill -ILL $$\n".into(), "SIGILL"),
        ("#!/no/such/interpreter\n".into(), "its interpreter or loader does not"),
        ("\x7fELF, of another machine".into(), "neither a program of this machine"),
    ] {
        let refusal = probed(&script).unwrap_err();
        assert!(
            refusal.starts_with("the engine does not run here: ") && refusal.contains(words),
            "{refusal}"
        );
        // The client knows no paths of this machine.
        assert!(!refusal.contains("/tmp/"), "{refusal}");
    }
}

#[test]
fn what_lies_elsewhere_at_the_client_is_told_as_it_is_there() {
    let place = Place { root: "/w/root".into(), tmp: "/w/tmp".into() };
    let elsewhere = [Elsewhere { place: ".flotilla/engine/0".into(), path: "/opt".into() }];
    let guest = Sandbox { rewrite: rewrite(&place, "/home/ada/v8", &elsewhere), ..Sandbox::default() };
    let told = guest.rewrite_text("/w/root/.flotilla/engine/0/qjs /w/root/a.js /w/tmp/x".into());
    assert_eq!(told, "/opt/qjs /home/ada/v8/a.js $TMPDIR/x");
    let dirs = libraries(&place, &[".flotilla/lib".into(), "out".into()]);
    assert_eq!(dirs, Some("/w/root/.flotilla/lib:/w/root/out".into()));
    assert_eq!(libraries(&place, &[]), None);
}
