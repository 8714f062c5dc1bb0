//! Accepts connections and starts a link for each.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, Recipient};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::actor::{Link, LinkId, LinkNews, Settings};
use super::connect::accepted;
use super::frame::WireMessage;
use super::gate::{Gate, Occupancy, Quotas, RefusedConnection};
use super::tls::Tls;
use crate::kit::rate_limit::RateLimit;
use crate::kit::reactor_now;

/// How long to wait after the system could not accept a connection.
const BREATH: Duration = Duration::from_millis(100);

/// A port that accepts links until it is dropped. Its links stay.
pub struct Listening {
    address: SocketAddr,
    gate: Rc<Gate>,
    task: JoinHandle<()>,
}

/// Listens at this address and starts a link for each connection; `owner` is notified of those that come up. The others
/// are recorded as refusals, and a few a second are logged.
///
/// # Errors If the address cannot be bound.
pub async fn listen<M: WireMessage>(
    address: SocketAddr,
    tls: Tls,
    settings: Rc<Settings>,
    quotas: Quotas,
    owner: Recipient<LinkNews<M>>,
) -> io::Result<Listening> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let gate = Gate::new(quotas);
    let task = actix_rt::spawn(accept(listener, Rc::clone(&gate), tls, settings, owner));
    Ok(Listening { address, gate, task })
}

impl Listening {
    /// The address that is listened at, with the actual port if the system chose it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The last refusals, oldest first; at most 32.
    pub fn refusals(&self) -> Vec<RefusedConnection> {
        self.gate.refusals()
    }

    /// The numbers of current connections, and of those refused so far.
    pub fn occupancy(&self) -> Occupancy {
        self.gate.occupancy()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept<M: WireMessage>(
    listener: TcpListener,
    gate: Rc<Gate>,
    tls: Tls,
    settings: Rc<Settings>,
    owner: Recipient<LinkNews<M>>,
) {
    let mut limit = RateLimit::default();
    let mut number = 0;
    while let Some(permit) = gate.room().await {
        let (socket, address) = match listener.accept().await {
            // A peer that connects over IPv4 to a dual-stack port is shown, and counted, with its IPv4 address.
            Ok((socket, address)) => (socket, SocketAddr::new(address.ip().to_canonical(), address.port())),
            // The client has already closed the connection.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                if limit.pass(reactor_now()).is_some() {
                    log::warn!("cannot accept connections: {error}");
                }
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let slot = match gate.enter(address, permit) {
            Ok(slot) => Rc::new(slot),
            Err(end) => {
                gate.refused(reactor_now(), address, None, end);
                continue;
            }
        };
        number += 1;
        let id = LinkId::Accepted(number);
        let (settings, admission) = (Rc::clone(&settings), tls.admission.clone());
        Link::new(id, address, accepted(socket, &tls), admission, settings, Some(slot), owner.clone())
            .start();
    }
}
