//! Three machines on a network, each with a real `peerd`. Needs root and iproute2; says so and does nothing otherwise.
//! Prints how long what takes (`--nocapture`).

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bridge;
mod machine;

use bridge::{Bridge, Host, usable};
use machine::failed;

#[test]
fn three_machines_on_a_network_trust_over_a_chain_until_it_is_withdrawn() {
    let Some(bridge) = Bridge::build(&["a", "b", "c"]) else { return };
    let [a, b, c] = ["a", "b", "c"].map(|name| Host::new(&bridge, name));
    for host in [&a, &b, &c] {
        host.start();
    }
    a.approve(&b);
    b.approve(&a);
    b.approve(&c);
    c.approve(&b);
    let seen = a.until_sees("C can be used through B", &c, usable);
    assert_eq!(seen["chain"], serde_json::json!([b.machine.name(), c.machine.name()]));
    assert_eq!((&seen["address"], &seen["link"]), (&"10.78.0.3:9992".into(), &"up".into()));
    assert!(a.done(&["status"]).contains("2 of 2 known peers can be used"));

    b.done(&["revoke", &c.machine.name()]);
    let seen = a.until_sees("C is revoked on B", &c, |peer| peer["i_trust"] == false && peer["link"] != "up");
    assert!(seen["reason"].as_str().unwrap().contains("approved neither here nor by a trusted key"));
    b.approve(&c);
    a.until_sees("C is approved again", &c, usable);

    c.machine.send(rustix::process::Signal::KILL);
    a.until_sees("C is killed, its link is down", &c, |peer| !usable(peer));
    a.until_sees("and it is gone", &c, |peer| peer["present"] == false);

    // Somebody else at C's address, with a key of its own.
    let thief = Host::new(&bridge, "c");
    thief.start();
    let seen = a.until_sees("another key at C's address", &thief, |peer| peer["present"] == true);
    assert_eq!((&seen["address"], &seen["usable"]), (&"10.78.0.3:9992".into(), &false.into()));
    assert!(seen["reason"].as_str().unwrap().contains("not trusted"));
    assert_eq!(a.sees(&c)["usable"], false);
    thief.done(&["stop"]);

    c.start_again();
    a.until_sees("C is back", &c, usable);
    for host in [&a, &b, &c] {
        host.done(&["stop"]);
        failed(host.command(&["status"]).output().unwrap(), 1, &["no daemon runs"]);
    }
}
