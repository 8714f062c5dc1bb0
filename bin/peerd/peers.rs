//! How `peers` shows what is known.

use flotilla_actors::trust::Standing;
use flotilla_messages::Fingerprint;
use serde::Serialize;

/// One line of `peers --json`.
#[derive(Serialize)]
struct Line {
    fingerprint: String,
    i_trust: bool,
    /// Through whom: the key approved here first, the peer last. Empty if it is not trusted.
    chain: Vec<String>,
    trusts_me: bool,
    /// Likewise from the peer: whom it approves first, this machine last.
    trusts_me_chain: Vec<String>,
    barred: bool,
    /// Why it is not trusted.
    reason: Option<String>,
}

/// One object a line.
pub fn json(standings: &[Standing]) -> String {
    let names = |chain: &[Fingerprint]| chain.iter().map(ToString::to_string).collect();
    let lines = standings.iter().map(|standing| Line {
        fingerprint: standing.key.to_string(),
        i_trust: standing.trust.is_ok(),
        chain: standing.trust.as_deref().map(names).unwrap_or_default(),
        trusts_me: standing.trusts_me.is_some(),
        trusts_me_chain: standing.trusts_me.as_deref().map(names).unwrap_or_default(),
        barred: standing.barred,
        reason: standing.trust.as_ref().err().map(ToString::to_string),
    });
    // Such a line has no value that JSON lacks, so none is left out.
    lines.filter_map(|line| serde_json::to_string(&line).ok()).map(|line| line + "\n").collect()
}

/// For people.
pub fn text(standings: &[Standing]) -> String {
    if standings.is_empty() {
        return "No other key is known yet: peerd approve FILE\n".to_owned();
    }
    standings.iter().map(paragraph).collect()
}

fn paragraph(standing: &Standing) -> String {
    let trust = match &standing.trust {
        Ok(chain) => match &chain[..] {
            [through @ .., _] if !through.is_empty() => format!("trusted through {}", joined(through)),
            _ => "trusted: approved here".to_owned(),
        },
        Err(reason) => format!("not trusted: {reason}"),
    };
    let trusts_me = match standing.trusts_me.as_deref() {
        None => "has not said that it trusts this machine".to_owned(),
        Some([through @ .., _]) if !through.is_empty() => {
            format!("trusts this machine through {}", joined(through))
        }
        Some(_) => "trusts this machine".to_owned(),
    };
    format!("{}\n  {trust}\n  {trusts_me}\n", standing.key)
}

fn joined(names: &[Fingerprint]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
