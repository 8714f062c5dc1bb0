//! The daemon's settings. Their keys are those of `conf/peerd.toml`, in kebab case.

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

/// All sections of `peerd.toml`.
pub const SECTIONS: &[Section] = &[
    Section { name: "local", options: Local::OPTIONS },
    Section { name: "work", options: Work::OPTIONS },
    Section { name: "status", options: Status::OPTIONS },
    Section { name: "discovery", options: Discovery::OPTIONS },
    Section { name: "trust", options: Trust::OPTIONS },
    Section { name: "log", options: Log::OPTIONS },
];

/// All settings, with their defaults.
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
    /// The rules of transitive trust.
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
        /// Address for runners and the peerd command of this host; must be loopback. Port 0, here and below, means any free one.
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
        /// Address for runners of trusted peers; without IPv6, 0.0.0.0 is used.
        [network] pub address: SocketAddr,
        /// How many tests run at once [default: one per processor].
        [harmless] pub jobs: Option<NonZeroU16>,
        /// GiB of disk, below the home, for files that peers' runners sent: tests and engines, stored by content.
        [harmless] pub store_limit: NonZeroU32,
        /// Days after which the workspace of a peer is removed that has not connected again.
        [harmless] pub workspace_days: NonZeroU16,
        /// Variables for all tests of peers' runners, besides PATH, HOME, TMPDIR and the harmless ones of the runner.
        [program, table] pub env: BTreeMap<String, String>,
    }
}

options! {
    /// Section `status`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Status {
        /// Address where peers exchange statements of trust; without IPv6, 0.0.0.0 is used.
        [network] pub address: SocketAddr,
    }
}

options! {
    /// Section `discovery`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Discovery {
        /// Whether to look for peers and let them find this one.
        [network] pub enabled: bool,
        /// The UDP port that all peers of a network use.
        [network] pub port: NonZeroU16,
        /// The IPv4 multicast group that all peers use.
        [network] #[serde(deserialize_with = "multicast_v4")]
        pub group_v4: Ipv4Addr,
        /// The IPv6 multicast group that all peers use.
        [network] #[serde(deserialize_with = "multicast_v6")]
        pub group_v6: Ipv6Addr,
        /// Names of the network interfaces to use; empty: all that are up and not point-to-point.
        [network] pub interfaces: Vec<String>,
        /// Peers that multicast does not reach, as host:port with the UDP port.
        [network] pub peers: Vec<HostPort>,
        /// The largest number of peers to remember.
        [harmless] pub capacity: NonZeroUsize,
    }
}

options! {
    /// Section `trust`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Trust {
        /// Whether to trust keys that a trusted key approves.
        [network] pub transitive: bool,
        /// The longest chain of approvals; 1: only keys that are approved here.
        [network] pub depth: NonZeroU32,
    }
}

options! {
    /// Section `log`.
    #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table")]
    pub struct Log {
        /// The log file, relative to the home directory.
        [path] pub file: PathBuf,
        /// Log level: off, error, warn, info, debug or trace.
        [harmless] pub level: Level,
        /// Log levels of single parts of the daemon and of libraries, by name.
        [harmless, table] pub levels: BTreeMap<String, Level>,
    }
}

/// A log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing.
    Off,
    /// Errors that end the daemon or lose something.
    Error,
    /// Problems that need attention.
    Warn,
    /// Decisions.
    Info,
    /// The reasons for decisions.
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
    /// The policy that the trust core uses.
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
    /// The filter of the crate `log`.
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
    /// The number of tests at a time.
    pub fn jobs(&self) -> u16 {
        let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.jobs.map_or_else(|| u16::try_from(processors()).unwrap_or(u16::MAX), NonZeroU16::get)
    }

    /// The store's limit, in bytes.
    pub fn store_bytes(&self) -> u64 {
        u64::from(self.store_limit.get()) << 30
    }

    /// How long an unused workspace is kept.
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

    /// The table's sections with their keys, sorted.
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
    fn invalid_values_are_refused_with_their_place() {
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
