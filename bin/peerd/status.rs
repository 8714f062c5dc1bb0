//! The output of `status`: the daemon and its peers, with the reason for each that cannot be used.

use std::io::IsTerminal;
use std::time::{Duration, SystemTime};

use flotilla_messages::port::local::{HeardView, Overview, PeerView, PortView, RefusalView};
use serde::Serialize;

use crate::format::{date, span};
use crate::peerd::peers::{self, LoadLine, PeerJson};

/// The interval of `--watch`.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// How many refused connections are shown.
const MAX_REFUSALS: usize = 8;

/// The object of `status --json`.
#[derive(Serialize)]
struct StatusJson<'a> {
    fingerprint: String,
    pid: u32,
    software: &'a str,
    platform: &'a str,
    /// Seconds since 1970.
    since: u64,
    jobs: u16,
    load: LoadLine,
    trusted: u32,
    statement: Option<Statement>,
    ports: Vec<Port<'a>>,
    discovery: Option<DiscoveryJson>,
    warnings: &'a [String],
    peers: Vec<PeerJson<'a>>,
}

#[derive(Serialize)]
struct Statement {
    serial: u64,
    /// Seconds since 1970.
    expires: u64,
}

#[derive(Serialize)]
struct Port<'a> {
    name: &'a str,
    address: &'a str,
    links: u32,
    refused: u64,
    refusals: Vec<Refusal<'a>>,
}

#[derive(Serialize)]
struct Refusal<'a> {
    /// Seconds since 1970.
    time: u64,
    address: &'a str,
    fingerprint: Option<String>,
    reason: &'a str,
}

#[derive(Serialize)]
struct DiscoveryJson {
    port: u16,
    good: u64,
    forged: u64,
    malformed: u64,
    dropped: u64,
    replayed: u64,
}

impl<'a> From<&'a PortView> for Port<'a> {
    fn from(port: &'a PortView) -> Self {
        Self {
            name: &port.name,
            address: &port.address,
            links: port.links,
            refused: port.refused,
            refusals: port.refusals.iter().map(Refusal::from).collect(),
        }
    }
}

impl<'a> From<&'a RefusalView> for Refusal<'a> {
    fn from(refusal: &'a RefusalView) -> Self {
        Self {
            time: refusal.time,
            address: &refusal.address,
            fingerprint: refusal.key.map(|key| key.to_string()),
            reason: &refusal.reason,
        }
    }
}

impl From<HeardView> for DiscoveryJson {
    fn from(HeardView { port, good, forged, malformed, dropped, replayed }: HeardView) -> Self {
        Self { port, good, forged, malformed, dropped, replayed }
    }
}

/// The status as one line of JSON.
pub fn json(overview: &Overview, peers: &[PeerView]) -> String {
    let status = StatusJson {
        fingerprint: overview.fingerprint.to_string(),
        pid: overview.pid,
        software: &overview.software,
        platform: &overview.platform,
        since: overview.since,
        jobs: overview.jobs,
        load: overview.load.into(),
        trusted: overview.trusted,
        statement: overview.statement.map(|(serial, expires)| Statement { serial, expires }),
        ports: overview.ports.iter().map(Port::from).collect(),
        discovery: overview.discovery.map(DiscoveryJson::from),
        warnings: &overview.warnings,
        peers: peers.iter().map(PeerJson::from).collect(),
    };
    // Serialization cannot fail for these types.
    serde_json::to_string(&status).unwrap_or_default() + "\n"
}

/// The status as text.
pub fn text(overview: &Overview, peers: &[PeerView], now: SystemTime) -> String {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let up = span(now.saturating_sub(overview.since));
    let mut text =
        format!("peerd {}, pid {}, up {up}, {}\n", overview.software, overview.pid, overview.platform);
    let mut line = |name: &str, words: &str| text.push_str(&format!("  {name:<10} {words}\n"));
    line("key", &overview.fingerprint.to_string());
    for port in &overview.ports {
        let links = if port.links == 1 { "1 link" } else { &format!("{} links", port.links) };
        let refused = if port.refused > 0 { format!(", {} refused", port.refused) } else { String::new() };
        line(&port.name, &format!("{}, {links}{refused}", port.address));
    }
    line("Discovery", &overview.discovery.map_or_else(|| "off".to_owned(), heard));
    line("jobs", &format!("{}: {}", overview.jobs, peers::busy(overview.load)));
    line("trust", &trust(overview));
    for warning in &overview.warnings {
        line("warning", warning);
    }
    let usable = peers.iter().filter(|peer| peer.obstacle.is_none()).count();
    text.push_str(&match peers.len() {
        0 => "\nNo other key is known yet: peerd approve FILE\n".to_owned(),
        known => format!("\n{usable} of {known} known peers can be used\n\n{}", peers::text(peers)),
    });
    text.push_str(&refusals(overview, now));
    text
}

fn heard(heard: HeardView) -> String {
    let mut text = format!("UDP {}, {} datagrams heard", heard.port, heard.good);
    let others = [
        (heard.forged, "forged"),
        (heard.malformed, "of other programs or broken"),
        (heard.replayed, "replayed"),
        (heard.dropped, "dropped"),
    ];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {count} {what}"));
    }
    text
}

fn trust(overview: &Overview) -> String {
    let keys = if overview.trusted == 1 { "1 key" } else { &format!("{} keys", overview.trusted) };
    match overview.statement {
        Some((serial, expires)) => {
            format!("{keys} trusted; own statement {serial} is valid until {}", date(expires))
        }
        None => format!("{keys} trusted; no statement of its own yet"),
    }
}

/// The latest refused connections of all ports, newest first.
fn refusals(overview: &Overview, now: u64) -> String {
    let of = |port: &'_ PortView| {
        let name = port.name.clone();
        let line = move |refusal: &RefusalView| {
            let key = refusal.key.map_or(String::new(), |key| format!(" (key {key})"));
            let ago = span(now.saturating_sub(refusal.time));
            let RefusalView { address, reason, .. } = refusal;
            (refusal.time, format!("  {ago} ago, {name}, {address}{key}: {reason}\n"))
        };
        port.refusals.iter().map(line).collect::<Vec<_>>()
    };
    let mut all: Vec<(u64, String)> = overview.ports.iter().flat_map(of).collect();
    if all.is_empty() {
        return String::new();
    }
    all.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    let shown: String = all.into_iter().take(MAX_REFUSALS).map(|(_, line)| line).collect();
    format!("\nrefused lately\n{shown}")
}

/// The text before each status of `--watch`: on a terminal, it clears the screen.
pub fn separator() -> &'static str {
    if std::io::stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "\n" }
}
