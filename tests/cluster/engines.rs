//! Engines that lie outside of the tree, with libraries that other machines do not have.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::run::cluster;
use crate::support::{Fixture, Ran};

/// Compiles a C text.
fn compile(dir: &Path, name: &str, text: &str, args: &[&str]) {
    let source = dir.join("source.c");
    fs::write(&source, text).unwrap();
    fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
    let output = Command::new("cc").current_dir(dir).arg("-o").arg(name).arg(&source).args(args).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An engine that tells its own name and what its library says, and fails where an argument ends in `fail.js`.
const ENGINE: &str = r#"
#include <stdio.h>
#include <string.h>
const char *answer(void);
int main(int count, char **words) {
    printf("%s says %s\n", words[0], answer());
    for (int at = 1; at < count; at++)
        if (strlen(words[at]) >= 7 && strcmp(words[at] + strlen(words[at]) - 7, "fail.js") == 0) return 3;
    return 0;
}
"#;

#[actix_rt::test]
async fn an_engine_outside_of_the_tree_is_sent_with_its_libraries() {
    let fixture = Arc::new(Fixture::with(&[("pass", ""), ("fail", "")]));
    let apart = tempfile::tempdir().unwrap();
    let dir = apart.path().canonicalize().unwrap();
    let library = "const char *answer(void) { return \"forty-two\"; }";
    compile(&dir, "lib/libanswer.so", library, &["-shared", "-fPIC"]);
    compile(&dir, "bin/js", ENGINE, &["-Llib", "-lanswer", "-Wl,-rpath,$ORIGIN/../lib"]);
    let js = dir.join("bin/js").display().to_string();
    let cluster = cluster(2).await;
    let peer = cluster.daemon(1).addresses().work.to_string();
    let home = cluster.peers[0].home();
    let run = |args: Vec<String>, libraries: Option<&Path>| {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let mut command = fixture.command(&args);
        command.args(["--variants=default", "--local-jobs=0", "--peer", &peer]);
        command.env("FLOTILLA_HOME", home.path()).env_remove("LD_LIBRARY_PATH");
        if let Some(libraries) = libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        async move { Ran(actix_rt::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()) }
    };
    let ran = run(vec!["--shell".into(), js.clone()], None).await;
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let said = ran.stdout();
    for part in
        [&format!("{js} says forty-two\n"), &format!("\n{js} "), "2 tests ran", &format!("2 on {peer}")]
    {
        assert!(said.contains(part), "{part:?} is not in {}", ran.all());
    }
    assert!(!said.contains(".flotilla"), "{}", ran.all());
    // It was the library that was sent, not this one: the peer found it below its own root.
    let there = home_of_peer(&cluster).join(".flotilla/lib/libanswer.so");
    assert_eq!(fs::read(there).unwrap(), fs::read(dir.join("lib/libanswer.so")).unwrap());

    // An engine that finds its library by the environment alone.
    compile(&dir, "other/js", ENGINE, &["-Llib", "-lanswer"]);
    let other = dir.join("other/js").display().to_string();
    let ran = run(vec!["--shell".into(), other.clone()], Some(&dir.join("lib"))).await;
    assert!(ran.stdout().contains(&format!("{other} says forty-two\n")), "{}", ran.all());
    // One whose library is nowhere does not get as far as a verdict.
    let ran = run(vec!["--shell".into(), other.clone()], None).await;
    assert!(ran.stderr().contains("the engine does not run here"), "{}", ran.all());
    assert!(ran.stderr().contains(&format!("{other} /dev/null")), "{}", ran.all());
    // What a script loads nobody can tell.
    let ran = run(Vec::new(), Some(&dir.join("lib"))).await;
    assert!(ran.stderr().contains("LD_LIBRARY_PATH is set"), "{}", ran.all());
    cluster.end().await;
}

fn home_of_peer(cluster: &crate::harness::Cluster) -> std::path::PathBuf {
    let client = cluster.peers[0].fingerprint.to_string();
    cluster.peers[1].home().path().join("work").join(client).join("root")
}
