//! What a run and its own daemon tell one another while tests run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use actix::{Message, Recipient};
use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::{MOST_DURATIONS, PeerView, Question, TestDuration};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client::{AskError, Client};

/// How often it is looked whether peers are still trusted.
const LOOK: Duration = Duration::from_secs(2);
/// Words that may wait to be said. More are not worth waiting for: they are of use, not of need.
const MOST_WORDS: usize = 256;

/// A peer lost trust, by local revocation or by a key in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct Distrusted(pub Fingerprint);

/// A run's line to its own daemon. Dropping all clones of it ends the link, and gives back what was claimed over it.
#[derive(Clone, Debug)]
pub struct DaemonSession {
    words: Sender<Request>,
    rates: BTreeMap<Fingerprint, u32>,
}

#[derive(Debug)]
enum Request {
    SendMessage(Question),
    Durations { configuration: String, answer: oneshot::Sender<Result<Vec<TestDuration>, AskError>> },
    Watch(Recipient<Distrusted>),
}

impl DaemonSession {
    /// Over this link; `peers` is what the daemon has said of them. To be called in a System. The task ends when the
    /// link has been closed.
    pub fn start(client: Client, peers: &[PeerView]) -> (Self, JoinHandle<()>) {
        let (words, heard) = channel(MOST_WORDS);
        let rate = |peer: &PeerView| Some((peer.fingerprint, peer.performance?));
        let rates = peers.iter().filter_map(rate).collect();
        let standing = TrustedPeers::new(peers);
        (Self { words, rates }, actix_rt::spawn(life(client, heard, standing)))
    }

    /// How fast this peer was in earlier runs, see [`Question::UpdatePerformance`].
    pub fn rate(&self, peer: Fingerprint) -> Option<u32> {
        self.rates.get(&peer).copied()
    }

    /// This peer is so fast, see [`Question::UpdatePerformance`].
    pub fn update_performance(&self, peer: Fingerprint, permille: u32) {
        self.say(Request::SendMessage(Question::UpdatePerformance { peer, permille }));
    }

    /// This peer did not answer.
    pub fn unresponsive(&self, peer: Fingerprint, reason: &str) {
        // The daemon takes no longer ones.
        let reason = reason.chars().take(200).collect();
        self.say(Request::SendMessage(Question::Unresponsive { peer, reason }));
    }

    /// How long tests take under this configuration, as far as runners have told. An answer that nobody waits for any
    /// more is passed over.
    ///
    /// # Errors
    /// As [`Client::durations`].
    pub async fn durations(&self, configuration: &str) -> Result<Vec<TestDuration>, AskError> {
        let (answer, answered) = oneshot::channel();
        self.say(Request::Durations { configuration: configuration.to_owned(), answer });
        answered.await.unwrap_or_else(|_| Err(AskError::Gone("its link has ended".to_owned())))
    }

    /// This long tests took under this configuration.
    pub fn inform_durations(&self, configuration: &str, tests: &[TestDuration]) {
        for tests in tests.chunks(MOST_DURATIONS) {
            let (configuration, tests) = (configuration.to_owned(), tests.to_vec());
            self.say(Request::SendMessage(Question::InformDurations { configuration, tests }));
        }
    }

    /// From now on, tell of peers that are not trusted any more, within two seconds or so.
    pub fn watch(&self, to: Recipient<Distrusted>) {
        self.say(Request::Watch(to));
    }

    fn say(&self, word: Request) {
        if self.words.try_send(word).is_err() {
            log::info!("the own peerd is not told everything: it does not listen");
        }
    }
}

/// Whom the daemon trusted when it was asked last.
#[derive(Debug)]
struct TrustedPeers(BTreeSet<Fingerprint>);

impl TrustedPeers {
    fn new(peers: &[PeerView]) -> Self {
        Self(trusted(peers))
    }

    /// Those who are not trusted any more.
    fn lost(&mut self, peers: &[PeerView]) -> Vec<Fingerprint> {
        let now = trusted(peers);
        let before = std::mem::replace(&mut self.0, now);
        before.difference(&self.0).copied().collect()
    }
}

fn trusted(peers: &[PeerView]) -> BTreeSet<Fingerprint> {
    let is_trusted = |peer: &&PeerView| !peer.chain.is_empty() && !peer.barred;
    peers.iter().filter(is_trusted).map(|peer| peer.fingerprint).collect()
}

async fn life(mut client: Client, mut heard: Receiver<Request>, mut standing: TrustedPeers) {
    let mut watcher = None;
    let mut looks = actix_rt::time::interval(LOOK);
    loop {
        let asked = tokio::select! {
            biased;
            word = heard.recv() => match word {
                None => break,
                Some(Request::Watch(to)) => {
                    watcher = Some(to);
                    Ok(())
                }
                Some(Request::Durations { configuration, answer }) => {
                    let durations = client.durations(&configuration).await;
                    let (durations, asked) = match durations {
                        // Others may still be answered.
                        Err(AskError::Refused(reason)) => (Err(AskError::Refused(reason)), Ok(())),
                        Err(error) => (Err(AskError::Gone(error.to_string())), Err(error)),
                        durations => (durations, Ok(())),
                    };
                    let _ = answer.send(durations);
                    asked
                }
                Some(Request::SendMessage(question)) => client.ask(question).await.map(drop),
            },
            _ = looks.tick(), if watcher.is_some() => client.peers().await.map(|peers| {
                for key in standing.lost(&peers) {
                    if let Some(watcher) = &watcher {
                        watcher.do_send(Distrusted(key));
                    }
                }
            }),
        };
        match asked {
            Ok(()) => {}
            Err(AskError::Refused(reason)) => log::info!("the own peerd refuses: {reason}"),
            // Trust is what it was when the daemon was asked last: as in a run without one.
            Err(error) => return log::info!("nothing more is heard of the own peerd: {error}"),
        }
    }
    client.close().await;
}

#[cfg(test)]
mod tests {
    use flotilla_messages::port::local::LinkView;

    use super::*;

    fn view(number: u8, trusted: bool, barred: bool) -> PeerView {
        let fingerprint = Fingerprint([number; 32]);
        PeerView {
            fingerprint,
            address: None,
            jobs: None,
            platform: None,
            software: None,
            load: None,
            chain: if trusted { vec![fingerprint] } else { Vec::new() },
            trusts_me: Vec::new(),
            barred,
            heard: None,
            present: true,
            link: LinkView::None,
            obstacle: None,
            performance: None,
        }
    }

    #[test]
    fn who_loses_trust_is_told_once_however_it_is_lost() {
        let all = [view(1, true, false), view(2, true, false), view(3, true, false), view(4, false, false)];
        let mut standing = TrustedPeers::new(&all);
        assert_eq!(standing.lost(&all), []);
        // Barred, without a chain, forgotten.
        let fewer = [view(1, true, true), view(2, false, false), view(4, false, false)];
        assert_eq!(standing.lost(&fewer), [1, 2, 3].map(|number| Fingerprint([number; 32])));
        assert_eq!(standing.lost(&fewer), []);
        assert_eq!(standing.lost(&all), []);
    }
}
