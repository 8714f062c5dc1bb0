//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::peerd::config::{self, Set};

options! {
    /// Lends this machine to the peers that it trusts.
    #[derive(Debug, Parser)]
    #[command(
        name = "peerd",
        version,
        max_term_width = 110,
        after_help = "To let two machines trust each other, on each of them:\n  \
                      cp trusted/$(cat data/mypubkey).pem /where/the/other/sees/it/me.pem\n  \
                      peerd approve /where/i/see/it/other.pem\n\n\
                      The configuration is peerd.toml in the home directory; peerd setup puts it there, with comments.\n\
                      Exit codes: 0 done, 1 refused or failed, 2 a bad option or an unknown command."
    )]
    pub struct PeerdCli {
        /// Where identity, trust and configuration are kept [default: FLOTILLA_HOME, or flotilla in the user's data directory].
        [path] #[arg(long, value_name = "DIR", global = true)]
        pub home: Option<PathBuf>,

        /// What to do.
        [none] #[command(subcommand)]
        pub command: Command,
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the home directory and this machine's identity, unless they are there.
    Setup,
    /// Start the daemon in the background, and wait until its ports answer.
    #[command(after_help = config::help())]
    Start(ServeArgs),
    /// Run the daemon in the foreground.
    #[command(after_help = config::help())]
    Run(RunArgs),
    /// End the daemon, and wait until it has ended.
    Stop,
    /// End the daemon, if one runs, and start it in the background.
    #[command(after_help = config::help())]
    Restart(ServeArgs),
    /// Show the end of the log.
    Log(LogArgs),
    /// Print the fingerprint of this machine's identity.
    Fingerprint,
    /// Trust a key, and whom it approves, even if it was revoked.
    #[command(alias = "trust")]
    Approve(ApproveArgs),
    /// Withdraw trust from a key, and bar it even if others approve it.
    Revoke(RevokeArgs),
    /// Show other machines: where they are, whom this machine trusts and through whom, who trusts it, and what can be used.
    Peers(PeersArgs),
    /// Show the daemon and its peers, and for each one that cannot be used, why.
    Status(StatusArgs),
}

options! {
    /// How a daemon is to run.
    #[derive(Clone, Debug, Args)]
    pub struct ServeArgs {
        /// A setting of peerd.toml for this time, such as work.jobs=4. May be repeated.
        [network, append] #[arg(long, value_name = "SECTION.KEY=VALUE")]
        pub set: Vec<Set>,

        /// Run as root all the same.
        [program] #[arg(long)]
        pub allow_root: bool,
    }
}

options! {
    /// `peerd run`.
    #[derive(Debug, Args)]
    pub struct RunArgs {
        /// How.
        [group] #[command(flatten)]
        pub serve: ServeArgs,

        /// As `start` starts it: in a session of its own, telling when it is ready.
        [harmless] #[arg(long, hide = true)]
        pub background: bool,
    }
}

options! {
    /// `peerd log`.
    #[derive(Debug, Args)]
    pub struct LogArgs {
        /// How many lines.
        [harmless] #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        pub lines: usize,

        /// Go on with what is added, until Ctrl-C.
        [harmless] #[arg(short, long)]
        pub follow: bool,
    }
}

options! {
    /// `peerd approve`.
    #[derive(Debug, Args)]
    pub struct ApproveArgs {
        /// A public key in PEM form, or the fingerprint of a key that was seen: 16 digits or more.
        [network] #[arg(value_name = "FILE|FINGERPRINT")]
        pub key: PathBuf,
    }
}

options! {
    /// `peerd revoke`.
    #[derive(Debug, Args)]
    pub struct RevokeArgs {
        /// The fingerprint; 6 digits are enough if they are one known key's.
        [network] #[arg(value_name = "FINGERPRINT")]
        pub key: String,
    }
}

options! {
    /// `peerd peers`.
    #[derive(Debug, Args)]
    pub struct PeersArgs {
        /// One JSON object a line.
        [harmless] #[arg(long)]
        pub json: bool,
    }
}

options! {
    /// `peerd status`.
    #[derive(Debug, Args)]
    pub struct StatusArgs {
        /// One JSON object.
        [harmless] #[arg(long)]
        pub json: bool,

        /// Again every second, until Ctrl-C.
        [harmless] #[arg(long)]
        pub watch: bool,
    }
}
