//! The actor that knows all peers.

use std::time::Instant;

use actix::fut::{ready, wrap_future};
use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient, ResponseActFuture,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::{HeardView, LinkView, PeerView};
use flotilla_messages::wire::Versions;

use super::table::{PeerRecord, RegistryTable};
use super::view::{Clock, view};
use crate::daemon::DaemonEvent;
use crate::daemon::status::{DialPeer, Doubt, LinkReport};
use crate::kit::DeathWatch;
use crate::net::discovery::{Census, Discovery, LinkFeedback, List, Notice, OwnState};
use crate::net::membership::Peer;
use crate::trust::{Decision, GetStandings, Standings, TrustInput, TrustStore, TrustedKeys};

/// Knows all peers, and has those dialled that are trusted.
pub struct PeerRegistry {
    table: RegistryTable,
    trusted: TrustedKeys,
    trust: Addr<TrustStore>,
    dial: Recipient<DialPeer>,
    doubt: Recipient<Doubt>,
    discovery: Option<Addr<Discovery>>,
    versions: Versions,
    state: OwnState,
    watch: DeathWatch<DaemonEvent>,
}

/// Discovery runs.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetDiscovery(pub Addr<Discovery>);

/// Asks for all that is known.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "PeerSnapshot")]
pub struct GetPeers;

/// All that is known.
#[derive(Clone, Debug)]
pub struct PeerSnapshot {
    /// In the order of their fingerprints.
    pub peers: Vec<PeerView>,
    /// What discovery heard, if it runs.
    pub heard: Option<HeardView>,
    /// What trust says.
    pub standings: Standings,
}

/// A runner says that this peer did not do what it should.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Unresponsive(pub Fingerprint);

/// A runner says how fast this peer is, in thousandths of this machine.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Performance {
    /// The key of the peer.
    pub key: Fingerprint,
    /// How fast.
    pub permille: u32,
}

impl PeerRegistry {
    /// Knows nobody so far.
    pub fn new(
        trusted: TrustedKeys,
        trust: Addr<TrustStore>,
        dial: Recipient<DialPeer>,
        doubt: Recipient<Doubt>,
        versions: Versions,
        state: OwnState,
        watch: DeathWatch<DaemonEvent>,
    ) -> Self {
        Self {
            table: RegistryTable::default(),
            trusted,
            trust,
            dial,
            doubt,
            discovery: None,
            versions,
            state,
            watch,
        }
    }

    fn tell(&self, tell: LinkFeedback) {
        if let Some(discovery) = &self.discovery {
            discovery.do_send(tell);
        }
    }

    fn seen(&mut self, peer: Peer) {
        let (issuer, serial) = (peer.fingerprint, peer.presence.serial);
        // A hint, from a datagram: the statement itself is fetched over a link.
        if serial > 0 && self.trusted.contains(issuer) {
            self.trust.do_send(TrustInput::Announced { issuer, serial });
        }
        // It approves other keys now, perhaps this machine's.
        let changed =
            |seen: &PeerRecord| seen.peer.as_ref().is_some_and(|before| before.presence.serial != serial);
        let again = self.trusted.contains(issuer)
            && self.table.get(&issuer).is_some_and(|seen| !seen.is_linked() && changed(seen));
        if again {
            self.tell(LinkFeedback::Wanted(issuer));
        }
        self.table.change(Instant::now(), issuer, |seen| {
            seen.gone = None;
            // What was said over a link under another boot is not so any more.
            let rebooted = |before: &Peer| before.presence.boot != peer.presence.boot;
            if seen.peer.as_ref().is_some_and(rebooted) && !seen.is_linked() {
                seen.hello = None;
                seen.load = None;
            }
            seen.peer = Some(peer);
        });
    }

    fn dial(&mut self, peer: Peer) {
        let key = peer.fingerprint;
        let (oldest, newest) = peer.presence.protocol;
        let speaks = self.versions.meet(Versions { oldest, newest }).is_some();
        let addresses: Vec<_> = peer.status_addresses().collect();
        self.seen(peer);
        if self.trusted.contains(key) && speaks {
            self.dial.do_send(DialPeer { key, addresses });
        } else {
            self.tell(LinkFeedback::DialFailed { fingerprint: key, hopeless: true });
        }
    }
}

impl Actor for PeerRegistry {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        // Discovery never waits for it, and says `Missed` where there is no room.
        context.set_mailbox_capacity(256);
    }
}

impl Handler<SetDiscovery> for PeerRegistry {
    type Result = ();

    fn handle(&mut self, SetDiscovery(discovery): SetDiscovery, _: &mut Self::Context) {
        discovery.do_send(self.state);
        self.discovery = Some(discovery);
    }
}

impl Handler<Notice> for PeerRegistry {
    type Result = ();

    fn handle(&mut self, notice: Notice, context: &mut Self::Context) {
        match notice {
            Notice::Dial(peer) => self.dial(peer),
            Notice::Updated(peer) => self.seen(peer),
            Notice::Gone { fingerprint, why } => {
                self.table.change(Instant::now(), fingerprint, |seen| seen.gone = Some(why));
            }
            Notice::Missed => {
                let Some(discovery) = &self.discovery else { return };
                let census = wrap_future::<_, Self>(discovery.send(List));
                context.spawn(census.map(|census, this, _| {
                    if let Ok(census) = census {
                        this.table.replace_present(Instant::now(), census.peers);
                    }
                }));
            }
            Notice::Failed => self.watch.give_up(),
        }
    }
}

impl Handler<Decision> for PeerRegistry {
    type Result = ();

    fn handle(&mut self, decision: Decision, _: &mut Self::Context) {
        match decision {
            Decision::Trusted(key) => self.tell(LinkFeedback::Wanted(key)),
            // Its links are closed by the handlers of the ports.
            Decision::Distrusted(_) => {}
            Decision::Issued(serial) => {
                self.state.serial = serial;
                if let Some(discovery) = &self.discovery {
                    discovery.do_send(self.state);
                }
            }
        }
    }
}

impl Handler<LinkReport> for PeerRegistry {
    type Result = ();

    fn handle(&mut self, report: LinkReport, _: &mut Self::Context) {
        let now = Instant::now();
        match report {
            LinkReport::Linked { key, address, hello } => {
                self.table.change(now, key, |seen| seen.hello = Some((address, hello)));
                self.tell(LinkFeedback::Linked(key));
            }
            LinkReport::Failed { key, hopeless } => {
                self.tell(LinkFeedback::DialFailed { fingerprint: key, hopeless });
            }
            LinkReport::Lost(key) => {
                self.table.change(now, key, |seen| seen.load = None);
                self.tell(LinkFeedback::LinkLost(key));
            }
            LinkReport::Shown { key, view } => {
                self.table.change(now, key, |seen| {
                    seen.link = (view != LinkView::None).then_some(view);
                });
            }
            LinkReport::Load { key, load } => self.table.change(now, key, |seen| seen.load = Some(load)),
        }
    }
}

impl Handler<Unresponsive> for PeerRegistry {
    type Result = ();

    fn handle(&mut self, Unresponsive(key): Unresponsive, _: &mut Self::Context) {
        self.doubt.do_send(Doubt(key));
    }
}

impl Handler<Performance> for PeerRegistry {
    type Result = ();

    fn handle(&mut self, Performance { key, permille }: Performance, _: &mut Self::Context) {
        self.table.change(Instant::now(), key, |seen| seen.performance = Some(permille));
    }
}

impl Handler<GetPeers> for PeerRegistry {
    type Result = ResponseActFuture<Self, PeerSnapshot>;

    fn handle(&mut self, _: GetPeers, _: &mut Self::Context) -> Self::Result {
        let standings = self.trust.send(GetStandings);
        let census = self.discovery.as_ref().map(|discovery| discovery.send(List));
        let asked = async move {
            let census = match census {
                Some(census) => census.await.ok(),
                None => None,
            };
            (standings.await, census)
        };
        Box::pin(wrap_future::<_, Self>(asked).then(|(standings, census), this, _| {
            // Without trust the daemon ends; until then nobody is trusted.
            let standings = standings.unwrap_or_default();
            ready(this.shown(standings, census))
        }))
    }
}

impl PeerRegistry {
    fn shown(&self, standings: Standings, census: Option<Census>) -> PeerSnapshot {
        let clock = Clock { discovery: census.as_ref().map(|census| census.now), versions: self.versions };
        let mut keys: Vec<Fingerprint> = self.table.iter().map(|(key, _)| *key).collect();
        keys.extend(standings.keys.iter().map(|standing| standing.key));
        keys.sort();
        keys.dedup();
        let mut peers = Vec::with_capacity(keys.len());
        for key in keys {
            let standing = standings
                .keys
                .binary_search_by_key(&key, |standing| standing.key)
                .ok()
                .map(|at| &standings.keys[at]);
            peers.push(match census.as_ref().and_then(|census| listed(census, &key)) {
                // The newest word, which is not told each time it is heard.
                Some(peer) => {
                    let mut seen = self.table.get(&key).cloned().unwrap_or_default();
                    seen.peer = Some(peer.clone());
                    view(key, Some(&seen), standing, clock)
                }
                None => view(key, self.table.get(&key), standing, clock),
            });
        }
        PeerSnapshot { peers, heard: census.map(|census| heard(&census)), standings }
    }
}

fn listed<'a>(census: &'a Census, key: &Fingerprint) -> Option<&'a Peer> {
    let at = census.peers.binary_search_by_key(key, |peer| peer.fingerprint).ok()?;
    census.peers.get(at)
}

fn heard(census: &Census) -> HeardView {
    HeardView {
        port: census.unicast_port,
        good: census.heard.good,
        forged: census.heard.forged,
        malformed: census.heard.malformed,
        dropped: census.heard.dropped,
        replayed: census.counters.replayed,
    }
}
