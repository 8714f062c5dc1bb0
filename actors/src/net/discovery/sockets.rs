//! The sockets of one address of one interface.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use super::interfaces::{Interfaces, Nic};
use crate::net::membership::Way;

/// Tries to find a port that is free in both families.
const ATTEMPTS: usize = 16;
/// Bytes that the system keeps for each socket while a flood is worked off.
const RECEIVE_BUFFER: usize = 256 << 10;

/// Where peers of one network meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The UDP port that all peers share, several of one host too.
    pub port: u16,
    /// The IPv4 multicast group, one of those that stay within an organization (239.0.0.0/8, RFC 2365).
    pub group_v4: Ipv4Addr,
    /// The IPv6 multicast group, of link-local scope.
    pub group_v6: Ipv6Addr,
    /// Which interfaces are used.
    pub interfaces: Interfaces,
}

impl Default for Network {
    /// Port 9993, groups 239.255.77.77 and ff12::f107:111a, all interfaces.
    fn default() -> Self {
        Self {
            port: 9993,
            group_v4: Ipv4Addr::new(239, 255, 77, 77),
            group_v6: Ipv6Addr::new(0xff12, 0, 0, 0, 0, 0, 0xf107, 0x111a),
            interfaces: Interfaces::All,
        }
    }
}

/// A socket to read from, and how what it reads was sent.
pub(super) struct Ear {
    pub(super) socket: UdpSocket,
    pub(super) way: Way,
}

/// A way to reach many at once.
pub(super) struct Mouth {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Mouth {
    pub(super) fn say(&self, bytes: &[u8]) -> io::Result<()> {
        self.socket.send_to(bytes, self.to).map(drop)
    }
}

/// All sockets of one address. What could not be opened is missing.
pub(super) struct InterfaceSockets {
    pub(super) nic: Nic,
    pub(super) ears: Vec<Ear>,
    pub(super) group: Option<Mouth>,
    pub(super) broadcast: Option<Mouth>,
    /// Nothing is missing.
    pub(super) whole: bool,
}

impl InterfaceSockets {
    /// Opens what can be opened; what cannot is told to `warn` with its purpose.
    pub(super) fn open(nic: Nic, network: &Network, mut warn: impl FnMut(&str, &io::Error)) -> Self {
        let mut station = Self { nic, ears: Vec::new(), group: None, broadcast: None, whole: true };
        let mut failed = |what: &str, error: io::Error| warn(what, &error);
        if station.nic.joins {
            match station.open_group(network) {
                Ok((ear, mouth)) => {
                    station.ears.push(ear);
                    station.group = Some(mouth);
                }
                Err(error) => {
                    station.whole = false;
                    failed("multicast", error);
                }
            }
        }
        match station.open_address(network) {
            Ok((ears, mouth)) => {
                station.ears.extend(ears);
                station.broadcast = mouth;
            }
            Err(error) => {
                station.whole = false;
                failed("unicast and broadcast", error);
            }
        }
        station
    }

    /// The group's socket hears the group on this interface only: it is bound to the group's address, and
    /// IP_MULTICAST_ALL is off, without which Linux delivers what any socket of the host has joined.
    fn open_group(&self, network: &Network) -> io::Result<(Ear, Mouth)> {
        let (socket, group) = match self.nic.address {
            IpAddr::V4(address) => {
                let group = SocketAddr::from((network.group_v4, network.port));
                let socket = shared(group)?;
                #[cfg(target_os = "linux")]
                socket.set_multicast_all_v4(false)?;
                socket.join_multicast_v4(&network.group_v4, &address)?;
                socket.set_multicast_if_v4(&address)?;
                socket.set_multicast_ttl_v4(1)?;
                (socket, group)
            }
            IpAddr::V6(_) => {
                let group = SocketAddrV6::new(network.group_v6, network.port, 0, self.nic.index).into();
                let socket = shared(group)?;
                #[cfg(target_os = "linux")]
                socket.set_multicast_all_v6(false)?;
                socket.join_multicast_v6(&network.group_v6, self.nic.index)?;
                socket.set_multicast_if_v6(self.nic.index)?;
                socket.set_multicast_hops_v6(1)?;
                (socket, group)
            }
        };
        let socket: UdpSocket = socket.into();
        Ok((Ear { socket: socket.try_clone()?, way: Way::Group }, Mouth { socket, to: group }))
    }

    /// One socket for what is sent to the address alone, one for what is broadcast to its network.
    fn open_address(&self, network: &Network) -> io::Result<(Vec<Ear>, Option<Mouth>)> {
        let socket: UdpSocket = shared(self.at(network.port))?.into();
        let mut ears = vec![Ear { socket: socket.try_clone()?, way: Way::Direct }];
        let Some(broadcast) = self.nic.broadcast else { return Ok((ears, None)) };
        let to = SocketAddr::from((broadcast, network.port));
        // Without it the system answers EACCES.
        socket.set_broadcast(true)?;
        ears.push(Ear { socket: shared(to)?.into(), way: Way::Broadcast });
        Ok((ears, Some(Mouth { socket, to })))
    }

    fn at(&self, port: u16) -> SocketAddr {
        match self.nic.address {
            IpAddr::V4(address) => (address, port).into(),
            IpAddr::V6(address) => {
                let scope = if address.is_unicast_link_local() { self.nic.index } else { 0 };
                SocketAddrV6::new(address, port, 0, scope).into()
            }
        }
    }
}

/// A socket that others of this host may have too: without SO_REUSEADDR the second peer would get EADDRINUSE.
fn shared(address: SocketAddr) -> io::Result<Socket> {
    let socket = socket(address)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The system may grant less.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    Ok(socket)
}

/// The sockets that are this peer's own, on one port in both families; without IPv6 where there is none.
pub(super) struct Own {
    pub(super) port: u16,
    pub(super) v4: UdpSocket,
    pub(super) v6: Option<UdpSocket>,
}

impl Own {
    /// # Errors
    /// No IPv4 socket could be had.
    pub(super) fn open() -> io::Result<Self> {
        let bind = |address: SocketAddr| -> io::Result<UdpSocket> {
            let socket = socket(address)?;
            socket.bind(&address.into())?;
            Ok(socket.into())
        };
        let mut attempt = 1;
        loop {
            let v4 = bind((Ipv4Addr::UNSPECIFIED, 0).into())?;
            let port = v4.local_addr()?.port();
            match bind((Ipv6Addr::UNSPECIFIED, port).into()) {
                Ok(v6) => return Ok(Self { port, v4, v6: Some(v6) }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempt < ATTEMPTS => attempt += 1,
                Err(_) => return Ok(Self { port, v4, v6: None }),
            }
        }
    }

    pub(super) fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let socket = match to {
            SocketAddr::V4(_) => Some(&self.v4),
            SocketAddr::V6(_) => self.v6.as_ref(),
        };
        let socket = socket.ok_or(io::ErrorKind::AddrNotAvailable)?;
        socket.send_to(bytes, to).map(drop)
    }
}
