//! Which addresses of which interfaces are used.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use if_addrs::{IfAddr, IfOperStatus, Interface};

/// Which interfaces are to be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Interfaces {
    /// All that are up and not point-to-point; the loopback interface only where there is no other.
    #[default]
    All,
    /// Those with these names, whatever they are, if they are up.
    Only(Vec<String>),
}

/// One address of one interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Nic {
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) address: IpAddr,
    /// The directed broadcast address of an IPv4 network.
    pub(super) broadcast: Option<Ipv4Addr>,
    /// It is the one that joins its family's group for the interface, where the others would hear all twice.
    pub(super) joins: bool,
}

/// The addresses to use of those the system has, sorted. None twice.
pub(super) fn choose(all: Vec<Interface>, wanted: &Interfaces) -> Vec<Nic> {
    let up = |interface: &Interface| {
        use IfOperStatus::{Down, LowerLayerDown, NotPresent};
        !matches!(interface.oper_status, Down | LowerLayerDown | NotPresent)
    };
    let mut usable: Vec<Interface> = all.into_iter().filter(up).collect();
    match wanted {
        Interfaces::Only(names) => usable.retain(|interface| names.contains(&interface.name)),
        Interfaces::All => {
            usable.retain(|interface| !interface.is_p2p);
            if usable.iter().any(|interface| !interface.is_loopback()) {
                usable.retain(|interface| !interface.is_loopback());
            }
        }
    }
    let mut nics: Vec<Nic> = usable.into_iter().map(nic).collect();
    nics.sort();
    nics.dedup();
    // Of IPv6 addresses any will do: the group is joined by the interface's number. In IPv4 each of an interface's
    // networks has to be spoken to from an address of its own.
    let mut joined = BTreeSet::new();
    for nic in &mut nics {
        nic.joins = nic.address.is_ipv4() || joined.insert(nic.index);
    }
    nics
}

fn nic(interface: Interface) -> Nic {
    let index = interface.index.unwrap_or(0);
    let broadcast = match &interface.addr {
        // A network of one or two addresses has none.
        IfAddr::V4(v4) if v4.prefixlen < 31 && !v4.is_loopback() => {
            Some(v4.broadcast.unwrap_or(v4.ip | !v4.netmask))
        }
        IfAddr::V4(_) | IfAddr::V6(_) => None,
    };
    Nic { address: interface.addr.ip(), name: interface.name, index, broadcast, joins: true }
}

#[cfg(test)]
mod tests {
    use if_addrs::{Ifv4Addr, Ifv6Addr};

    use super::*;

    fn v4(name: &str, ip: [u8; 4], prefixlen: u8) -> Interface {
        let netmask = Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(prefixlen)).unwrap_or(0));
        let addr = IfAddr::V4(Ifv4Addr { ip: ip.into(), netmask, prefixlen, broadcast: None });
        Interface { name: name.into(), addr, index: Some(2), oper_status: IfOperStatus::Up, is_p2p: false }
    }

    fn v6(name: &str, ip: &str) -> Interface {
        let (ip, netmask) = (ip.parse().unwrap(), "ffff:ffff:ffff:ffff::".parse().unwrap());
        let addr = IfAddr::V6(Ifv6Addr { ip, netmask, prefixlen: 64, broadcast: None });
        Interface { addr, ..v4(name, [0; 4], 8) }
    }

    fn names(nics: &[Nic]) -> Vec<&str> {
        nics.iter().map(|nic| nic.name.as_str()).collect()
    }

    #[test]
    fn loopback_is_used_only_where_nothing_else_is_up() {
        let lo = v4("lo", [127, 0, 0, 1], 8);
        let eth = v4("eth0", [10, 77, 0, 2], 24);
        let down = Interface { oper_status: IfOperStatus::Down, ..eth.clone() };
        assert_eq!(names(&choose(vec![lo.clone(), eth], &Interfaces::All)), ["eth0"]);
        assert_eq!(names(&choose(vec![lo, down], &Interfaces::All)), ["lo"]);
    }

    #[test]
    fn tunnels_are_left_out_unless_they_are_named() {
        let tunnel = Interface { is_p2p: true, ..v4("tun0", [10, 8, 0, 2], 24) };
        let all = vec![tunnel, v4("eth0", [10, 77, 0, 2], 24)];
        assert_eq!(names(&choose(all.clone(), &Interfaces::All)), ["eth0"]);
        assert_eq!(names(&choose(all, &Interfaces::Only(vec!["tun0".into()]))), ["tun0"]);
    }

    #[test]
    fn one_ipv6_address_of_an_interface_joins_the_group() {
        let all = vec![v6("eth0", "fe80::1"), v6("eth0", "fd00::1"), v4("eth0", [10, 77, 0, 2], 24)];
        let joins: Vec<bool> = choose(all, &Interfaces::All).iter().map(|nic| nic.joins).collect();
        assert_eq!(joins, [true, true, false]);
    }

    #[test]
    fn the_broadcast_address_is_the_networks_last_one() {
        let broadcast = |interface| choose(vec![interface], &Interfaces::All)[0].broadcast;
        assert_eq!(broadcast(v4("eth0", [10, 77, 0, 2], 24)), Some(Ipv4Addr::new(10, 77, 0, 255)));
        assert_eq!(broadcast(v4("eth0", [10, 77, 0, 2], 31)), None);
        assert_eq!(broadcast(v4("lo", [127, 0, 0, 1], 8)), None);
        assert_eq!(broadcast(v6("eth0", "fe80::1")), None);
    }
}
