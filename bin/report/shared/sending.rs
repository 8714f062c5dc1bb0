//! How far the inputs of peers are that are not ready yet.

use std::collections::BTreeMap;

use flotilla_messages::EventKind;

/// What is on its way.
#[derive(Debug, Default)]
pub struct Sending {
    /// Bytes sent and asked for, by peer.
    peers: BTreeMap<String, (u64, u64)>,
}

impl Sending {
    /// Takes note of an event; what has arrived is of no interest any more.
    pub fn note(&mut self, event: &EventKind) {
        if let EventKind::Sending { peer, sent, total } = event {
            if sent < total {
                self.peers.insert(peer.clone(), (*sent, *total));
            } else {
                self.peers.remove(peer);
            }
        }
    }

    /// `sending inputs to 10.0.0.7: 12 of 40 MB`, or to several at once; nothing when nothing is on its way.
    pub fn line(&self) -> Option<String> {
        let (sent, total) =
            self.peers.values().fold((0, 0), |(sent, total), (more, of)| (sent + more, total + of));
        let amount = format!("{} of {} MB", sent / 1_000_000, total.div_ceil(1_000_000));
        match self.peers.first_key_value() {
            None => None,
            Some((peer, _)) if self.peers.len() == 1 => Some(format!("sending inputs to {peer}: {amount}")),
            Some(_) => Some(format!("sending inputs to {} peers: {amount}", self.peers.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_is_told_until_it_is_there() {
        let mut sending = Sending::default();
        assert_eq!(sending.line(), None);
        let mut note = |peer: &str, sent, total| {
            sending.note(&EventKind::Sending { peer: peer.into(), sent, total });
            sending.line()
        };
        assert_eq!(note("a", 12_900_000, 40_000_000).unwrap(), "sending inputs to a: 12 of 40 MB");
        assert_eq!(note("b", 1_000_000, 1_000_001).unwrap(), "sending inputs to 2 peers: 13 of 42 MB");
        assert_eq!(note("a", 40_000_000, 40_000_000).unwrap(), "sending inputs to b: 1 of 2 MB");
        assert_eq!(note("b", 2, 2), None);
    }
}
