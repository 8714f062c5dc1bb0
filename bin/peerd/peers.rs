//! The output of `peers`: what is known of other machines.

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::{LinkView, PeerView};
use flotilla_messages::port::status::Load;
use serde::Serialize;

/// One line of `peers --json`.
#[derive(Serialize)]
pub struct PeerJson<'a> {
    fingerprint: String,
    /// The address of the Work port.
    address: Option<&'a str>,
    jobs: Option<u16>,
    platform: Option<&'a str>,
    software: Option<&'a str>,
    load: Option<LoadLine>,
    i_trust: bool,
    /// The chain of approvals: the key approved here first, the peer last. Empty if the peer is not trusted.
    chain: Vec<String>,
    trusts_me: bool,
    /// The chain from the peer: the key that it approves first, this machine last. Empty if no known statements form
    /// one.
    trusts_me_chain: Vec<String>,
    barred: bool,
    /// Whether it is on the network, as far as is known.
    present: bool,
    /// Milliseconds since its last datagram.
    heard_ms_ago: Option<u64>,
    /// none, dialling, up, silent or down.
    link: &'static str,
    /// Why the link is down.
    link_reason: Option<&'a str>,
    usable: bool,
    /// Why the peer cannot be used.
    reason: Option<&'a str>,
    /// Its speed, in thousandths of this machine's.
    performance: Option<u32>,
}

/// How busy a machine is.
#[derive(Serialize)]
pub struct LoadLine {
    running: u16,
    claimed: u16,
    waiting: u16,
    /// The load average over one minute.
    average: Option<f32>,
}

impl From<Load> for LoadLine {
    fn from(Load { running, claimed, waiting, average }: Load) -> Self {
        Self { running, claimed, waiting, average: average.map(|hundredths| hundredths as f32 / 100.0) }
    }
}

impl<'a> From<&'a PeerView> for PeerJson<'a> {
    fn from(peer: &'a PeerView) -> Self {
        let names = |chain: &[Fingerprint]| chain.iter().map(ToString::to_string).collect();
        Self {
            fingerprint: peer.fingerprint.to_string(),
            address: peer.address.as_deref(),
            jobs: peer.jobs,
            platform: peer.platform.as_deref(),
            software: peer.software.as_deref(),
            load: peer.load.map(LoadLine::from),
            i_trust: !peer.chain.is_empty(),
            chain: names(&peer.chain),
            trusts_me: trusts_me(peer),
            trusts_me_chain: names(&peer.trusts_me),
            barred: peer.barred,
            present: peer.present,
            heard_ms_ago: peer.heard,
            link: match &peer.link {
                LinkView::None => "none",
                LinkView::Dialling => "dialling",
                LinkView::Up { suspected: false } => "up",
                LinkView::Up { suspected: true } => "silent",
                LinkView::Down { .. } => "down",
            },
            link_reason: match &peer.link {
                LinkView::Down { reason } => Some(reason),
                _ => None,
            },
            usable: peer.obstacle.is_none(),
            reason: peer.obstacle.as_deref(),
            performance: peer.performance,
        }
    }
}

/// Whether the peer trusts this machine: its statements say so, or the link is up, which needs trust on both sides.
fn trusts_me(peer: &PeerView) -> bool {
    !peer.trusts_me.is_empty() || matches!(peer.link, LinkView::Up { .. })
}

/// All peers as JSON, one object per line.
pub fn json(peers: &[PeerView]) -> String {
    // Serialization cannot fail for these types, so no peer is left out.
    let lines = peers.iter().filter_map(|peer| serde_json::to_string(&PeerJson::from(peer)).ok());
    lines.map(|line| line + "\n").collect()
}

/// All peers as text, one paragraph for each.
pub fn text(peers: &[PeerView]) -> String {
    if peers.is_empty() {
        return "No other key is known yet: peerd approve FILE\n".to_owned();
    }
    peers.iter().map(paragraph).collect()
}

fn paragraph(peer: &PeerView) -> String {
    let mut text = format!("{}\n", peer.fingerprint);
    let mut line = |words: &str| text.push_str(&format!("  {words}\n"));
    if let Some(whereabouts) = whereabouts(peer) {
        line(&whereabouts);
    }
    line(&trust(peer));
    line(&match peer.trusts_me.as_slice() {
        [] if trusts_me(peer) => "trusts this machine".to_owned(),
        [] => "has not said that it trusts this machine".to_owned(),
        [_] => "trusts this machine".to_owned(),
        [through @ .., _] => format!("trusts this machine through {}", joined(through)),
    });
    line(&link(peer));
    line(&match &peer.obstacle {
        None => "can be used".to_owned(),
        Some(why) => format!("cannot be used: {why}"),
    });
    text
}

/// Its address, platform, jobs and load, as far as they are known.
fn whereabouts(peer: &PeerView) -> Option<String> {
    let jobs = peer.jobs.map(|jobs| if jobs == 1 { "1 job".to_owned() } else { format!("{jobs} jobs") });
    let parts = [peer.address.clone(), peer.platform.clone(), jobs, peer.load.map(busy)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// How busy a machine is, in words.
pub fn busy(Load { running, claimed, waiting, average }: Load) -> String {
    let mut text = format!("{running} running");
    if claimed > 0 {
        text.push_str(&format!(", {claimed} claimed by its own user"));
    }
    if waiting > 0 {
        text.push_str(&format!(", {waiting} waiting"));
    }
    if let Some(hundredths) = average {
        text.push_str(&format!(", load {:.1}", hundredths as f32 / 100.0));
    }
    text
}

fn trust(peer: &PeerView) -> String {
    match peer.chain.as_slice() {
        [] if peer.barred => "not trusted: revoked here".to_owned(),
        [] => "not trusted".to_owned(),
        [_] => "trusted: approved here".to_owned(),
        [through @ .., _] => format!("trusted through {}", joined(through)),
    }
}

fn link(peer: &PeerView) -> String {
    let link = match &peer.link {
        LinkView::None => "no link".to_owned(),
        LinkView::Dialling => "a link is being made".to_owned(),
        LinkView::Up { suspected: false } => "link up".to_owned(),
        LinkView::Up { suspected: true } => "link up, but silent".to_owned(),
        LinkView::Down { reason } => format!("link down: {reason}"),
    };
    match peer.heard {
        Some(heard) if peer.present => format!("{link}; heard {} s ago", heard / 1000),
        Some(heard) => format!("{link}; gone, heard last {} s ago", heard / 1000),
        None => link,
    }
}

fn joined(names: &[Fingerprint]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
