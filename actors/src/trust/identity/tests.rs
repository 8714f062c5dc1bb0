//! The home directory: what it makes, what it refuses.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use ed25519_dalek::SigningKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::KeyError;
use flotilla_messages::for_tests::skipped;
use flotilla_messages::statement::Statement;

use super::key::public_pem;
use super::*;
use crate::trust::TrustRecord;

const NOW: u64 = 1_700_000_000;

fn home() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("home"));
    (dir, home)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn secret(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

/// What a command prints, or `None` with a message where it is not installed.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let Ok(output) = Command::new(program).args(args).stdin(Stdio::null()).output() else {
        skipped(program);
        return None;
    };
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn setup_makes_an_identity_once() {
    let (_dir, home) = home();
    assert!(matches!(home.identity(), Err(HomeError::NoIdentity(_))));
    let (first, created) = home.setup().unwrap();
    assert!(created);
    let key = fs::read(home.key_file()).unwrap();
    let (second, created) = home.setup().unwrap();
    assert!(!created);
    assert_eq!(first.fingerprint(), second.fingerprint());
    assert_eq!(fs::read(home.key_file()).unwrap(), key);
    assert_eq!(home.identity().unwrap().fingerprint(), first.fingerprint());
    assert_eq!(mode(&home.key_file()), 0o600);
    assert_eq!(mode(&home.path().join("data")), 0o700);
    let named = fs::read_to_string(home.path().join("data/mypubkey")).unwrap();
    assert_eq!(named.trim_end(), first.fingerprint().to_string());
    assert_eq!(public_key_file(&home.trusted_file(&first.fingerprint())).unwrap(), first.public_key());
    let contents = home.contents(&first).unwrap();
    assert!(contents.state.approvals.is_empty() && contents.warnings.is_empty(), "{contents:?}");
}

#[test]
fn two_setups_at_a_time_agree_on_one_identity() {
    let (_dir, home) = home();
    let names: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| home.setup().unwrap().0.fingerprint())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
}

#[test]
fn setup_never_overwrites_a_key_it_cannot_use() {
    let (_dir, home) = home();
    home.setup().unwrap();
    fs::write(home.key_file(), "precious").unwrap();
    assert!(matches!(home.setup(), Err(HomeError::NoPrivateKey(_))));
    assert_eq!(fs::read(home.key_file()).unwrap(), b"precious");
}

#[test]
fn setup_clears_what_an_earlier_one_left_unfinished() {
    let (_dir, home) = home();
    home.setup().unwrap();
    let left = home.path().join("data/.identity.key.0123456789abcdef.tmp");
    fs::write(&left, "half").unwrap();
    home.setup().unwrap();
    assert!(!left.exists());
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
    let (_dir, home) = home();
    home.setup().unwrap();
    for bad in [0o640, 0o604, 0o660, 0o602, 0o610] {
        set_mode(&home.key_file(), bad);
        assert!(matches!(home.identity(), Err(HomeError::Exposed { mode, .. }) if mode == bad), "{bad:o}");
    }
    set_mode(&home.key_file(), 0o400);
    assert!(home.identity().is_ok());
}

#[test]
fn directories_that_others_can_write_to_are_refused() {
    let (_dir, home) = home();
    home.setup().unwrap();
    for name in ["", "data", "trusted", "barred"] {
        let path = home.path().join(name);
        let before = mode(&path);
        set_mode(&path, before | 0o020);
        assert!(matches!(home.identity(), Err(HomeError::Writable { .. })), "{name}");
        assert!(matches!(home.lock(), Err(HomeError::Writable { .. })), "{name}");
        set_mode(&path, before);
    }
    assert!(home.identity().is_ok());
}

#[test]
fn a_key_file_that_is_no_file_is_refused() {
    let (dir, home) = home();
    home.setup().unwrap();
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(home.key_file(), &elsewhere).unwrap();
    symlink(&elsewhere, home.key_file()).unwrap();
    assert!(matches!(home.identity(), Err(HomeError::NotAFile(_))));
    fs::remove_file(home.key_file()).unwrap();
    fs::create_dir(home.key_file()).unwrap();
    assert!(matches!(home.identity(), Err(HomeError::NotAFile(_))));
}

#[test]
fn a_key_file_that_is_not_ed25519_is_refused() {
    let (dir, home) = home();
    home.setup().unwrap();
    let good = fs::read(home.key_file()).unwrap();
    let public = secret(1).verifying_key();
    let mut damaged = good.clone();
    damaged[40] ^= 1;
    for bad in [&b""[..], b"\xff\xfe", &good[..good.len() / 2], public_pem(&public).as_bytes(), &damaged[..]]
    {
        fs::write(home.key_file(), bad).unwrap();
        assert!(
            matches!(home.identity(), Err(HomeError::NoPrivateKey(_))),
            "{}",
            String::from_utf8_lossy(bad)
        );
    }
    fs::write(home.key_file(), vec![b'-'; 5000]).unwrap();
    assert!(matches!(home.identity(), Err(HomeError::TooLarge { .. })));
    for (kind, genpkey) in OTHER_KEYS {
        let Some(other) = other_key(dir.path(), kind, genpkey) else { return };
        fs::write(home.key_file(), fs::read(other).unwrap()).unwrap();
        assert!(matches!(home.identity(), Err(HomeError::NoPrivateKey(_))), "{kind}");
    }
}

/// Keys that are no unencrypted Ed25519 keys, and what makes `openssl genpkey` make them.
const OTHER_KEYS: [(&str, &str); 6] = [
    ("X25519", "-algorithm X25519"),
    ("Ed448", "-algorithm ED448"),
    ("P-256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
    ("RSA", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
    ("RSA-PSS", "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"),
    ("encrypted", "-algorithm ED25519 -aes-128-cbc -pass pass:secret"),
];

/// Makes such a key.
fn other_key(directory: &Path, kind: &str, genpkey: &str) -> Option<String> {
    let path = directory.join(kind).to_str().unwrap().to_owned();
    let args: Vec<_> = ["genpkey", "-out", &path].into_iter().chain(genpkey.split(' ')).collect();
    output("openssl", &args).map(|_| path)
}

#[test]
fn a_public_key_that_is_not_ed25519_is_not_approved_nor_is_any_private_one() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, genpkey) in OTHER_KEYS {
        let Some(private) = other_key(dir.path(), kind, genpkey) else { return };
        let given = public_key_file(Path::new(&private));
        assert!(matches!(given, Err(HomeError::PrivateKeyGiven(_))), "{kind}: {given:?}");
        if kind == "encrypted" {
            continue;
        }
        let public = format!("{private}.pub");
        output("openssl", &["pkey", "-in", &private, "-pubout", "-out", &public]).unwrap();
        let given = public_key_file(Path::new(&public));
        assert!(
            matches!(given, Err(HomeError::NoPublicKey { why: KeyError::Malformed, .. })),
            "{kind}: {given:?}"
        );
        // The older forms: each says in its first line what it is.
        if kind == "RSA" || kind == "P-256" {
            let older = output("openssl", &["pkey", "-in", &private, "-traditional"]).unwrap();
            let given = public_key(older.as_bytes());
            assert_eq!(given, Err(NoPublicKey::Private), "{kind}: {older}");
        }
    }
    // A certificate is no key either, even if it is about the right kind.
    let (key, cert) = (dir.path().join("key"), dir.path().join("cert"));
    let (key, cert) = (key.to_str().unwrap(), cert.to_str().unwrap());
    let request = "req -x509 -newkey ed25519 -nodes -subj /CN=peer -keyout";
    let args: Vec<_> = request.split(' ').chain([key, "-out", cert]).collect();
    output("openssl", &args).unwrap();
    let given = public_key_file(Path::new(cert));
    assert!(matches!(given, Err(HomeError::NoPublicKey { why: KeyError::Malformed, .. })), "{given:?}");
}

#[test]
fn openssl_reads_our_keys_and_we_read_openssls() {
    let (dir, home) = home();
    let (identity, _) = home.setup().unwrap();
    let public = home.trusted_file(&identity.fingerprint());
    let public = public.to_str().unwrap();
    let Some(text) = output("openssl", &["pkey", "-pubin", "-in", public, "-noout", "-text"]) else { return };
    assert!(text.contains("ED25519"), "{text}");
    let script = format!("openssl pkey -pubin -in '{public}' -outform DER | sha256sum");
    let sum = output("sh", &["-c", &script]).unwrap();
    assert!(sum.starts_with(&identity.fingerprint().to_string()), "{sum}");
    let key = home.key_file();
    let again = output("openssl", &["pkey", "-in", key.to_str().unwrap(), "-pubout"]).unwrap();
    assert_eq!(again, fs::read_to_string(public).unwrap(), "it reads the private key as well");

    let theirs = dir.path().join("theirs.pem");
    let theirs_public = dir.path().join("theirs.pub.pem");
    output("openssl", &["genpkey", "-algorithm", "ED25519", "-out", theirs.to_str().unwrap()]);
    output(
        "openssl",
        &["pkey", "-in", theirs.to_str().unwrap(), "-pubout", "-out", theirs_public.to_str().unwrap()],
    );
    set_mode(&theirs, 0o600);
    let identity = Identity::read(&theirs).unwrap();
    assert_eq!(public_key_file(&theirs_public).unwrap(), identity.public_key());
}

#[test]
fn only_a_public_ed25519_key_is_taken_for_one() {
    let (dir, home) = home();
    home.setup().unwrap();
    assert!(matches!(public_key_file(&home.key_file()), Err(HomeError::PrivateKeyGiven(_))));
    assert!(matches!(public_key_file(dir.path()), Err(HomeError::NotAFile(_))));
    assert!(matches!(public_key_file(Path::new("/dev/zero")), Err(HomeError::NotAFile(_))));
    let file = dir.path().join("key.pem");
    let weak = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n";
    let x25519 = public_pem(&secret(1).verifying_key()).replace("MCowBQYDK2Vw", "MCowBQYDK2Vu");
    for bad in ["", "hello", weak, &x25519] {
        fs::write(&file, bad).unwrap();
        assert!(matches!(public_key_file(&file), Err(HomeError::NoPublicKey { .. })), "{bad}");
    }
    fs::write(&file, "x".repeat(5000)).unwrap();
    assert!(matches!(public_key_file(&file), Err(HomeError::TooLarge { .. })));
}

#[test]
fn what_is_stored_is_read_again() {
    let (_dir, home) = home();
    let (identity, _) = home.setup().unwrap();
    let [a, b, c] = [1, 2, 3].map(|n| secret(n).verifying_key());
    let name = Fingerprint::of;
    let statement = Statement::new(a, 1, NOW, [name(&b)]).sign(&secret(1)).unwrap();
    let own = identity.sign(Statement::new(identity.public_key(), 1, NOW, [name(&a)])).unwrap();
    let records = [
        TrustRecord::Approval(a),
        TrustRecord::Approval(b),
        TrustRecord::Statement(statement.clone()),
        TrustRecord::Statement(own.clone()),
        TrustRecord::Bar(name(&b)),
        TrustRecord::NoApproval(name(&b)),
        TrustRecord::Bar(name(&c)),
    ];
    let _lock = home.lock().unwrap();
    for record in records {
        home.store(&record).unwrap();
    }
    let Contents { mut state, warnings } = home.contents(&identity).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(state.approvals, [a]);
    state.barred.sort_unstable();
    let mut barred = [name(&b), name(&c)];
    barred.sort_unstable();
    assert_eq!(state.barred, barred);
    assert_eq!(state.statements.len(), 2);
    assert!(state.statements.contains(&statement) && state.statements.contains(&own));
    assert_eq!(home.barred_key(&name(&b)), Some(b), "so that it can be approved again");
    assert_eq!(home.barred_key(&name(&c)), None);
    for record in
        [TrustRecord::NoBar(name(&b)), TrustRecord::NoStatement(name(&a)), TrustRecord::NoStatement(name(&a))]
    {
        home.store(&record).unwrap();
    }
    let state = home.contents(&identity).unwrap().state;
    assert_eq!((state.barred, state.statements), (vec![name(&c)], vec![own]));
}

#[test]
fn a_file_is_checked_against_its_name() {
    let (_dir, home) = home();
    let (identity, _) = home.setup().unwrap();
    let [a, b] = [1, 2].map(|n| secret(n).verifying_key());
    let statement = Statement::new(a, 1, NOW, []).sign(&secret(1)).unwrap();
    let of_b = home.path().join(format!("trusted/{}.statement", Fingerprint::of(&b)));
    fs::write(&of_b, statement.bytes()).unwrap();
    let bad = home.path().join(format!("trusted/{}.statement", Fingerprint::of(&a)));
    fs::write(&bad, &statement.bytes()[1..]).unwrap();
    fs::write(home.path().join("trusted/bob.pem"), public_pem(&b)).unwrap();
    let upper = Fingerprint::of(&b).to_string().to_uppercase();
    fs::write(home.path().join("barred").join(upper), "").unwrap();
    let contents = home.contents(&identity).unwrap();
    assert!(contents.state.statements.is_empty() && contents.state.approvals.is_empty());
    assert!(contents.state.barred.is_empty());
    assert_eq!(contents.warnings.len(), 4, "{:?}", contents.warnings);
    fs::write(home.trusted_file(&Fingerprint::of(&a)), public_pem(&b)).unwrap();
    let found = home.contents(&identity).unwrap_err();
    assert!(matches!(found, HomeError::OtherKey { key, .. } if key == Fingerprint::of(&b)), "{found}");
}
