//! `approve`, `revoke`, `peers` and `status`. They ask the daemon if one runs; else, except for `status`, they use the files
//! on disk.

use std::path::Path;
use std::time::SystemTime;

use flotilla_actors::trust::identity::{Home, public_key_file};
use flotilla_actors::trust::{Input, Policy};
use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::{FEWEST_DIGITS, FEWEST_DIGITS_TO_APPROVE};
use flotilla_messages::port::local::Consequence;

use crate::peerd::changed::Changed;
use crate::peerd::error::CommandError;
use crate::peerd::offline::Offline;
use crate::peerd::online::Online;
use crate::peerd::out::print;
use crate::peerd::{config, peers, status};

/// Trusts a key: that of a file, or a known one by digits of its fingerprint.
pub fn approve(home: &Home, named: &Path) -> Result<(), CommandError> {
    let digits = named.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    // If a file has that name, it is meant.
    let digits = digits.filter(|_| !named.exists());
    let changed = match (Online::of(home)?, digits) {
        (Some(daemon), Some(digits)) => daemon.approve_known(digits)?,
        (Some(daemon), None) => daemon.approve(public_key_file(named)?.to_bytes())?,
        (None, digits) => {
            let mut offline = Offline::open(home, policy(home)?)?;
            let key = match digits {
                Some(digits) => {
                    let name = Fingerprint::resolve(digits, FEWEST_DIGITS_TO_APPROVE, offline.known())?;
                    offline.key(&name).ok_or(CommandError::NoKey(name))?
                }
                None => public_key_file(named)?,
            };
            offline.change(Fingerprint::of(&key), Input::Approve(key))?
        }
    };
    print_change("approved", &changed)
}

/// Withdraws trust from a key, and bars it.
pub fn revoke(home: &Home, digits: &str) -> Result<(), CommandError> {
    let changed = match Online::of(home)? {
        Some(daemon) => daemon.revoke(digits)?,
        None => {
            let mut offline = Offline::open(home, policy(home)?)?;
            let key = Fingerprint::resolve(digits, FEWEST_DIGITS, offline.known())?;
            offline.change(key, Input::Revoke(key))?
        }
    };
    print_change("revoked", &changed)
}

/// Shows what is known of other machines.
pub fn show_peers(home: &Home, json: bool) -> Result<(), CommandError> {
    let known = match Online::of(home)? {
        Some(daemon) => daemon.peers()?,
        None => Offline::open(home, policy(home)?)?.peers(),
    };
    print(&if json { peers::json(&known) } else { peers::text(&known) })
}

/// Shows the daemon and its peers, once or until Ctrl-C.
pub fn show_status(home: &Home, json: bool, watch: bool) -> Result<(), CommandError> {
    loop {
        let daemon = Online::of(home)?.ok_or_else(|| CommandError::NotRunning(home.path().to_owned()))?;
        let (overview, peers) = daemon.status()?;
        let mut text = if json {
            status::json(&overview, &peers)
        } else {
            status::text(&overview, &peers, SystemTime::now())
        };
        if !watch {
            return print(&text);
        }
        if !json {
            text.insert_str(0, status::separator());
        }
        print(&text)?;
        std::thread::sleep(status::WATCH_INTERVAL);
    }
}

/// The configured rules of transitive trust.
fn policy(home: &Home) -> Result<Policy, CommandError> {
    Ok(config::load(home, std::env::vars_os(), &[])?.settings.trust.policy())
}

/// Prints what was done, and the consequences for other keys.
fn print_change(done: &str, Changed { changed, key, follows }: &Changed) -> Result<(), CommandError> {
    let already = if *changed { "" } else { " already" };
    let mut text = format!("{done}{already}: {key}\n");
    for Consequence { key, lost } in follows {
        text.push_str(&match lost {
            None => format!("trusted through it: {key}\n"),
            Some(reason) => format!("not trusted any more: {key} ({reason})\n"),
        });
    }
    print(&text)
}
