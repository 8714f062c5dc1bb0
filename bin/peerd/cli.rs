//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::peerd::config::Set;

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
pub struct Cli {
    /// Where identity, trust and configuration are kept [default: FLOTILLA_HOME, or flotilla in the user's data directory].
    #[arg(long, value_name = "DIR", global = true)]
    pub home: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the home directory and this machine's identity, unless they are there.
    Setup,
    /// Start the daemon in the background, and wait until its ports answer.
    Start(Serve),
    /// Run the daemon in the foreground.
    Run {
        /// How.
        #[command(flatten)]
        serve: Serve,
        /// As `start` starts it: in a session of its own, telling when it is ready.
        #[arg(long, hide = true)]
        background: bool,
    },
    /// End the daemon, and wait until it has ended.
    Stop,
    /// End the daemon, if one runs, and start it in the background.
    Restart(Serve),
    /// Show the end of the log.
    Log {
        /// How many lines.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        lines: usize,
        /// Go on with what is added, until Ctrl-C.
        #[arg(short, long)]
        follow: bool,
    },
    /// Print the fingerprint of this machine's identity.
    Fingerprint,
    /// Trust a key, and whom it approves, even if it was revoked.
    #[command(alias = "trust")]
    Approve {
        /// A public key in PEM form, or the fingerprint of a key that was seen: 16 digits or more.
        #[arg(value_name = "FILE|FINGERPRINT")]
        key: PathBuf,
    },
    /// Withdraw trust from a key, and bar it even if others approve it.
    Revoke {
        /// The fingerprint; 6 digits are enough if they are one known key's.
        #[arg(value_name = "FINGERPRINT")]
        key: String,
    },
    /// Show other machines: where they are, whom this machine trusts and through whom, who trusts it, and what can be used.
    Peers {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Show the daemon and its peers, and for each one that cannot be used, why.
    Status {
        /// One JSON object.
        #[arg(long)]
        json: bool,
        /// Again every second, until Ctrl-C.
        #[arg(long)]
        watch: bool,
    },
}

/// How a daemon is to run.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// A setting of peerd.toml for this time, such as work.jobs=4. May be repeated.
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<Set>,
    /// Run as root all the same.
    #[arg(long)]
    pub allow_root: bool,
}
