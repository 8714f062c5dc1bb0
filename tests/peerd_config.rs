//! `peerd.toml`, the environment and `--set`, through the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod machine;

use std::fs;

use machine::{Machine, failed, succeeded};

#[test]
fn setup_writes_a_configuration_that_says_nothing_and_keeps_one_that_is_there() {
    let machine = Machine::new();
    let written = fs::read_to_string(machine.path("peerd.toml")).unwrap();
    assert_eq!(written, include_str!("../conf/peerd.toml"));
    let own = "[trust]\ntransitive = false\n";
    fs::write(machine.path("peerd.toml"), own).unwrap();
    machine.done(&["setup"]);
    assert_eq!(fs::read_to_string(machine.path("peerd.toml")).unwrap(), own);
}

#[test]
fn what_is_wrong_in_the_file_is_said_with_its_place_and_the_line() {
    let machine = Machine::new();
    for (text, parts) in [
        ("[work]\njobz = 3\n", ["line 2, column 1", "jobz = 3", "unknown field"]),
        ("[work]\njobs = \"many\"\n", ["line 2, column 8", "jobs = \"many\"", "invalid type"]),
        ("[wrok]\njobs = 3\n", ["line 1, column 2", "[wrok]", "unknown field"]),
        ("[local]\naddress = \"0.0.0.0:1\"\n", ["line 2, column 11", "0.0.0.0", "loopback"]),
        ("[work\n", ["line 1, column 6", "[work", "peerd.toml"]),
    ] {
        fs::write(machine.path("peerd.toml"), text).unwrap();
        failed(machine.serving("start", &[]).output().unwrap(), 1, &parts);
        failed(machine.serving("run", &[]).output().unwrap(), 1, &parts);
        machine.refused(&["log"], 1, &parts);
    }
    fs::remove_file(machine.path("peerd.toml")).unwrap();
    fs::create_dir(machine.path("peerd.toml")).unwrap();
    failed(machine.serving("start", &[]).output().unwrap(), 1, &["cannot read", "peerd.toml"]);
    assert_eq!(machine.pid(), None);
}

#[test]
fn a_bad_value_in_the_environment_names_the_variable() {
    let machine = Machine::new();
    let output = machine.serving("start", &[]).env("FLOTILLA_WORK__JOBS", "many").output().unwrap();
    failed(output, 1, &["FLOTILLA_WORK__JOBS='many'", "expected a nonzero u16"]);
}

#[test]
fn an_unknown_variable_is_a_warning_with_the_nearest_name() {
    let machine = Machine::new();
    let mut command = machine.serving("start", &[]);
    command.env("FLOTILLA_WORK__JOB", "3").env("FLOTILLA_LOG", "debug").env("FLOTILLA_RUN", "1.2");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let warning = "the variable FLOTILLA_WORK__JOB is no setting; did you mean 'FLOTILLA_WORK__JOBS'?";
    assert!(said.contains(warning), "{said}");
    assert_eq!(said.matches("is no setting").count(), 1, "others are reserved: {said}");
    assert!(machine.log().contains(warning));
}

#[test]
fn a_bad_option_is_a_matter_of_usage() {
    let machine = Machine::new();
    for word in ["start", "run", "restart"] {
        for (set, part) in [
            ("work.job=3", "did you mean 'work.jobs'"),
            ("jobs", "not SECTION.KEY=VALUE"),
            ("work.jobs=0", "--set work.jobs=0"),
            ("log.level=loud", "--set log.level=loud"),
        ] {
            failed(machine.serving(word, &["--set", set]).output().unwrap(), 2, &[part]);
        }
    }
}

#[test]
fn options_come_before_the_environment_and_that_before_the_file() {
    let machine = Machine::new();
    let start = |variable: Option<&str>, option: Option<&str>, expected: &str| {
        let mut command = machine.serving("start", &[]);
        variable.into_iter().for_each(|file| {
            command.env("FLOTILLA_LOG__FILE", file);
        });
        option.into_iter().for_each(|file| {
            command.args(["--set", &format!("log.file={file}")]);
        });
        succeeded(command.output().unwrap());
        assert!(machine.path(expected).exists(), "{expected}");
        machine.done(&["stop"]);
    };
    start(None, None, "log/peerd.log");
    fs::write(machine.path("peerd.toml"), "[log]\nfile = \"file.log\"\n").unwrap();
    start(None, None, "file.log");
    start(Some("variable.log"), None, "variable.log");
    start(Some("none.log"), Some("option.log"), "option.log");
    assert!(!machine.path("none.log").exists());
}
