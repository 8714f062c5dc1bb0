//! Sends requests to the daemon that runs on this home.

use std::net::SocketAddr;

use flotilla_actors::run::daemon_client::{AskError, Client, ConnectError};
use flotilla_actors::trust::identity::{Home, HomeError, Identity};

use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::{FEWEST_DIGITS, FEWEST_DIGITS_TO_APPROVE, FingerprintError};
use flotilla_messages::port::local::{Answer, Overview, PeerView, Question};

use crate::peerd::changed::Changed;

/// Why a request to the daemon failed.
#[derive(Debug, thiserror::Error)]
pub enum OnlineError {
    /// It has just started, and its ports do not answer yet.
    #[error("a daemon runs on this home, pid {0}, and its ports do not answer yet")]
    Starting(u32),
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// There is no connection to it.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It refuses, or does not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// There is no single known key with the given digits.
    #[error(transparent)]
    Name(#[from] FingerprintError),
}

/// The daemon of a home.
pub struct Online {
    local: SocketAddr,
    identity: Identity,
}

impl Online {
    /// The daemon of this home, if one runs.
    ///
    /// # Errors
    /// [`OnlineError`] if the home cannot be read, or the daemon's ports do not answer yet.
    pub fn of(home: &Home) -> Result<Option<Self>, OnlineError> {
        let identity = home.identity()?;
        let Some(pid) = home.daemon()? else { return Ok(None) };
        let ports = home.ports()?.ok_or(OnlineError::Starting(pid))?;
        Ok(Some(Self { local: ports.local, identity }))
    }

    fn ask<T>(
        &self,
        asking: impl AsyncFnOnce(&mut Client) -> Result<T, OnlineError>,
    ) -> Result<T, OnlineError> {
        actix::System::new().block_on(async {
            let mut client = Client::connect(self.local, &self.identity).await?;
            let answer = asking(&mut client).await;
            client.close().await;
            answer
        })
    }

    /// All peers.
    pub fn peers(&self) -> Result<Vec<PeerView>, OnlineError> {
        self.ask(async |client| Ok(client.peers().await?))
    }

    /// The daemon, and all peers.
    pub fn status(&self) -> Result<(Overview, Vec<PeerView>), OnlineError> {
        self.ask(async |client| Ok((client.overview().await?, client.peers().await?)))
    }

    /// Trusts this public key.
    pub fn approve(&self, key: [u8; 32]) -> Result<Changed, OnlineError> {
        self.ask(async |client| change(client, Question::Approve { key }).await)
    }

    /// Trusts a key that the daemon has seen, by digits of its fingerprint.
    pub fn approve_known(&self, digits: &str) -> Result<Changed, OnlineError> {
        self.ask(async |client| {
            let key = resolve(client, digits, FEWEST_DIGITS_TO_APPROVE).await?;
            change(client, Question::ApproveKnown { key }).await
        })
    }

    /// Withdraws trust from a key, and bars it.
    pub fn revoke(&self, digits: &str) -> Result<Changed, OnlineError> {
        self.ask(async |client| {
            let key = resolve(client, digits, FEWEST_DIGITS).await?;
            change(client, Question::Revoke { key }).await
        })
    }
}

async fn resolve(client: &mut Client, digits: &str, fewest: usize) -> Result<Fingerprint, OnlineError> {
    let known = client.peers().await?.into_iter().map(|peer| peer.fingerprint);
    Ok(Fingerprint::resolve(digits, fewest, known)?)
}

async fn change(client: &mut Client, question: Question) -> Result<Changed, OnlineError> {
    match client.ask(question).await? {
        Answer::Trust { changed, key, follows } => Ok(Changed { changed, key, follows }),
        _ => Err(AskError::Other.into()),
    }
}
