//! test262 over a peer: files are put together there, of the tree that was sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::equality::cluster;
use crate::support::Ran;
use crate::support::test262::checkout;

/// Each half's verdict, by name; what stands in brackets behind it is where it ran.
fn verdicts(ran: &Ran) -> BTreeMap<String, String> {
    let lines = ran.stdout();
    let done = lines.lines().filter(|line| line.starts_with("test262/"));
    done.filter_map(|line| line.rsplit_once(": "))
        .map(|(name, verdict)| {
            (name.to_owned(), verdict.split_whitespace().next().unwrap_or_default().to_owned())
        })
        .collect()
}

#[actix_rt::test]
async fn a_checkout_of_test262_has_the_same_verdicts_on_a_peer() {
    let fixture = Arc::new(checkout());
    let cluster = cluster(2).await;
    let peer = cluster.daemon(1).addresses().work.to_string();
    let home = cluster.peers[0].home();
    let run = |more: &[&str]| {
        let mut command = fixture.command(&["-p", "verbose", "--no-history", "--exit-after-n-failures=0"]);
        command.args(more).env("FLOTILLA_HOME", home.path()).env_remove("LD_LIBRARY_PATH");
        async move { Ran(actix_rt::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()) }
    };
    let here = run(&["--no-network"]).await;
    assert_eq!(here.code(), Some(1), "{}", here.all());
    let there = run(&["--local-jobs=0", "--confirm-failures=off", "--peer", &peer]).await;
    assert_eq!(there.code(), Some(1), "{}", there.all());
    assert!(there.stdout().contains(&format!("on {peer}")), "{}", there.all());
    let told = there.all();
    let (here, there) = (verdicts(&here), verdicts(&there));
    assert!(here.len() > 25 && here["test262/language/module/imports default module"] == "pass", "{here:?}");
    assert_eq!(here, there, "{told}");
    cluster.end().await;
}
