//! What can be configured. The keys are those of `conf/peerd.toml`, in kebab case.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use flotilla_actors::net::discovery::Network;
use flotilla_actors::trust::Policy;
use log::LevelFilter;

use crate::options::{Declares, Section};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Every section.
pub const SECTIONS: &[Section] = &[
    Section { name: "local", options: Local::OPTIONS },
    Section { name: "work", options: Work::OPTIONS },
    Section { name: "status", options: Status::OPTIONS },
    Section { name: "discovery", options: Discovery::OPTIONS },
    Section { name: "trust", options: Trust::OPTIONS },
    Section { name: "log", options: Log::OPTIONS },
];

/// All of it, with what holds where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
pub struct Settings {
    /// The Local port.
    pub local: Local,
    /// The Work port.
    pub work: Work,
    /// The Status port.
    pub status: Status,
    /// Finding peers.
    pub discovery: Discovery,
    /// What follows from approvals.
    pub trust: Trust,
    /// The log.
    pub log: Log,
}

options! {
    /// Section `local`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Local {
        /// Where runners and the peerd command of this host are served: a loopback address. Port 0, here and below: any free one.
        [network] #[serde(deserialize_with = "loopback")]
        pub address: SocketAddr,
    }
}

options! {
    /// Section `work`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Work {
        /// Where runners of trusted peers are served; without IPv6, at 0.0.0.0.
        [network] pub address: SocketAddr,
        /// Tests at a time; without it, as many as the machine has processors.
        [harmless] pub jobs: Option<NonZeroU16>,
        /// GiB of the disk, below the home, for what peers' runners sent: tests and engines, by content.
        [harmless] pub store_limit: NonZeroU32,
        /// Days after which the workspace of a peer that has not come again is removed.
        [harmless] pub workspace_days: NonZeroU16,
        /// Variables that all tests of peers' runners get, besides PATH, HOME, TMPDIR and those of the runner that do no harm.
        [program, table] pub env: BTreeMap<String, String>,
    }
}

options! {
    /// Section `status`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Status {
        /// Where peers tell one another whom they trust; without IPv6, at 0.0.0.0.
        [network] pub address: SocketAddr,
    }
}

options! {
    /// Section `discovery`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Discovery {
        /// Whether peers are looked for, and this one can be found.
        [network] pub enabled: bool,
        /// The UDP port at which all peers of a network meet.
        [network] pub port: NonZeroU16,
        /// The IPv4 multicast group at which they meet.
        [network] #[serde(deserialize_with = "multicast_v4")]
        pub group_v4: Ipv4Addr,
        /// The IPv6 multicast group at which they meet.
        [network] #[serde(deserialize_with = "multicast_v6")]
        pub group_v6: Ipv6Addr,
        /// Network interfaces that are used, by name; none: all that are up and not point-to-point.
        [network] pub interfaces: Vec<String>,
        /// Peers that multicast does not reach: host:port, with the UDP port.
        [network] pub peers: Vec<HostPort>,
        /// How many peers are remembered at most.
        [harmless] pub capacity: NonZeroUsize,
    }
}

options! {
    /// Section `trust`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Trust {
        /// Whether keys count that are approved by a key that is trusted.
        [network] pub transitive: bool,
        /// How long a chain of approvals may be: 1 is a key that is approved here.
        [network] pub depth: NonZeroU32,
    }
}

options! {
    /// Section `log`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Log {
        /// The log file, seen from the home directory.
        [path] pub file: PathBuf,
        /// How much is logged: off, error, warn, info, debug, trace.
        [harmless] pub level: Level,
        /// The same for parts of the daemon and libraries, by name.
        [harmless, table] pub levels: BTreeMap<String, Level>,
    }
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing.
    Off,
    /// What ends the daemon or loses something.
    Error,
    /// What somebody should look at.
    Warn,
    /// Decisions.
    Info,
    /// What led to them.
    Debug,
    /// Everything.
    Trace,
}

/// `host:port`, where the host is a name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct HostPort(String);

impl Default for Local {
    fn default() -> Self {
        Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 9991)) }
    }
}

impl Default for Work {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 9992)),
            jobs: None,
            store_limit: NonZeroU32::MIN.saturating_add(9),
            workspace_days: NonZeroU16::MIN.saturating_add(13),
            env: BTreeMap::new(),
        }
    }
}

impl Default for Status {
    fn default() -> Self {
        Self { address: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 9994)) }
    }
}

impl Default for Discovery {
    fn default() -> Self {
        let network = Network::default();
        Self {
            enabled: true,
            port: NonZeroU16::new(network.port).unwrap_or(NonZeroU16::MIN),
            group_v4: network.group_v4,
            group_v6: network.group_v6,
            interfaces: Vec::new(),
            peers: Vec::new(),
            capacity: NonZeroUsize::new(4096).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

impl Trust {
    /// The same, as the core of trust has it.
    pub fn policy(&self) -> Policy {
        Policy { transitive: self.transitive, depth: self.depth.get() }
    }
}

impl Default for Trust {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            transitive: policy.transitive,
            depth: NonZeroU32::new(policy.depth).unwrap_or(NonZeroU32::MIN),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { file: PathBuf::from("log/peerd.log"), level: Level::Info, levels: BTreeMap::new() }
    }
}

impl Level {
    /// As `log` has it.
    pub fn filter(self) -> LevelFilter {
        match self {
            Self::Off => LevelFilter::Off,
            Self::Error => LevelFilter::Error,
            Self::Warn => LevelFilter::Warn,
            Self::Info => LevelFilter::Info,
            Self::Debug => LevelFilter::Debug,
            Self::Trace => LevelFilter::Trace,
        }
    }
}

impl Work {
    /// Tests at a time.
    pub fn jobs(&self) -> u16 {
        let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.jobs.map_or_else(|| u16::try_from(processors()).unwrap_or(u16::MAX), NonZeroU16::get)
    }

    /// Bytes of inputs kept.
    pub fn store_bytes(&self) -> u64 {
        u64::from(self.store_limit.get()) << 30
    }

    /// How long workspaces are kept that nobody uses.
    pub fn workspace_age(&self) -> Duration {
        Duration::from_secs(u64::from(self.workspace_days.get()) * 24 * 60 * 60)
    }
}

impl HostPort {
    /// `host:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for HostPort {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let sound = text.parse::<SocketAddr>().is_ok()
            || text.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && !host.contains([':', '[', ' ']) && port.parse::<NonZeroU16>().is_ok()
            });
        if sound { Ok(Self(text)) } else { Err(D::Error::custom(format!("'{text}' is not host:port"))) }
    }
}

fn loopback<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let address = SocketAddr::deserialize(from)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(D::Error::custom(format!(
            "{} is no loopback address: this port is for this host alone",
            address.ip()
        )))
    }
}

fn multicast_v4<'de, D: Deserializer<'de>>(from: D) -> Result<Ipv4Addr, D::Error> {
    multicast(Ipv4Addr::deserialize(from)?)
}

fn multicast_v6<'de, D: Deserializer<'de>>(from: D) -> Result<Ipv6Addr, D::Error> {
    multicast(Ipv6Addr::deserialize(from)?)
}

fn multicast<A: Copy + Into<IpAddr>, E: serde::de::Error>(address: A) -> Result<A, E> {
    let ip: IpAddr = address.into();
    if ip.is_multicast() { Ok(address) } else { Err(E::custom(format!("{ip} is no multicast address"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sections with their keys, as the table has them.
    fn keys(table: &toml::Table) -> Vec<(String, Vec<String>)> {
        let mut keys: Vec<_> = table
            .iter()
            .map(|(section, keys)| (section.clone(), keys.as_table().unwrap().keys().cloned().collect()))
            .collect();
        keys.iter_mut().for_each(|(_, keys): &mut (_, Vec<_>)| keys.sort());
        keys.sort();
        keys
    }

    fn known() -> Vec<(String, Vec<String>)> {
        let mut table = toml::Table::new();
        for Section { name, options } in SECTIONS {
            let keys = crate::options::all(options).into_iter().map(|option| (option.key(), true.into()));
            table.insert((*name).to_owned(), toml::Value::Table(keys.collect()));
        }
        keys(&table)
    }

    fn some_jobs(mut settings: Settings) -> Settings {
        settings.work.jobs = NonZeroU16::new(8);
        settings
    }

    /// `conf/peerd.toml` with every key.
    fn example() -> String {
        let lines = include_str!("../../../conf/peerd.toml").lines();
        let lines =
            lines.map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line));
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn the_known_keys_are_those_of_the_types() {
        let table = toml::Table::try_from(some_jobs(Settings::default())).unwrap();
        assert_eq!(keys(&table), known());
    }

    #[test]
    fn the_example_file_holds_every_key_with_its_default() {
        assert_eq!(keys(&example().parse().unwrap()), known());
        let mut settings: Settings = toml::from_str(&example()).unwrap();
        assert_eq!(settings.log.levels.remove("link"), Some(Level::Info), "an example");
        assert_eq!(settings.work.env.remove("FLEET").as_deref(), Some("yes"), "an example");
        assert_eq!(settings, some_jobs(Settings::default()));
        let commented = include_str!("../../../conf/peerd.toml");
        assert_eq!(toml::from_str::<Settings>(commented).unwrap(), Settings::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        for (text, part) in [
            ("[local]\naddress = \"0.0.0.0:9991\"\n", "no loopback address"),
            ("[work]\njobs = 0\n", "nonzero"),
            ("[work]\njobs = 70000\n", "70000"),
            ("[discovery]\nport = 0\n", "nonzero"),
            ("[discovery]\ngroup-v4 = \"10.0.0.1\"\n", "no multicast address"),
            ("[discovery]\ngroup-v6 = \"fe80::1\"\n", "no multicast address"),
            ("[discovery]\npeers = [\"host\"]\n", "'host' is not host:port"),
            ("[discovery]\npeers = [\"::1:9993\"]\n", "is not host:port"),
            ("[trust]\ndepth = 0\n", "nonzero"),
            ("[log]\nlevel = \"loud\"\n", "loud"),
        ] {
            let error = toml::from_str::<Settings>(text).unwrap_err().to_string();
            assert!(error.contains("line 2, column") && error.contains(part), "{text}: {error}");
        }
        let peers = "[discovery]\npeers = [\"host:1\", \"10.0.0.1:2\", \"[fe80::1]:3\"]\n";
        assert_eq!(toml::from_str::<Settings>(peers).unwrap().discovery.peers.len(), 3);
    }
}
