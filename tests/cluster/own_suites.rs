//! Suites of one's own run on peers like all others.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use crate::harness::Cluster;
use crate::support::{Fixture, RUNNER, Ran};

#[actix_rt::test]
async fn own_suites_run_on_peers() {
    let fixture = Arc::new(Fixture::new());
    fixture.copy("conf/suites", "test");
    // A V8 checkout: of its directories only those go along that are known to be needed.
    fixture.file("tools/testrunner/none.py", "");
    fixture.file("include/v8-version.h", "#define V8_MAJOR_VERSION 9\n#define V8_MINOR_VERSION 2\n");
    // Tests that are programs, and need a file of another directory.
    let toml = "kind = 'files'\nfiles = '*.sh'\ncommand = '{file} {root}/data'\ninputs = ['data']\n\
                [judge]\nstdout = '^forty-two$'\n";
    fixture.file("test/programs/suite.toml", toml);
    fixture.file("test/programs/a.sh", "#!/bin/sh\ncat \"$1/answer\"\n");
    std::fs::set_permissions(fixture.path("test/programs/a.sh"), std::fs::Permissions::from_mode(0o755))
        .unwrap();
    fixture.file("data/answer", "forty-two\n");
    let builtin = vec![RUNNER.into(), "shell".into()];
    let cluster =
        Cluster::start_with(2, |_, settings| settings.work_settings.builtin = builtin.clone()).await;
    cluster.befriend(0, 1).await;
    let peer = cluster.daemon(1).addresses().work.to_string();
    let home = cluster.peers[0].home();
    let run = |args: &[&str]| {
        let mut command = fixture.command(args);
        command.args(["--local-jobs=0", "--peer", &peer]).env("FLOTILLA_HOME", home.path());
        // Cargo sets it for tests; which libraries a script loads nobody can tell.
        command.env_remove("LD_LIBRARY_PATH");
        async move { Ran(actix_rt::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()) }
    };
    let ran = run(&["files", "gtest", "list", "programs", "--shell=builtin"]).await;
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    for part in ["11 tests ran", &format!("11 on {peer}")] {
        assert!(ran.stdout().contains(part), "{part:?} is not in {}", ran.all());
    }
    // What is judged there is judged as here.
    fixture.file("data/answer", "forty-one\n");
    fixture.file("test/files/greet.out", "hello, you\n");
    let ran = run(&["files", "programs", "--shell=builtin"]).await;
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    for part in ["expected \"hello, you\"", "stdout does not match \"^forty-two$\"", "2 unexpected"] {
        assert!(ran.stdout().contains(part), "{part:?} is not in {}", ran.all());
    }
    // An engine of this machine that a test is told of as an argument is nowhere else.
    fixture
        .file("test/engine/suite.toml", "kind = 'files'\nfiles = '*.js'\ncommand = 'true {shell} {file}'\n");
    fixture.file("test/engine/a.js", "");
    let ran = run(&["engine", "--shell=/bin/true"]).await;
    assert!(
        ran.stderr().contains("a command names /bin/true, which lies outside of the tree"),
        "{}",
        ran.all()
    );
    cluster.end().await;
}
