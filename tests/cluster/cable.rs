//! Cables between peers: TCP proxies, one for each direction of dialling.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a cable is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cable {
    #[default]
    Whole,
    /// Connections end at once, and no new one gets through.
    Cut,
    /// Connections stay, and nothing gets through.
    Silent,
}

/// All cables of a cluster. A cable is there once something was dialled over it or was done to it.
#[derive(Default)]
pub struct Cables {
    inside: RefCell<Inside>,
}

#[derive(Default)]
struct Inside {
    /// Which peer listens at a port.
    ports: BTreeMap<u16, usize>,
    /// Between the lower and the higher number.
    states: BTreeMap<(usize, usize), watch::Sender<Cable>>,
    /// From a dialler to a port.
    proxies: BTreeMap<(usize, u16), SocketAddr>,
}

impl Inside {
    fn state(&mut self, one: usize, other: usize) -> &watch::Sender<Cable> {
        self.states.entry((one.min(other), one.max(other))).or_default()
    }
}

impl Cables {
    /// This peer's Status port.
    pub fn status_port(&self, peer: usize, port: u16) {
        self.inside.borrow_mut().ports.insert(port, peer);
    }

    pub fn set(&self, one: usize, other: usize, cable: Cable) {
        self.inside.borrow_mut().state(one, other).send_replace(cable);
    }

    /// Where a dial from this peer to an address goes.
    pub fn lead(&self, from: usize, address: SocketAddr) -> SocketAddr {
        let mut inside = self.inside.borrow_mut();
        let Some(to) = inside.ports.get(&address.port()).copied() else { return address };
        if let Some(proxy) = inside.proxies.get(&(from, address.port())) {
            return *proxy;
        }
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let proxy = listener.local_addr().unwrap();
        let state = inside.state(from, to).subscribe();
        inside.proxies.insert((from, address.port()), proxy);
        actix_rt::spawn(serve(TcpListener::from_std(listener).unwrap(), address, state));
        proxy
    }
}

async fn serve(listener: TcpListener, to: SocketAddr, state: watch::Receiver<Cable>) {
    loop {
        let Ok((near, _)) = listener.accept().await else { return };
        if *state.borrow() == Cable::Cut {
            continue;
        }
        let state = state.clone();
        actix_rt::spawn(async move {
            let Ok(far) = TcpStream::connect(to).await else { return };
            let (near_in, near_out) = near.into_split();
            let (far_in, far_out) = far.into_split();
            // Whichever direction ends first takes the other with it, as a cable does.
            tokio::select! {
                () = carry(near_in, far_out, state.clone()) => {}
                () = carry(far_in, near_out, state.clone()) => {}
            }
        });
    }
}

/// Carries bytes while the cable is whole; returns when it is cut or either end has closed.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<Cable>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let now = *state.borrow_and_update();
        match now {
            Cable::Whole => {}
            Cable::Cut => return,
            Cable::Silent => {
                if state.changed().await.is_err() {
                    return;
                }
                continue;
            }
        }
        tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(0) => {
                    // The other direction may still have last words.
                    let _ = to.shutdown().await;
                    std::future::pending::<()>().await;
                }
                Ok(size) => {
                    if to.write_all(&buffer[..size]).await.is_err() {
                        return;
                    }
                }
                Err(_) => return,
            },
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}
