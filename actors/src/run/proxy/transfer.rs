//! How far the inputs are that a peer has asked for, and what is sent next: without clock, link or actor.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use flotilla_messages::inputs::Digest;

/// The time between two reports, and before the first: a quick transfer is not worth one.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// What happens to a transfer.
#[derive(Debug)]
pub enum Input {
    /// The peer asks for blobs, from wherever they will come.
    Asked,
    /// These blobs are to be sent from here.
    Queue {
        /// At least one.
        digests: Vec<Digest>,
        /// Their total size, unpacked.
        bytes: u64,
    },
    /// A pack was handed to the link.
    PackSent {
        /// Its bytes.
        packed: u64,
        /// The bytes it unpacks to, with the headers of its parts.
        unpacked: u64,
    },
    /// All packs of the blobs that were being sent are handed to the link.
    BatchSent,
    /// The peer has all it asked for.
    Complete,
    /// Nothing more is sent.
    Stop,
}

/// What follows.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send these blobs, and answer with [`Input::BatchSent`].
    Send(Vec<Digest>),
    /// Report how far the transfer is.
    Report {
        /// Bytes handed on.
        sent: u64,
        /// Bytes asked for; as many as were sent in the last report, less before.
        total: u64,
    },
}

/// The blobs that one peer gets from here.
#[derive(Debug, Default)]
pub struct Transfer {
    /// To be sent after those that are being sent.
    queue: VecDeque<Vec<Digest>>,
    sending: bool,
    /// Bytes of packs.
    packed: u64,
    /// Bytes that were asked for, and handed on.
    asked: u64,
    sent: u64,
    /// When it was reported last, or the first blob was asked for.
    reported_at: Option<Instant>,
    /// The last report is still to come.
    reporting: bool,
    stopped: bool,
}

impl Transfer {
    /// Bytes of packs that were handed to the link.
    pub fn packed(&self) -> u64 {
        self.packed
    }

    /// Takes one input in; what follows from it is appended to `effects`.
    pub fn handle(&mut self, now: Instant, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::BatchSent => {
                self.sending = false;
                self.send_next(effects);
            }
            _ if self.stopped => {}
            Input::Asked => {
                self.reported_at.get_or_insert(now);
            }
            Input::Queue { digests, bytes } => {
                self.asked += bytes;
                self.queue.push_back(digests);
                self.send_next(effects);
            }
            Input::PackSent { packed, unpacked } => {
                self.packed += packed;
                self.sent += unpacked;
                self.report(now, effects);
            }
            Input::Complete => self.last_report(effects),
            Input::Stop => {
                self.stopped = true;
                self.queue.clear();
                self.last_report(effects);
            }
        }
    }

    fn send_next(&mut self, effects: &mut Vec<Effect>) {
        if !self.sending
            && let Some(digests) = self.queue.pop_front()
        {
            self.sending = true;
            effects.push(Effect::Send(digests));
        }
    }

    fn report(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if self.reported_at.is_some_and(|at| now.saturating_duration_since(at) >= REPORT_EVERY) {
            self.reported_at = Some(now);
            self.reporting = true;
            // What was handed on last may still be on its way.
            let sent = self.sent.min(self.asked.saturating_sub(1));
            effects.push(Effect::Report { sent, total: self.asked });
        }
    }

    /// Nothing is on its way any more.
    fn last_report(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.reporting) {
            effects.push(Effect::Report { sent: self.asked, total: self.asked });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blob(number: u8) -> Digest {
        Digest([number; 32])
    }

    fn handle(transfer: &mut Transfer, now: Instant, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        transfer.handle(now, input, &mut effects);
        effects
    }

    #[test]
    fn a_quick_transfer_is_not_reported_and_a_slow_one_to_its_end() {
        let (mut transfer, start) = (Transfer::default(), Instant::now());
        let pack = || Input::PackSent { packed: 4, unpacked: 30 };
        handle(&mut transfer, start, Input::Asked);
        let send = handle(&mut transfer, start, Input::Queue { digests: vec![blob(1)], bytes: 50 });
        assert_eq!(send, [Effect::Send(vec![blob(1)])]);
        assert_eq!(handle(&mut transfer, start + REPORT_EVERY / 2, pack()), []);
        let report = handle(&mut transfer, start + REPORT_EVERY, pack());
        assert_eq!(report, [Effect::Report { sent: 49, total: 50 }], "headers count, and some is on its way");
        assert_eq!(handle(&mut transfer, start + REPORT_EVERY, pack()), []);
        let last = handle(&mut transfer, start + REPORT_EVERY, Input::Complete);
        assert_eq!(last, [Effect::Report { sent: 50, total: 50 }]);
        assert_eq!(handle(&mut transfer, start + REPORT_EVERY, Input::Stop), [], "once");
        assert_eq!(transfer.packed(), 12);
    }

    fn input() -> impl Strategy<Value = (u64, u8)> {
        (0..700_u64, 0..12_u8)
    }

    proptest! {
        #[test]
        fn batches_are_sent_one_by_one_in_order_and_reports_grow_to_the_total(steps in prop::collection::vec(input(), 0..100)) {
            let (mut transfer, mut now) = (Transfer::default(), Instant::now());
            let (mut queued, mut sent, mut busy, mut stopped) = (0_u8, 0_u8, false, false);
            let (mut last_report, mut last_sent, mut open) = (None::<Instant>, 0, false);
            for (millis, step) in steps {
                now += Duration::from_millis(millis);
                let (input, ends) = match step {
                    4..8 if !busy => (Input::Asked, false),
                    0 => (Input::Asked, false),
                    1..4 => {
                        queued += u8::from(!stopped);
                        (Input::Queue { digests: vec![blob(queued)], bytes: 100 }, false)
                    }
                    4..8 => (Input::PackSent { packed: 1, unpacked: 20 }, false),
                    8..10 if busy => {
                        busy = false;
                        (Input::BatchSent, false)
                    }
                    8..11 => (Input::Complete, true),
                    _ => (Input::Stop, true),
                };
                stopped |= matches!(input, Input::Stop);
                for effect in handle(&mut transfer, now, input) {
                    match effect {
                        Effect::Send(digests) => {
                            prop_assert!(!busy && !stopped);
                            (sent, busy) = (sent + 1, true);
                            prop_assert_eq!(digests, vec![blob(sent)]);
                        }
                        Effect::Report { sent, total } if ends => {
                            prop_assert!(open && sent == total);
                            (open, last_sent) = (false, sent);
                        }
                        Effect::Report { sent, total } => {
                            prop_assert!(sent < total && total == u64::from(queued) * 100 && !stopped);
                            prop_assert!(sent >= last_sent || !open);
                            prop_assert!(last_report.is_none_or(|at| now - at >= REPORT_EVERY));
                            (open, last_report, last_sent) = (true, Some(now), sent);
                        }
                    }
                }
                prop_assert!(!(ends && open), "the last report has come");
                prop_assert!(stopped || busy || sent == queued, "something is sent while anything waits");
            }
        }
    }
}
