//! Discovery over a network of its own: three hosts, each a network namespace, on a bridge without a default route.
//! Needs root and iproute2; says so and does nothing otherwise.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix::{Actor, Context, Handler};
use ed25519_dalek::SigningKey;
use flotilla_actors::net::discovery::{
    Announced, Census, Discovery, DiscoverySetup, List, Network, Notice, OwnState, StopDiscovery,
};
use flotilla_actors::net::membership::Peer;
use flotilla_messages::for_tests::skipped;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::sync::Barrier;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

const HOSTS: u8 = 3;
/// How long a host may take for each thing it waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Namespaces that go when the test does. None of it touches the machine's own network.
struct Bridge(String);

impl Bridge {
    fn build() -> Result<Self, String> {
        let bridge = Self(format!("flotilla{}", std::process::id()));
        let hub = bridge.name("hub");
        ip(&format!("netns add {hub}"))?;
        ip(&format!("-n {hub} link add br0 type bridge"))?;
        ip(&format!("-n {hub} link set br0 up"))?;
        for n in 1..=HOSTS {
            let host = bridge.host(n);
            ip(&format!("netns add {host}"))?;
            ip(&format!("-n {hub} link add port{n} type veth peer name eth0 netns {host}"))?;
            ip(&format!("-n {hub} link set port{n} master br0 up"))?;
            ip(&format!("-n {host} address add 10.77.0.{n}/24 broadcast + dev eth0"))?;
            ip(&format!("-n {host} link set lo up"))?;
            ip(&format!("-n {host} link set eth0 up"))?;
        }
        Ok(bridge)
    }

    fn name(&self, of: &str) -> String {
        format!("{}-{of}", self.0)
    }

    fn host(&self, n: u8) -> String {
        self.name(&n.to_string())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        for name in (1..=HOSTS).map(|n| self.host(n)).chain([self.name("hub")]) {
            let _ = ip(&format!("netns delete {name}"));
        }
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").args(arguments.split(' ')).output().map_err(|e| format!("ip: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("ip {arguments}: {said}")) }
}

/// Passes on each notice to the tests that wait for a change.
struct Registry(UnboundedSender<Notice>);

impl Actor for Registry {
    type Context = Context<Self>;
}

impl Handler<Notice> for Registry {
    type Result = ();

    fn handle(&mut self, notice: Notice, _: &mut Self::Context) {
        let _ = self.0.send(notice);
    }
}

/// Runs a peer in this namespace until it has seen all others, then the first leaves and the others notice.
fn host(namespace: String, n: u8, all_are_seen: Arc<Barrier>) -> JoinHandle<Census> {
    std::thread::spawn(move || {
        let file = File::open(format!("/var/run/netns/{namespace}")).unwrap();
        // This thread alone, and those it starts.
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        actix_rt::System::new().block_on(async {
            let (sender, mut notices) = unbounded_channel();
            let setup = DiscoverySetup {
                key: SigningKey::from_bytes(&[n; 32]),
                announced: Announced { boot: 1, protocol: (1, 1), work_port: 9992, status_port: 9994 },
                state: OwnState { jobs: 1, serial: 0 },
                network: Network::default(),
                static_peers: Vec::new(),
                capacity: 64,
                seed: n.into(),
                notices: Registry(sender).start().recipient(),
            };
            let discovery = Discovery::start(setup).unwrap();
            // Nobody comes or goes without a notice, so there is nothing to look at before the next one.
            let mut until = async |count: usize| {
                let end = Instant::now() + PATIENCE;
                loop {
                    let census = discovery.send(List).await.unwrap();
                    if census.peers.len() == count {
                        return census;
                    }
                    let notice = timeout_at(end, notices.recv()).await;
                    assert!(notice.is_ok(), "host {n} does not see {count} peers: {census:?}");
                }
            };
            let census = until(usize::from(HOSTS) - 1).await;
            let others = timeout_at(Instant::now() + PATIENCE, all_are_seen.wait()).await;
            assert!(others.is_ok(), "host {n} waits for the others");
            if n == 1 {
                discovery.send(StopDiscovery).await.unwrap();
            } else {
                until(usize::from(HOSTS) - 2).await;
            }
            census
        })
    })
}

#[test]
fn three_hosts_on_a_bridge_without_a_default_route_find_one_another() {
    if !rustix::process::geteuid().is_root() {
        skipped("root, for network namespaces");
        return;
    }
    let bridge = match Bridge::build() {
        Ok(bridge) => bridge,
        Err(reason) => {
            skipped(&format!("network namespaces: {reason}"));
            return;
        }
    };
    let all_are_seen = Arc::new(Barrier::new(HOSTS.into()));
    let hosts: Vec<_> = (1..=HOSTS).map(|n| host(bridge.host(n), n, all_are_seen.clone())).collect();
    for (n, host) in (1_u8..).zip(hosts) {
        let census = host.join().unwrap();
        let mut seen: Vec<SocketAddr> = census.peers.iter().flat_map(Peer::status_addresses).collect();
        seen.retain(SocketAddr::is_ipv4);
        seen.sort();
        let others = (1..=HOSTS).filter(|other| *other != n);
        let expected: Vec<SocketAddr> =
            others.map(|other| (Ipv4Addr::new(10, 77, 0, other), 9994).into()).collect();
        assert_eq!(seen, expected, "host {n}");
        assert!(census.heard.good > 0 && census.heard.forged == 0);
    }
}
