//! Whether a daemon of this machine's own identity is there. In this version tests run on this machine alone, and one
//! line says so to whoever has a daemon.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use flotilla_actors::daemon::Settings;
use flotilla_actors::identity::Home;
use flotilla_actors::local::{Client, ConnectError};

/// How long the daemon may take: tests do not wait for one that does not answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Looks for the daemon; what is to be said of it, if anything.
pub fn look(given: Option<PathBuf>) -> Option<String> {
    let asked_for = given.is_some();
    let home = Home::find(given)?;
    if !home.key_file().exists() {
        // Most people have no peers. Who names a home means it.
        let hint = format!("there is no identity in {}: peerd setup makes one", home.path().display());
        return asked_for.then(|| alone(&hint));
    }
    let identity = match home.identity() {
        Ok(identity) => identity,
        Err(error) => return Some(alone(&error.to_string())),
    };
    let address = match home.ports() {
        Ok(ports) => ports.map_or(Settings::default().local, |ports| ports.local),
        Err(error) => return Some(alone(&error.to_string())),
    };
    let usable = actix_rt::System::new().block_on(async {
        let asking = async {
            let mut client = Client::connect(address, &identity).await?;
            let peers =
                client.peers().await.map(|peers| peers.iter().filter(|peer| peer.obstacle.is_none()).count());
            client.close().await;
            Ok(peers)
        };
        tokio::time::timeout(PATIENCE, asking).await
    });
    match usable {
        Ok(Ok(Ok(0))) => None,
        Ok(Ok(Ok(peers))) => Some(alone(&format!(
            "{peers} peers could be used, and running tests on peers is not in this version"
        ))),
        Ok(Ok(Err(error))) => Some(alone(&error.to_string())),
        Ok(Err(ConnectError::Nobody { .. })) => None,
        Ok(Err(error @ ConnectError::OtherIdentity { .. })) => Some(other_identity(&home, &error)),
        Ok(Err(error)) => Some(alone(&error.to_string())),
        Err(_) => Some(alone(&no_answer(address))),
    }
}

fn alone(why: &str) -> String {
    format!("all tests run on this machine: {why}")
}

fn other_identity(home: &Home, error: &ConnectError) -> String {
    alone(&format!("{error} (this home is {})", home.path().display()))
}

fn no_answer(address: SocketAddr) -> String {
    format!("the peerd at {address} did not answer within {} ms", PATIENCE.as_millis())
}
