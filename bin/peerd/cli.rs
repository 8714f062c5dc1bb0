//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Keeps this machine's identity, and whom it trusts.
#[derive(Debug, Parser)]
#[command(
    name = "peerd",
    version,
    max_term_width = 110,
    after_help = "To let two machines trust each other, on each of them:\n  \
                  cp trusted/$(cat data/mypubkey).pem /where/the/other/sees/it/me.pem\n  \
                  peerd approve /where/i/see/it/other.pem\n\n\
                  This version does not run as a daemon yet.\n\
                  Exit codes: 0 done, 1 refused or failed, 2 a bad option or a command that is not in this version."
)]
pub struct Cli {
    /// Where identity and trust are kept [default: FLOTILLA_HOME, or flotilla in the user's data directory].
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
    /// Print the fingerprint of this machine's identity.
    Fingerprint,
    /// Trust a key, and whom it approves, even if it was revoked.
    #[command(alias = "trust")]
    Approve {
        /// A public key in PEM form, or the fingerprint of a key that was seen: 16 digits or more.
        #[arg(value_name = "FILE|FINGERPRINT")]
        key: PathBuf,
    },
    /// Withdraw trust from a key, and bar it whoever else approves it.
    Revoke {
        /// The fingerprint; 6 digits are enough if they are one known key's.
        #[arg(value_name = "FINGERPRINT")]
        key: String,
    },
    /// Show the keys that are known: whom this machine trusts and through whom, and who trusts it.
    Peers {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// What is not in this version: start, run, stop, restart, status, log.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}
