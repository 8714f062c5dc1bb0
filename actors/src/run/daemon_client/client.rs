//! Asking this host's own daemon.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler};
use flotilla_messages::port::local::{Answer, LocalMessage, Overview, PeerView, Question, TestDuration};
use flotilla_messages::wire::Hello;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::net::link::{
    Admission, Close, End, Link, LinkEvent, LinkNews, Open, SendMessage, Settings, Timing, Tls, TlsError,
};
use crate::trust::TrustedKeys;
use crate::trust::identity::Identity;

/// How long an answer may take; trust is written to a disk meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no link to a daemon.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("no peerd answers at {address}: {reason}")]
    Nobody {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
    /// A daemon, but of another identity.
    #[error("the peerd at {address} has another identity than this home: {reason}")]
    OtherIdentity {
        /// Where.
        address: SocketAddr,
        /// What gave it away.
        reason: String,
    },
    /// A daemon that does not want this link, or none that speaks the protocol.
    #[error("the peerd at {address} cannot be asked: {end}")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// How it ended.
        end: End,
    },
    /// The own key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The link is over.
    #[error("peerd has gone away: {0}")]
    Gone(String),
    /// It takes too long.
    #[error("peerd does not answer")]
    Late,
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// It says something else.
    #[error("peerd answered something else than was asked")]
    Other,
}

/// A link to this host's own daemon. Dropping it ends the link, and gives back what it has claimed.
pub struct Client {
    link: Addr<Link<LocalMessage>>,
    open: Open,
    news: Receiver<LinkEvent<LocalMessage>>,
}

/// Passes on what the link says; the link waits until there is room.
struct LinkOwner(Sender<LinkEvent<LocalMessage>>);

impl Actor for LinkOwner {
    type Context = Context<Self>;
}

impl Handler<LinkNews<LocalMessage>> for LinkOwner {
    type Result = ();

    fn handle(&mut self, news: LinkNews<LocalMessage>, _: &mut Self::Context) {
        // A daemon answers what it is asked, one at a time: where there is no room it says what nobody asked for.
        let _ = self.0.try_send(news.what);
    }
}

impl Client {
    /// Connects to the daemon that listens here, if it has this identity. To be called on an actix system.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(address: SocketAddr, identity: &Identity) -> Result<Self, ConnectError> {
        let own = identity.fingerprint();
        // The answerer's key is looked at here rather than in the handshake, so that another identity can be named.
        let tls = Tls::new(identity.signing_key(), Admission::AnyKey(TrustedKeys::from_iter([own])))?;
        let timing = Timing { suspected: PATIENCE, lost: PATIENCE, ..Timing::default() };
        let settings = Settings { timing, ..Settings::new(Hello::of_this_build(0)) };
        let open = settings.open.clone();
        let (sender, mut news) = channel(16);
        let owner = LinkOwner(sender).start().recipient();
        let link = Link::dial(0, address, Some(own), &tls, Rc::new(settings), owner);
        loop {
            match news.recv().await {
                Some(LinkEvent::Up(_)) => return Ok(Self { link, open, news }),
                Some(LinkEvent::Ended(end)) => return Err(failed(address, end)),
                Some(_) => {}
                None => return Err(failed(address, End::Cut("the link has died".to_owned()))),
            }
        }
    }

    /// Asks one question.
    ///
    /// # Errors
    /// [`AskError`]; after anything but [`AskError::Refused`] the link is of no use.
    pub async fn ask(&mut self, question: Question) -> Result<Answer, AskError> {
        let said = self.link.send(SendMessage(LocalMessage::Ask(question))).await;
        said.map_err(|_| AskError::Gone("its link has ended".to_owned()))?
            .map_err(|error| AskError::Gone(error.to_string()))?;
        let answer = async {
            loop {
                match self.news.recv().await {
                    Some(LinkEvent::Message(LocalMessage::Answer(answer))) => return Ok(*answer),
                    Some(LinkEvent::Message(LocalMessage::Ask(_)) | LinkEvent::Up(_)) => {
                        return Err(AskError::Other);
                    }
                    Some(LinkEvent::Ended(end)) => return Err(AskError::Gone(end.to_string())),
                    Some(LinkEvent::Suspected | LinkEvent::Recovered) => {}
                    None => return Err(AskError::Gone("its link has died".to_owned())),
                }
            }
        };
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(Answer::Refused { reason })) => Err(AskError::Refused(reason)),
            Ok(answer) => answer,
            Err(_) => Err(AskError::Late),
        }
    }

    /// Ends the link in order, and waits until the daemon has seen it.
    pub async fn close(self) {
        let open = self.open.clone();
        drop(self);
        open.drained().await;
    }

    /// How the daemon is.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn overview(&mut self) -> Result<Overview, AskError> {
        match self.ask(Question::Overview).await? {
            Answer::Overview(overview) => Ok(overview),
            _ => Err(AskError::Other),
        }
    }

    /// How long tests take under this configuration, as far as runners have told.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn durations(&mut self, configuration: &str) -> Result<Vec<TestDuration>, AskError> {
        let mut all: Vec<TestDuration> = Vec::new();
        loop {
            let after = all.last().map(|last| last.test);
            let question = Question::Durations { configuration: configuration.to_owned(), after };
            let Answer::Durations { page, more } = self.ask(question).await? else {
                return Err(AskError::Other);
            };
            // A daemon that never comes to an end is not ours.
            if page.first().is_some_and(|first| Some(first.test) <= after) {
                return Err(AskError::Other);
            }
            let end = !more || page.is_empty();
            all.extend(page);
            if end {
                return Ok(all);
            }
        }
    }

    /// All peers, in the order of their fingerprints.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn peers(&mut self) -> Result<Vec<PeerView>, AskError> {
        let mut all: Vec<PeerView> = Vec::new();
        loop {
            let after = all.last().map(|last| last.fingerprint);
            let Answer::Peers { page, more } = self.ask(Question::Peers { after }).await? else {
                return Err(AskError::Other);
            };
            // A daemon that never comes to an end is not ours.
            let goes_on = page.first().is_none_or(|first| Some(first.fingerprint) > after);
            let end = !more || page.is_empty();
            all.extend(page);
            match (goes_on, end) {
                (false, _) => return Err(AskError::Other),
                (true, true) => return Ok(all),
                (true, false) => {}
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.link.do_send(Close { reason: "done".to_owned() });
    }
}

fn failed(address: SocketAddr, end: End) -> ConnectError {
    match end {
        End::Unreachable(reason) => ConnectError::Nobody { address, reason },
        End::OtherKey { .. } => ConnectError::OtherIdentity { address, reason: end.to_string() },
        end => ConnectError::Refused { address, end },
    }
}
