//! Builds of several eras, found and read.

use std::fs;

use serde_json::{Map, Value};

use super::{Build, host_arch};
use crate::expectations::{Variable, Variables};
use crate::kit::error::OpenError;
use crate::kit::options::{Options, Shell};
use crate::v8::dialect::{
    ConfigKey, ConfigKeys, Dialect, NEWEST, Property, SANITIZED, V5_4, V7_0, V8_4, V9_2,
};
use crate::v8::mode::Mode;

const CONFIG_FILE: &str = "v8_build_config.json";

fn named_keys(dialect: &Dialect) -> &'static [ConfigKey] {
    match dialect.build.keys {
        ConfigKeys::Named(keys) => keys,
        ConfigKeys::Every { .. } => panic!("{}", dialect.name),
    }
}

fn config(changes: &[(&str, Value)]) -> Vec<u8> {
    let mut config = Map::new();
    for key in named_keys(&V9_2).iter().chain(named_keys(&V7_0)) {
        config.insert(key.key.into(), Value::Bool(key.inverted));
    }
    for cpu in ["target_cpu", "v8_target_cpu"] {
        config.insert(cpu.into(), "x64".into());
    }
    for (key, value) in changes {
        config.insert((*key).into(), value.clone());
    }
    serde_json::to_vec(&config).unwrap()
}

/// The configuration of a build of the newest version.
fn newest(changes: &[(&str, Value)]) -> Vec<u8> {
    let ConfigKeys::Every { unbuilt, .. } = NEWEST.build.keys else { panic!() };
    let mut config: Map<String, Value> =
        unbuilt.iter().map(|(key, value)| ((*key).to_owned(), Value::Bool(*value))).collect();
    config.insert("arch".into(), "x64".into());
    for (key, value) in changes {
        config.insert((*key).into(), value.clone());
    }
    serde_json::to_vec(&config).unwrap()
}

fn read(dialect: &Dialect, config: &[u8]) -> Result<Build, String> {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("out")).unwrap();
    fs::write(root.path().join("out").join(CONFIG_FILE), config).unwrap();
    let options = Options { root: root.path().into(), ..Options::default() };
    Build::read(&options, dialect, false).map_err(|error| error.to_string())
}

fn build(dialect: &Dialect, changes: &[(&str, Value)]) -> Build {
    read(dialect, &config(changes)).unwrap()
}

fn variables(build: &Build, dialect: &Dialect, extra_flags: &[&str]) -> Variables {
    let flags: Vec<String> = extra_flags.iter().map(|flag| (*flag).into()).collect();
    build.variables(&Options::default(), &flags, dialect, &[])
}

#[test]
fn a_configuration_gives_variables() {
    let build = build(
        &V9_2,
        &[
            ("v8_target_cpu", "x86".into()),
            ("v8_enable_webassembly", true.into()),
            ("v8_enable_i18n_support", false.into()),
        ],
    );
    let variables = variables(&build, &V9_2, &["--optimize-for-size"]);
    assert_eq!(variables.get("is_android"), None, "V8's runner of that time has no such name");
    assert_eq!(variables.get("arch"), Some(&"ia32".into()));
    assert!(variables.is("has_webassembly") && variables.is("no_i18n") && variables.is("optimize_for_size"));
    assert!(variables.is("simulator_run"), "target_cpu is another one");
    assert_eq!(build.detected(), ["no_i18n", "webassembly"]);
    assert_eq!(variables.get("mips_arch_variant"), Some(&false.into()));
}

#[test]
fn checks_make_a_mode_only_where_they_did() {
    let label = |dialect| {
        let build = build(dialect, &[("dcheck_always_on", true.into())]);
        (build.mode.label(), variables(&build, dialect, &[]).get("mode").cloned())
    };
    assert_eq!(label(&V9_2), ("release+dchecks", Some("debug".into())));
    assert_eq!(label(&V8_4), ("release", Some("debug".into())));
    assert_eq!(label(&V7_0), ("release", Some("release".into())));
    assert_eq!(
        build(&V9_2, &[("is_debug", true.into()), ("dcheck_always_on", true.into())]).mode,
        Mode::Debug
    );
}

#[test]
fn every_key_of_a_newer_build_is_a_variable() {
    let changes = [
        ("official_build", true.into()),
        ("debugging_features", true.into()),
        ("verify_heap", true.into()),
        ("i18n", false.into()),
        ("is_ios", true.into()),
        ("mips_arch_variant", "".into()),
    ];
    let build = read(&NEWEST, &newest(&changes)).unwrap();
    assert_eq!(build.mode, Mode::Debug);
    assert!(
        build.has(Property::NoI18n) && build.has(Property::VerifyHeap) && !build.has(Property::SlowDchecks)
    );
    let variables = variables(&build, &NEWEST, &[]);
    assert!(variables.is("official_build") && variables.is("is_ios"));
    assert_eq!(variables.get("mode"), Some(&"debug".into()));
    assert_eq!(variables.get("system"), Some(&"ios".into()));
    assert_eq!(variables.get("device_type"), Some(&Variable::None));
    assert_eq!(variables.get("mips_arch_variant"), Some(&"".into()));
    assert!(build.detected().contains(&"official_build".to_owned()));
}

#[test]
fn a_simulator_is_told_by_its_key_unless_an_option_says_otherwise() {
    let build = read(&NEWEST, &newest(&[("simulator_run", true.into())])).unwrap();
    assert!(variables(&build, &NEWEST, &[]).is("simulator_run"));
    let options = Options { slow_simulator_tests: true, ..Options::default() };
    assert!(!build.variables(&options, &[], &NEWEST, &[]).is("simulator_run"));
}

#[test]
fn simd_is_off_by_flags_and_for_some_architectures() {
    let is_off = |dialect: &Dialect, arch: &str, flags: &[&str]| {
        let config = match dialect.name {
            "V8 9.2" => config(&[
                ("v8_target_cpu", arch.into()),
                ("mips_arch_variant", "r2".into()),
                ("mips_use_msa", true.into()),
            ]),
            _ => newest(&[("arch", arch.into())]),
        };
        variables(&read(dialect, &config).unwrap(), dialect, flags).is("no_simd_hardware")
    };
    assert!(!is_off(&NEWEST, "x64", &[]) && is_off(&NEWEST, "x64", &["--noenable-ssse3"]));
    assert!(!is_off(&V9_2, "x64", &["--noenable-ssse3"]), "a comma is missing there");
    assert!(is_off(&V9_2, "x64", &["--no-enable-ssse3"]));
    assert!(is_off(&NEWEST, "loong64", &[]) && is_off(&NEWEST, "mips64el", &[]));
    assert!(is_off(&V9_2, "mips64el", &[]), "only r6 with MSA has it");
}

#[test]
fn sanitizers_of_both_eras_are_sanitizers() {
    for (name, build) in [
        ("9.2", build(&V9_2, &[("is_ubsan_vptr", true.into())])),
        ("13.8", read(&NEWEST, &newest(&[("ubsan", true.into()), ("use_sanitizer", true.into())])).unwrap()),
    ] {
        assert!(build.has(Property::Ubsan) && build.is(SANITIZED) && !build.has(Property::Asan), "{name}");
    }
    assert!(!build(&V9_2, &[]).is(SANITIZED));
}

#[test]
fn broken_configurations_are_refused_with_file_and_key() {
    let refused = |dialect, config: &[u8]| read(dialect, config).unwrap_err();
    assert!(refused(&V9_2, b"{").contains("v8_build_config.json: is no JSON object: EOF"));
    assert!(refused(&V9_2, b"{}").ends_with("v8_build_config.json: lacks the key 'v8_target_cpu'"));
    assert!(
        refused(&V9_2, &config(&[("is_asan", 1.into())]))
            .ends_with("the key 'is_asan' should be true or false")
    );
    assert!(
        refused(&V9_2, &config(&[("v8_target_cpu", "mips64el".into())]))
            .ends_with("lacks the key 'mips_arch_variant'")
    );
    assert!(refused(&NEWEST, b"{\"asan\": true}").ends_with("v8_build_config.json: lacks the key 'arch'"));
}

#[test]
fn options_must_agree_with_the_build() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("out/build")).unwrap();
    fs::write(root.path().join("out/build").join(CONFIG_FILE), config(&[])).unwrap();
    let options = |arch: Option<&str>, mode: Option<&str>| Options {
        root: root.path().into(),
        arch: arch.map(String::from),
        mode: mode.map(String::from),
        ..Options::default()
    };
    let read = |arch, mode| Build::read(&options(arch, mode), &V9_2, false);
    assert_eq!(read(Some("x64"), Some("release")).unwrap().dir, Some(root.path().join("out/build")));
    let refused = read(Some("arm"), None).unwrap_err();
    assert!(
        refused.to_string().starts_with("the value 'arm' of --arch cannot be used: the build is for x64")
    );
    assert_eq!(refused.exit_code(), 5);
    assert!(read(None, Some("debug")).unwrap_err().to_string().contains("the build's mode is release"));
    assert!(read(None, Some("tryrelease")).unwrap_err().to_string().contains("neither debug nor release"));
    assert!(read(None, Some("optdebug")).unwrap_err().to_string().contains("the build's mode is release"));
    let older = |mode| Build::read(&options(None, Some(mode)), &V8_4, false).map(|build| build.mode);
    assert_eq!(older("slowrelease").unwrap(), Mode::SlowRelease);
    assert!(older("debug").is_err());
}

#[test]
fn classic_builds_are_known_by_their_directory() {
    let root = tempfile::tempdir().unwrap();
    let options = |arch: Option<&str>, mode: Option<&str>| Options {
        root: root.path().into(),
        arch: arch.map(String::from),
        mode: mode.map(String::from),
        ..Options::default()
    };
    let read = |arch, mode| Build::read(&options(arch, mode), &V5_4, false);
    assert_eq!(read(None, None).unwrap().dir, None);
    for dir in ["x64.release", "gen", "x64.nonsense"] {
        fs::create_dir_all(root.path().join("out").join(dir)).unwrap();
    }
    let build = read(None, None).unwrap();
    assert_eq!((build.arch.as_str(), build.mode), ("x64", Mode::Release));
    assert_eq!(build.dir, Some(root.path().join("out/x64.release")));
    let build = read(Some("x64"), Some("slowrelease")).unwrap();
    assert_eq!((build.mode, build.dir), (Mode::SlowRelease, Some(root.path().join("out/x64.release"))));
    fs::create_dir_all(root.path().join("out/arm.debug")).unwrap();
    assert_eq!(read(Some("arm"), None).unwrap().mode, Mode::Debug);
    let several = read(None, None).unwrap_err().to_string();
    assert!(several.ends_with("\n    builds here: arm.debug x64.release"), "{several}");
    let none = read(Some("arm"), Some("release")).unwrap_err();
    assert!(none.to_string().starts_with("there is no build of this architecture and mode in "), "{none}");
    assert!(read(None, Some("fast")).unwrap_err().to_string().contains("none of release, debug, optdebug"));
    let variables = build_variables(&read(Some("x64"), Some("tryrelease")).unwrap());
    assert_eq!(variables.get("mode"), Some(&"debug".into()));
}

#[test]
fn an_engine_that_is_named_needs_no_build_of_its_kind() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("out/x64.release")).unwrap();
    let foreign = if host_arch() == "arm" { "mips" } else { "arm" };
    let options = |shell: Shell, dir: Option<&str>| Options {
        root: root.path().into(),
        arch: Some(foreign.into()),
        mode: Some("debug".into()),
        shell,
        shell_dir: dir.map(Into::into),
        ..Options::default()
    };
    let read = |options: &Options| Build::read(options, &V5_4, false);
    assert!(read(&options(Shell::FromTree, None)).is_err());
    for options in [options(Shell::Builtin, None), options(Shell::FromTree, Some("elsewhere"))] {
        let build = read(&options).unwrap();
        assert_eq!((build.dir.as_ref(), build.arch.as_str(), build.mode), (None, foreign, Mode::Debug));
        let simulator = |options: &Options| build.variables(options, &[], &V5_4, &[]).is("simulator_run");
        assert!(simulator(&options));
        assert!(!simulator(&Options { slow_simulator_tests: true, ..options }));
    }
    let unsaid = Options { arch: None, mode: None, ..options(Shell::FromTree, Some("out/arm64.optdebug")) };
    let build = read(&unsaid).unwrap();
    assert_eq!((build.arch.as_str(), build.mode), ("arm64", Mode::OptDebug));
}

fn build_variables(build: &Build) -> Variables {
    build.variables(&Options::default(), &[], &V5_4, &[])
}

#[test]
fn without_a_build_this_host_counts() {
    let root = tempfile::tempdir().unwrap();
    let mut options = Options { root: root.path().into(), ..Options::default() };
    let build = Build::read(&options, &V9_2, false).unwrap();
    assert_eq!((build.arch.as_str(), build.mode), (host_arch(), Mode::Release));
    assert!(build.is("has_webassembly") && !build.is(SANITIZED));
    options.mode = Some("debug".into());
    options.arch = Some("arm".into());
    let build = Build::read(&options, &V9_2, false).unwrap();
    assert_eq!((build.arch.as_str(), build.mode), ("arm", Mode::Debug));
    options.outdir = "elsewhere".into();
    assert!(matches!(Build::read(&options, &V9_2, false), Err(OpenError::NoBuild { .. })));
}
