//! The command line of `peerd`.

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
        /// Directory with identity, trust and configuration [default: FLOTILLA_HOME, or flotilla in the user's data directory].
        [path] #[arg(long, value_name = "DIR", global = true)]
        pub home: Option<PathBuf>,

        /// The command to run.
        [none] #[command(subcommand)]
        pub command: Command,
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create the home directory and this machine's identity, unless they exist.
    Setup,
    /// Start the daemon in the background, and wait until its ports answer.
    #[command(after_help = config::help())]
    Start(ServeArgs),
    /// Run the daemon in the foreground.
    #[command(after_help = config::help())]
    Run(RunArgs),
    /// Stop the daemon, and wait until it has ended.
    Stop,
    /// Stop the daemon, if one runs, and start it in the background.
    #[command(after_help = config::help())]
    Restart(ServeArgs),
    /// Show the end of the log.
    Log(LogArgs),
    /// Print the fingerprint of this machine's identity.
    Fingerprint,
    /// Trust a key and the keys that it approves, even if it was revoked before.
    #[command(alias = "trust")]
    Approve(ApproveArgs),
    /// Withdraw trust from a key, and bar it even if others approve it.
    Revoke(RevokeArgs),
    /// Show other machines: their addresses, trust in both directions and through which keys, and whether they can be
    /// used.
    Peers(PeersArgs),
    /// Show the daemon and its peers, with the reason for each that cannot be used.
    Status(StatusArgs),
}

options! {
    /// The options of a daemon that starts.
    #[derive(Clone, Debug, Args)]
    pub struct ServeArgs {
        /// Override a setting of peerd.toml for this start, such as work.jobs=4. May be repeated.
        [network, append] #[arg(long, value_name = "SECTION.KEY=VALUE")]
        pub set: Vec<Set>,

        /// Allow running as root.
        [program] #[arg(long)]
        pub allow_root: bool,
    }
}

options! {
    /// `peerd run`.
    #[derive(Debug, Args)]
    pub struct RunArgs {
        /// The daemon's options.
        [group] #[command(flatten)]
        pub serve: ServeArgs,

        /// Used by `start`: run in a new session, and report when the ports answer.
        [harmless] #[arg(long, hide = true)]
        pub background: bool,
    }
}

options! {
    /// `peerd log`.
    #[derive(Debug, Args)]
    pub struct LogArgs {
        /// Number of lines to show.
        [harmless] #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        pub lines: usize,

        /// Keep printing new lines, until Ctrl-C.
        [harmless] #[arg(short, long)]
        pub follow: bool,
    }
}

options! {
    /// `peerd approve`.
    #[derive(Debug, Args)]
    pub struct ApproveArgs {
        /// A public key in PEM form, or the first 16 digits or more of the fingerprint of a key that was seen.
        [network] #[arg(value_name = "FILE|FINGERPRINT")]
        pub key: PathBuf,
    }
}

options! {
    /// `peerd revoke`.
    #[derive(Debug, Args)]
    pub struct RevokeArgs {
        /// The key's fingerprint; 6 digits are enough if only one known key begins with them.
        [network] #[arg(value_name = "FINGERPRINT")]
        pub key: String,
    }
}

options! {
    /// `peerd peers`.
    #[derive(Debug, Args)]
    pub struct PeersArgs {
        /// Print JSON, one object per line.
        [harmless] #[arg(long)]
        pub json: bool,
    }
}

options! {
    /// `peerd status`.
    #[derive(Debug, Args)]
    pub struct StatusArgs {
        /// Print one JSON object.
        [harmless] #[arg(long)]
        pub json: bool,

        /// Repeat every second, until Ctrl-C.
        [harmless] #[arg(long)]
        pub watch: bool,
    }
}
