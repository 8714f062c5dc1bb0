//! What people are shown of a peer: and for each one that cannot be used, why.

use std::net::SocketAddr;
use std::time::Duration;

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::{LinkView, PeerView};
use flotilla_messages::untrusted::{NAME, untrusted_text};
use flotilla_messages::wire::Versions;

use super::table::PeerRecord;
use crate::net::membership::Why;
use crate::trust::{Obstacle, Standing};

/// What a view is made with.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Discovery's time now, if it runs: what [`Peer::last_heard`](crate::net::membership::Peer::last_heard) counts to.
    pub discovery: Option<Duration>,
    /// The protocol versions spoken here.
    pub versions: Versions,
}

/// One peer, from what was seen of it and what statements say.
pub fn view(
    key: Fingerprint,
    seen: Option<&PeerRecord>,
    standing: Option<&Standing>,
    clock: Clock,
) -> PeerView {
    let nothing = PeerRecord::default();
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
        platform: hello.map(|hello| {
            format!("{} {}", untrusted_text(&hello.os, NAME), untrusted_text(&hello.arch, NAME))
        }),
        software: hello.map(|hello| untrusted_text(&hello.software, NAME)),
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
fn address(seen: &PeerRecord) -> Option<SocketAddr> {
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
fn obstacle(seen: &PeerRecord, standing: Option<&Standing>, clock: Clock) -> Option<String> {
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
        (Some(LinkView::Up { suspected: false }), _) => match &seen.peer {
            // It dialled this machine before it was heard on the network: nobody here knows its Work port.
            None => Some("it has not said yet where it takes work".to_owned()),
            Some(peer) if peer.presence.jobs == 0 => Some("it lends no job slots".to_owned()),
            Some(_) => None,
        },
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

#[cfg(test)]
mod tests {
    use flotilla_messages::Presence;
    use flotilla_messages::port::status::Load;
    use flotilla_messages::wire::Hello;

    use super::*;
    use crate::net::membership::{Contact, Peer};

    const KEY: Fingerprint = Fingerprint([1; 32]);
    const CLOCK: Clock =
        Clock { discovery: Some(Duration::from_secs(10)), versions: Versions { oldest: 1, newest: 1 } };

    fn trusted() -> Standing {
        Standing { key: KEY, trust: Ok(vec![KEY]), trusts_me: None, barred: false }
    }

    fn heard() -> Peer {
        let presence = Presence {
            boot: 1,
            sequence: 1,
            interval: 5,
            protocol: (1, 1),
            work_port: 9992,
            status_port: 9994,
            unicast_port: 7,
            jobs: 4,
            serial: 1,
        };
        let addresses = vec!["[::ffff:10.0.0.1]:0".parse().unwrap()];
        let last_heard = Duration::from_secs(9);
        Peer { fingerprint: KEY, presence, addresses, last_heard, contact: Contact::None }
    }

    fn seen(link: Option<LinkView>, gone: Option<Why>) -> PeerRecord {
        let mut seen = PeerRecord::default();
        (seen.peer, seen.link, seen.gone) = (Some(heard()), link, gone);
        seen
    }

    fn says(seen: &PeerRecord, standing: Option<&Standing>) -> Option<String> {
        view(KEY, Some(seen), standing, CLOCK).obstacle
    }

    #[test]
    fn each_obstacle_has_its_words() {
        let up = |suspected| Some(LinkView::Up { suspected });
        let down = || Some(LinkView::Down { reason: "cut".to_owned() });
        let cases = [
            (up(false), None, None),
            (up(true), None, Some("it has been silent for some seconds")),
            (up(false), Some(Why::Goodbye), None),
            (down(), Some(Why::Goodbye), Some("it left the network")),
            (down(), Some(Why::Silent), Some("it is not heard on the network any more")),
            (None, Some(Why::Crowded), Some("it was forgotten among too many unknown peers")),
            (Some(LinkView::Dialling), None, Some("a link to it is being made")),
            (down(), None, Some("there is no link to it: cut")),
            (None, None, Some("no link to it was made yet")),
        ];
        for (link, gone, words) in cases {
            let case = format!("{link:?} {gone:?}");
            assert_eq!(says(&seen(link, gone), Some(&trusted())).as_deref(), words, "{case}");
        }
        let unheard = says(&PeerRecord::default(), Some(&trusted()));
        assert_eq!(unheard.as_deref(), Some("it was not heard on the network"));
    }

    /// It was called usable, had no address, and runners went without it and did not say so.
    #[test]
    fn a_peer_that_dialled_before_it_was_heard_cannot_be_used_yet() {
        let mut dialled = seen(Some(LinkView::Up { suspected: false }), None);
        dialled.peer = None;
        let shown = view(KEY, Some(&dialled), Some(&trusted()), CLOCK);
        assert_eq!(shown.address, None);
        assert_eq!(shown.obstacle.as_deref(), Some("it has not said yet where it takes work"));
    }

    #[test]
    fn trust_comes_first_then_the_version_then_the_link_then_its_slots() {
        let mut busy = seen(Some(LinkView::Up { suspected: false }), None);
        if let Some(peer) = &mut busy.peer {
            (peer.presence.jobs, peer.presence.protocol) = (0, (2, 3));
        }
        let nobody = says(&busy, None).unwrap();
        assert_eq!(nobody, "it is not trusted: approved neither here nor by a trusted key");
        let barred = Standing { trust: Err(Obstacle::Barred), barred: true, ..trusted() };
        assert_eq!(says(&busy, Some(&barred)).unwrap(), "it is not trusted: revoked here");
        let version = says(&busy, Some(&trusted())).unwrap();
        assert_eq!(version, "it speaks protocol version 2 to 3, this machine 1");
        if let Some(peer) = &mut busy.peer {
            peer.presence.protocol = (1, 3);
        }
        assert_eq!(says(&busy, Some(&trusted())).unwrap(), "it lends no job slots");
    }

    #[test]
    fn a_peer_is_shown_where_its_link_is_else_where_it_was_heard() {
        let mut known = seen(None, None);
        known.load = Some(Load::default());
        let shown = view(KEY, Some(&known), Some(&trusted()), CLOCK);
        assert_eq!(shown.address.as_deref(), Some("10.0.0.1:9992"), "IPv4 as IPv4");
        assert_eq!((shown.heard, shown.jobs, shown.load), (Some(1000), Some(4), None));
        let mut hello = Hello::of_this_build(8);
        hello.os = "a\u{1b}[31m".to_owned();
        known.hello = Some(("[fe80::1]:4711".parse().unwrap(), hello));
        known.link = Some(LinkView::Up { suspected: false });
        let shown = view(KEY, Some(&known), Some(&trusted()), CLOCK);
        assert_eq!(shown.address.as_deref(), Some("[fe80::1]:9992"));
        assert!(shown.load.is_some() && !shown.platform.unwrap().contains('\u{1b}'));
        assert_eq!(shown.jobs, Some(4), "what it announces is newer than what it said first on its link");
        known.peer = None;
        let shown = view(KEY, Some(&known), Some(&trusted()), CLOCK);
        assert_eq!((shown.jobs, shown.address, shown.present), (Some(8), None, true));
    }
}
