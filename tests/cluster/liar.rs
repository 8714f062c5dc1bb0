//! Peers that are trusted and no good: the Work port's other end, written by hand.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler};
use ed25519_dalek::SigningKey;
use flotilla_actors::net::link::{
    Admission, Link, LinkEvent, LinkId, LinkNews, Listening, Quotas, SendMessage, Settings, Tls, listen,
};
use flotilla_actors::run::proxy::Target;
use flotilla_actors::trust::TrustedKeys;
use flotilla_messages::judge::Judgement;
use flotilla_messages::port::work::{JudgedRun, MOST_NEWS, RemoteEnding, RemoteNews, WorkMessage};
use flotilla_messages::wire::Hello;
use flotilla_messages::{Captured, Exit, Fingerprint, Memory, Outcome, Output, TestName};

use crate::visitor::{name, stranger};

/// How many leases a liar asks for.
const CREDIT: u32 = 8;

/// What it does with the tests it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// All have passed, at once.
    Passes,
    /// It says that it is ready, again and again, and nothing else.
    Silent,
    /// As silent; what is withdrawn has failed, it says then.
    FailsWhatIsWithdrawn,
    /// All have passed; and then they have failed; and so have those of other liars, and those that nobody was given.
    AnswersForOthers,
    /// It does not stop to tell of tests that it was not given.
    Floods,
    /// It gives back what it is given.
    GivesBack,
}

/// A peer that is no good.
pub struct Liar {
    listening: Listening,
    key: SigningKey,
}

/// Which leases were given to which liar, as all liars of a run know.
pub type Given = Rc<RefCell<BTreeMap<u64, u8>>>;

struct Host {
    seed: u8,
    manner: Manner,
    given: Given,
    links: BTreeMap<LinkId, Addr<Link<WorkMessage>>>,
}

impl Liar {
    /// Listens for this client.
    pub async fn listen(seed: u8, client: Fingerprint, manner: Manner, given: Given) -> Self {
        let key: SigningKey = stranger(seed);
        let tls = Tls::new(&key, Admission::TrustedKeys(TrustedKeys::from_iter([client]))).unwrap();
        let settings = Rc::new(Settings::new(Hello::of_this_build(4)));
        let host = Host { seed, manner, given, links: BTreeMap::new() }.start();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let listening = listen(anywhere, tls, settings, Quotas::default(), host.recipient()).await.unwrap();
        Self { listening, key }
    }

    pub fn target(&self) -> Target {
        Target { name: "liar".into(), address: self.listening.address(), key: Some(name(&self.key)) }
    }
}

impl Actor for Host {
    type Context = Context<Self>;
}

/// The word that a test has ended so.
fn ended(lease: u64, outcome: Outcome) -> RemoteNews {
    let output = Output {
        exit: Exit::Code(i32::from(outcome != Outcome::Pass)),
        timed_out: false,
        stdout: Captured::default(),
        stderr: Captured::default(),
        duration: Duration::ZERO,
        memory: Memory::default(),
        started: None,
    };
    let judgement = Judgement { outcome, why: None };
    RemoteNews::Finished {
        lease,
        ending: RemoteEnding::Judged(JudgedRun { output, judgement, difference: None }),
        queued: Duration::ZERO,
    }
}

impl Host {
    fn said(&mut self, link: &Addr<Link<WorkMessage>>, message: WorkMessage) {
        let say = |message| link.do_send(SendMessage(message));
        let news = |news: Vec<RemoteNews>| {
            for some in news.chunks(MOST_NEWS) {
                say(WorkMessage::News(some.to_vec()));
            }
        };
        let ready = || say(WorkMessage::Ready { credit: CREDIT });
        match message {
            WorkMessage::Packet(_) => ready(),
            WorkMessage::Assign(leases) => {
                let numbers: Vec<u64> = leases.iter().map(|lease| lease.lease).collect();
                self.given.borrow_mut().extend(numbers.iter().map(|lease| (*lease, self.seed)));
                let all = |outcome| numbers.iter().map(|lease| ended(*lease, outcome)).collect::<Vec<_>>();
                match self.manner {
                    Manner::Passes => news(all(Outcome::Pass)),
                    Manner::Silent | Manner::FailsWhatIsWithdrawn => {
                        let started = |lease: &u64| RemoteNews::Started { lease: *lease, name: a_name() };
                        news(numbers.iter().map(started).collect());
                        (0..100).for_each(|_| ready());
                    }
                    Manner::AnswersForOthers => {
                        // Of those that another has, and of those that none has.
                        let given = self.given.borrow();
                        let others =
                            given.iter().filter(|(_, seed)| **seed != self.seed).map(|(lease, _)| *lease);
                        news(
                            others
                                .chain([u64::MAX, 1 << 40])
                                .map(|other| ended(other, Outcome::Fail))
                                .collect(),
                        );
                        news(all(Outcome::Pass));
                        news(all(Outcome::Fail));
                    }
                    Manner::Floods => {
                        for _ in 0..100 {
                            news((0..64).map(|lease| ended(1_000_000 + lease, Outcome::Crash)).collect());
                        }
                    }
                    Manner::GivesBack => {
                        let back = |lease: &u64| RemoteNews::Finished {
                            lease: *lease,
                            ending: RemoteEnding::Withdrawn,
                            queued: Duration::ZERO,
                        };
                        news(numbers.iter().map(back).collect());
                    }
                }
            }
            WorkMessage::Withdraw(leases) if self.manner == Manner::FailsWhatIsWithdrawn => {
                news(leases.into_iter().map(|lease| ended(lease, Outcome::Fail)).collect());
            }
            _ => {}
        }
    }
}

/// Not that of any test.
fn a_name() -> TestName {
    TestName { suite: "liar".into(), name: "\u{1b}[2J".into(), variant: "default".into(), detail: None }
}

impl Handler<LinkNews<WorkMessage>> for Host {
    type Result = ();

    fn handle(&mut self, LinkNews { link, what }: LinkNews<WorkMessage>, _: &mut Self::Context) {
        match what {
            LinkEvent::Up(up) => {
                up.link.do_send(SendMessage(WorkMessage::Queue { ahead: 0 }));
                self.links.insert(link, up.link);
            }
            LinkEvent::Message(message) => {
                if let Some(link) = self.links.get(&link).cloned() {
                    self.said(&link, message);
                }
            }
            LinkEvent::Ended(_) => {
                self.links.remove(&link);
            }
            LinkEvent::Suspected | LinkEvent::Recovered => {}
        }
    }
}
