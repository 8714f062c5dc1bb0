//! What people are shown of a peer: and for each one that cannot be used, why.

use std::net::SocketAddr;
use std::time::Duration;

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::{LinkView, PeerView};
use flotilla_messages::wire::{Versions, printable};

use super::table::Seen;
use crate::membership::Why;
use crate::trust::{Obstacle, Standing};

/// What a view is made with.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Discovery's time now, if it runs: what [`Peer::last_heard`](crate::membership::Peer::last_heard) counts to.
    pub discovery: Option<Duration>,
    /// The protocol versions spoken here.
    pub versions: Versions,
}

/// One peer, from what was seen of it and what statements say.
pub fn view(key: Fingerprint, seen: Option<&Seen>, standing: Option<&Standing>, clock: Clock) -> PeerView {
    let nothing = Seen::default();
    let seen = seen.unwrap_or(&nothing);
    let peer = seen.peer.as_ref();
    let hello = seen.hello.as_ref().map(|(_, hello)| hello);
    let chain = standing.and_then(|standing| standing.trust.as_deref().ok()).unwrap_or_default();
    let trusts_me = standing.and_then(|standing| standing.trusts_me.as_deref()).unwrap_or_default();
    let heard = peer.zip(clock.discovery).map(|(peer, now)| now.saturating_sub(peer.last_heard));
    PeerView {
        fingerprint: key,
        address: address(seen).map(|address| address.to_string()),
        jobs: peer.map(|peer| peer.presence.jobs).or_else(|| hello?.jobs.try_into().ok()),
        platform: hello.map(|hello| format!("{} {}", printable(&hello.os), printable(&hello.arch))),
        software: hello.map(|hello| printable(&hello.software)),
        load: seen.load.filter(|_| seen.is_linked()),
        chain: chain.to_vec(),
        trusts_me: trusts_me.to_vec(),
        barred: standing.is_some_and(|standing| standing.barred),
        heard: heard.map(|heard| u64::try_from(heard.as_millis()).unwrap_or(u64::MAX)),
        present: seen.is_present(),
        link: seen.link.clone().unwrap_or(LinkView::None),
        obstacle: obstacle(seen, standing, clock),
        performance: seen.performance,
    }
}

/// The address of its Work port: at the host where it is linked, else where it was heard last. An IPv4 address that
/// came through an IPv6 socket is shown as what it is.
fn address(seen: &Seen) -> Option<SocketAddr> {
    let port = seen.peer.as_ref().map(|peer| peer.presence.work_port);
    let linked = seen.hello.as_ref().filter(|_| seen.is_linked()).zip(port);
    let linked = linked.map(|((address, _), port)| {
        let mut address = *address;
        address.set_port(port);
        address
    });
    let heard = || seen.peer.as_ref().and_then(|peer| peer.work_addresses().next());
    linked.or_else(heard).map(|mut address| {
        address.set_ip(address.ip().to_canonical());
        address
    })
}

/// Why this peer cannot be used; the first thing that a person has to mend.
fn obstacle(seen: &Seen, standing: Option<&Standing>, clock: Clock) -> Option<String> {
    match standing.map(|standing| &standing.trust) {
        Some(Ok(_)) => {}
        Some(Err(obstacle)) => return Some(format!("it is not trusted: {obstacle}")),
        None => return Some(format!("it is not trusted: {}", Obstacle::NotApproved)),
    }
    if let Some(peer) = &seen.peer {
        let (oldest, newest) = peer.presence.protocol;
        let theirs = Versions { oldest, newest };
        if clock.versions.meet(theirs).is_none() {
            return Some(format!("it speaks protocol version {theirs}, this machine {}", clock.versions));
        }
    }
    match (&seen.link, &seen.gone) {
        (Some(LinkView::Up { suspected: false }), _) => {
            let lends = seen.peer.as_ref().is_none_or(|peer| peer.presence.jobs > 0);
            (!lends).then(|| "it lends no job slots".to_owned())
        }
        (Some(LinkView::Up { suspected: true }), _) => Some("it has been silent for some seconds".to_owned()),
        (_, Some(Why::Goodbye)) => Some("it left the network".to_owned()),
        (_, Some(Why::Silent)) => Some("it is not heard on the network any more".to_owned()),
        (_, Some(Why::Crowded)) => Some("it was forgotten among too many unknown peers".to_owned()),
        (Some(LinkView::Dialling), None) => Some("a link to it is being made".to_owned()),
        (Some(LinkView::Down { reason }), None) => Some(format!("there is no link to it: {reason}")),
        (Some(LinkView::None) | None, None) if seen.peer.is_none() => {
            Some("it was not heard on the network".to_owned())
        }
        (Some(LinkView::None) | None, None) => Some("no link to it was made yet".to_owned()),
    }
}
