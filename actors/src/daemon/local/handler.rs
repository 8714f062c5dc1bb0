//! The actor of the Local port.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use actix::fut::{ready, wrap_future};
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Recipient,
    ResponseActFuture,
};
use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::{
    Answer, LONGEST_TEXT, LocalMessage, MOST_DURATIONS, Overview, PEERS_A_PAGE, PeerView, PortView, Question,
    RefusalView, TestDuration,
};
use flotilla_messages::untrusted::{SHORT, untrusted_text};

use super::durations::{Changes, Durations};
use super::host_load::{self, HostLoad};
use crate::daemon::DaemonEvent;
use crate::daemon::registry::{GetPeers, PeerRegistry, PeerSnapshot, Performance, Unresponsive};
use crate::daemon::status::{Gates, OwnLoad, StatusGate, StatusHandler};
use crate::daemon::work::{Claimed, Guests, Queued, WorkHandler};
use crate::history::{DurationStore, Restored, Stored};
use crate::kit::DeathWatch;
use crate::net::link::{Close, Link, LinkEvent, LinkId, LinkNews, Listening, RefusedConnection, SendMessage};
use crate::trust::{Command, CommandError, CommandOutcome, TrustStore};

/// What the daemon is, apart from its actors.
#[derive(Clone, Debug)]
pub struct DaemonInfo {
    /// Its key's name.
    pub fingerprint: Fingerprint,
    /// When it started.
    pub since: SystemTime,
    /// Tests it runs at a time.
    pub jobs: u16,
    /// What a person should know, each a sentence.
    pub warnings: Vec<String>,
    /// The file in which durations of tests are kept.
    pub durations: PathBuf,
}

/// Whom it asks.
pub struct LocalDependencies {
    /// The actor that keeps trust.
    pub trust: Addr<TrustStore>,
    /// The actor that knows all peers.
    pub registry: Addr<PeerRegistry>,
    /// Links between daemons.
    pub status: Addr<StatusHandler>,
    /// Clients of other hosts.
    pub work: Addr<WorkHandler>,
    /// How busy the system is; asked each time it is shown.
    pub average: fn() -> Option<u32>,
}

/// Take no more questions, and end.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct StopLocal {
    /// Why, for those who are connected.
    pub reason: String,
}

/// Answers questions of this host's own identity. Its listener admits nobody else.
pub struct LocalHandler {
    info: DaemonInfo,
    dependencies: LocalDependencies,
    load: Recipient<OwnLoad>,
    host: HostLoad,
    durations: Durations,
    /// Keeps them over restarts.
    store: Option<DurationStore>,
    links: BTreeMap<LinkId, LocalClient>,
    /// None once it has parted.
    listening: Option<Listening>,
    watch: DeathWatch<DaemonEvent>,
}

struct LocalClient {
    link: Addr<Link<LocalMessage>>,
    /// The peers as they were when it asked for the first page: pages of different moments would not fit together.
    peers: Vec<PeerView>,
}

/// What is asked of other actors for an answer.
enum Asked {
    Peers(PeerSnapshot),
    Overview(PeerSnapshot, [Option<StatusGate>; 2], u16),
    Trust(Result<CommandOutcome, CommandError>),
}

/// How often this machine's load is told to others, if it has changed.
const LOAD: std::time::Duration = std::time::Duration::from_secs(10);

impl LocalHandler {
    /// Behind this port.
    pub fn new(
        listening: Listening,
        info: DaemonInfo,
        dependencies: LocalDependencies,
        load: Recipient<OwnLoad>,
        watch: DeathWatch<DaemonEvent>,
    ) -> Self {
        let host = HostLoad::new(info.jobs);
        Self {
            info,
            dependencies,
            load,
            host,
            durations: Durations::default(),
            store: None,
            links: BTreeMap::new(),
            listening: Some(listening),
            watch,
        }
    }

    fn say(&self, link: LinkId, answer: Answer) {
        if let Some(client) = self.links.get(&link) {
            client.link.do_send(SendMessage(LocalMessage::Answer(Box::new(answer))));
        }
    }

    fn host(&mut self, input: host_load::Input) {
        let mut effects = Vec::new();
        self.host.handle((self.dependencies.average)(), input, &mut effects);
        for effect in effects {
            match effect {
                host_load::Effect::Grant { link, granted, of } => {
                    self.say(link, Answer::Slots { granted, of });
                }
                host_load::Effect::TellWork(claimed) => self.dependencies.work.do_send(Claimed(claimed)),
                host_load::Effect::TellPeers(load) => self.load.do_send(OwnLoad(load)),
            }
        }
    }

    /// Answers at once, or says what to ask for an answer.
    fn question(&mut self, link: LinkId, question: Question) -> Option<ResponseActFuture<Self, Asked>> {
        let answer = match question {
            Question::Overview => return Some(self.ask_overview()),
            Question::Peers { after: None } => {
                let shown = self.dependencies.registry.send(GetPeers);
                return Some(Box::pin(
                    wrap_future(shown)
                        .map(|shown, _: &mut Self, _| Asked::Peers(shown.unwrap_or_else(|_| nothing()))),
                ));
            }
            Question::Peers { after: Some(after) } => self.page(link, after),
            Question::Approve { key } => return Some(self.ask_trust(Command::Approve(key))),
            Question::ApproveKnown { key } => return Some(self.ask_trust(Command::ApproveKnown(key))),
            Question::Revoke { key } => return Some(self.ask_trust(Command::Revoke(key))),
            Question::InformDurations { configuration, tests } => {
                if configuration.len() > LONGEST_TEXT || tests.len() > MOST_DURATIONS {
                    refused("that is too much in one message")
                } else {
                    self.inform(configuration, &tests)
                }
            }
            Question::Durations { configuration, after } => {
                let (page, more) = self.durations.page(&configuration, after);
                Answer::Durations { page, more }
            }
            Question::Unresponsive { peer, reason } => {
                let reason = untrusted_text(reason, SHORT);
                log::info!(target: "local", "a runner says that {peer} does not answer: {reason}");
                self.dependencies.registry.do_send(Unresponsive(peer));
                Answer::Done
            }
            Question::UpdatePerformance { peer, permille } => {
                self.dependencies.registry.do_send(Performance { key: peer, permille });
                Answer::Done
            }
            Question::ClaimSlots { slots } => {
                self.host(host_load::Input::Claim { link, slots });
                return None;
            }
            Question::Shutdown => {
                log::info!(target: "local", "asked to end");
                self.say(link, Answer::Done);
                self.watch.send(DaemonEvent::Asked);
                return None;
            }
        };
        self.say(link, answer);
        None
    }

    fn inform(&mut self, configuration: String, tests: &[TestDuration]) -> Answer {
        let Changes { means, forgotten, full } = self.durations.inform(&configuration, tests);
        self.forget(forgotten);
        if let Some(store) = &self.store {
            store.keep(Stored { configuration, means });
        }
        if full { refused("there is no room for more durations") } else { Answer::Done }
    }

    fn forget(&self, configurations: Vec<String>) {
        for configuration in configurations {
            log::info!(target: "local", "durations of {} make room for others", untrusted_text(&configuration, SHORT));
            if let Some(store) = &self.store {
                store.forget(configuration);
            }
        }
    }

    fn ask_trust(&self, command: Command) -> ResponseActFuture<Self, Asked> {
        let told = self.dependencies.trust.send(command);
        let asked = async move {
            Asked::Trust(
                told.await.unwrap_or_else(|_| Err(CommandError::Unsaved("peerd is ending".to_owned()))),
            )
        };
        Box::pin(wrap_future(asked))
    }

    fn ask_overview(&self) -> ResponseActFuture<Self, Asked> {
        let LocalDependencies { registry, status, work, .. } = &self.dependencies;
        let (shown, status, gates) = (registry.send(GetPeers), status.send(Gates), work.send(Gates));
        let waiting = work.send(Queued);
        let asked = async move {
            let shown = shown.await.unwrap_or_else(|_| nothing());
            let gates = [gates.await.unwrap_or_default(), status.await.unwrap_or_default()];
            Asked::Overview(shown, gates, waiting.await.unwrap_or_default())
        };
        Box::pin(wrap_future(asked))
    }

    fn answer(&mut self, link: LinkId, asked: Asked) {
        let answer = match asked {
            Asked::Peers(shown) => {
                if let Some(client) = self.links.get_mut(&link) {
                    client.peers = shown.peers;
                }
                self.first_page(link)
            }
            Asked::Overview(shown, gates, waiting) => Answer::Overview(self.overview(shown, gates, waiting)),
            Asked::Trust(Ok(CommandOutcome { changed, key, mut follows })) => {
                follows.truncate(PEERS_A_PAGE);
                Answer::Trust { changed, key, follows }
            }
            Asked::Trust(Err(error)) => Answer::Refused { reason: error.to_string() },
        };
        self.say(link, answer);
    }

    fn first_page(&self, link: LinkId) -> Answer {
        let peers = self.links.get(&link).map(|client| client.peers.as_slice()).unwrap_or_default();
        a_page(peers)
    }

    fn page(&self, link: LinkId, after: Fingerprint) -> Answer {
        let peers = self.links.get(&link).map(|client| client.peers.as_slice()).unwrap_or_default();
        let from = peers.partition_point(|peer| peer.fingerprint <= after);
        a_page(peers.get(from..).unwrap_or_default())
    }

    fn overview(
        &self,
        shown: PeerSnapshot,
        [work, status]: [Option<StatusGate>; 2],
        waiting: u16,
    ) -> Overview {
        let local = self.listening.as_ref().map(StatusGate::from);
        let ports = [("Local", local), ("Work", work), ("Status", status)];
        let ports = ports.into_iter().filter_map(|(name, gate)| Some(port(name, &gate?))).collect();
        let mut warnings = self.info.warnings.clone();
        warnings.extend(shown.standings.trouble);
        Overview {
            fingerprint: self.info.fingerprint,
            pid: std::process::id(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            since: seconds(self.info.since),
            jobs: self.info.jobs,
            load: self.host.load(waiting, (self.dependencies.average)()),
            ports,
            discovery: shown.heard,
            statement: shown.standings.statement,
            trusted: u32::try_from(shown.standings.trusted).unwrap_or(u32::MAX),
            warnings,
        }
    }
}

fn nothing() -> PeerSnapshot {
    PeerSnapshot { peers: Vec::new(), heard: None, standings: Default::default() }
}

fn refused(reason: &str) -> Answer {
    Answer::Refused { reason: reason.to_owned() }
}

fn a_page(peers: &[PeerView]) -> Answer {
    let page = peers.iter().take(PEERS_A_PAGE).cloned().collect();
    Answer::Peers { page, more: peers.len() > PEERS_A_PAGE }
}

fn port(name: &str, StatusGate { address, occupancy, refusals }: &StatusGate) -> PortView {
    let refusal = |refusal: &RefusedConnection| RefusalView {
        time: seconds(refusal.time),
        address: refusal.address.to_string(),
        key: refusal.peer,
        reason: refusal.end.to_string(),
    };
    PortView {
        name: name.to_owned(),
        address: address.to_string(),
        links: u32::try_from(occupancy.keyed).unwrap_or(u32::MAX),
        refused: occupancy.refused,
        refusals: refusals.iter().map(refusal).collect(),
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Actor for LocalHandler {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let path = self.info.durations.clone();
        self.store = Some(DurationStore::start(path, context.address().recipient()));
        self.host(host_load::Input::Look);
        context.run_interval(LOAD, |this, _| this.host(host_load::Input::Look));
    }
}

impl Handler<LinkNews<LocalMessage>> for LocalHandler {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, news: LinkNews<LocalMessage>, _: &mut Self::Context) -> Self::Result {
        let link = news.link;
        match news.what {
            LinkEvent::Up(up) => {
                self.links.insert(link, LocalClient { link: up.link, peers: Vec::new() });
            }
            LinkEvent::Message(LocalMessage::Ask(question)) => {
                if let Some(asked) = self.question(link, question) {
                    return Box::pin(asked.then(move |asked, this: &mut Self, _| {
                        this.answer(link, asked);
                        ready(())
                    }));
                }
            }
            LinkEvent::Message(LocalMessage::Answer(_)) => {
                if let Some(client) = self.links.get(&link) {
                    client.link.do_send(Close { reason: "nothing was asked here".to_owned() });
                }
            }
            LinkEvent::Suspected | LinkEvent::Recovered => {}
            LinkEvent::Ended(_) => {
                self.links.remove(&link);
                self.host(host_load::Input::LinkEnded(link));
            }
        }
        Box::pin(ready(()))
    }
}

impl Handler<Restored> for LocalHandler {
    type Result = ();

    fn handle(&mut self, Restored(stored): Restored, _: &mut Self::Context) {
        let changes = self.durations.restore(stored);
        self.forget(changes.forgotten);
    }
}

impl Handler<Guests> for LocalHandler {
    type Result = ();

    fn handle(&mut self, guests: Guests, _: &mut Self::Context) {
        self.host(host_load::Input::Guests(guests));
    }
}

impl Handler<StopLocal> for LocalHandler {
    type Result = ();

    fn handle(&mut self, StopLocal { reason }: StopLocal, context: &mut Self::Context) {
        self.listening = None;
        for client in self.links.values() {
            client.link.do_send(Close { reason: reason.clone() });
        }
        context.stop();
    }
}
