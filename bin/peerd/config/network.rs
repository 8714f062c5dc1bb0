//! Converts the names of peers and interfaces for discovery.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use flotilla_actors::net::discovery::{Interfaces, Network};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::settings::{Discovery, HostPort};

/// How long the lookup of all peers' names may take together: a daemon must start without a name server, too.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The UDP port, groups and interfaces of discovery.
pub fn udp(settings: &Discovery) -> Network {
    let interfaces = match &settings.interfaces[..] {
        [] => Interfaces::All,
        names => Interfaces::Only(names.to_vec()),
    };
    let Discovery { port, group_v4, group_v6, .. } = *settings;
    Network { port: port.get(), group_v4, group_v6, interfaces }
}

/// All addresses of these peers, and one warning for each name that has none.
pub async fn resolve(peers: &[HostPort]) -> (Vec<SocketAddr>, Vec<String>) {
    let (mut addresses, mut warnings) = (Vec::new(), Vec::new());
    let (sender, mut answers) = mpsc::unbounded_channel();
    let mut open = Vec::new();
    for peer in peers {
        if let Ok(address) = peer.as_str().parse() {
            addresses.push(address);
            continue;
        }
        // One thread for each name, as a name server that does not answer blocks for many seconds. Late threads end by
        // themselves.
        let (name, sender) = (peer.as_str().to_owned(), sender.clone());
        open.push(name.clone());
        std::thread::spawn(move || {
            let found = name.to_socket_addrs().map(Vec::from_iter);
            // Fails if the receiver is gone: the time is up.
            let _ = sender.send((name, found));
        });
    }
    drop(sender);
    let end = Instant::now() + LOOKUP_TIMEOUT;
    while let Ok(Some((name, found))) = timeout_at(end, answers.recv()).await {
        open.retain(|other| *other != name);
        match found {
            Ok(found) => addresses.extend(found),
            Err(error) => warnings.push(format!("cannot find the peer {name}: {error}")),
        }
    }
    let silent = |name: &String| {
        format!("cannot find the peer {name}: no answer within {} s", LOOKUP_TIMEOUT.as_secs())
    };
    warnings.extend(open.iter().map(silent));
    addresses.sort_unstable();
    addresses.dedup();
    (addresses, warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(names: &[&str]) -> Vec<HostPort> {
        names.iter().map(|name| toml::Value::from(*name).try_into().unwrap()).collect()
    }

    fn resolved(names: &[&str]) -> (Vec<SocketAddr>, Vec<String>) {
        actix::System::new().block_on(async { resolve(&peers(names)).await })
    }

    #[test]
    fn addresses_are_taken_as_they_are_and_none_twice() {
        let (addresses, warnings) = resolved(&["10.0.0.2:1", "10.0.0.1:1", "10.0.0.2:1", "[fe80::1]:2"]);
        assert_eq!(warnings, [""; 0]);
        let expected = ["10.0.0.1:1", "10.0.0.2:1", "[fe80::1]:2"].map(|text| text.parse().unwrap());
        assert_eq!(addresses, expected);
    }

    #[test]
    fn a_name_without_an_address_is_a_warning_and_the_others_count() {
        // A label longer than DNS allows: no name server is asked.
        let long = format!("{}:9993", "x".repeat(64));
        let (addresses, warnings) = resolved(&[&long, "127.0.0.1:5"]);
        assert_eq!(addresses, ["127.0.0.1:5".parse().unwrap()]);
        assert!(warnings.len() == 1 && warnings[0].contains(&long), "{warnings:?}");
    }

    #[test]
    fn no_interface_means_all() {
        let mut settings = Discovery::default();
        assert_eq!(udp(&settings), Network::default());
        settings.interfaces = vec!["eth0".into()];
        assert_eq!(udp(&settings).interfaces, Interfaces::Only(vec!["eth0".into()]));
    }
}
