//! The lifecycle of a link, as a state machine without clock, socket or actor.
//!
//! ```text
//!  Securing ──Secured──▶ Greeting ──Hello──▶ Up ⇄ suspected
//!      │                    │                 │
//!      └────────────────────┴─────────────────┴──▶ Over: exactly one Ended, nothing after it
//! ```

use std::time::{Duration, Instant};

use flotilla_messages::untrusted::{NAME, SHORT, untrusted_text};
use flotilla_messages::wire::{Hello, Refused, Versions};

use super::end::{End, Stage};

/// The timeouts of a link.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Maximum time for the connection and the TLS handshake.
    pub handshake: Duration,
    /// Maximum time from the end of the handshake to the peer's Hello.
    pub hello: Duration,
    /// The longest time that we send nothing; then a heartbeat is due.
    pub heartbeat: Duration,
    /// A peer silent this long is suspected.
    pub suspected: Duration,
    /// A peer silent this long is lost.
    pub lost: Duration,
    /// Maximum time of an untrusted key's link after Hello.
    pub stranger: Duration,
}

impl Default for Timing {
    /// 5 s for the handshake, 5 s for Hello, a heartbeat every second, suspected after 3 s, lost after 10 s, 5 s for
    /// untrusted keys.
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            hello: Duration::from_secs(5),
            heartbeat: Duration::from_secs(1),
            suspected: Duration::from_secs(3),
            lost: Duration::from_secs(10),
            stranger: Duration::from_secs(5),
        }
    }
}

/// What a peer may send on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// Any number of messages, for any time.
    Full,
    /// For untrusted keys: one message, within the size limits of a greeting and within [`Timing::stranger`].
    OneMessage,
}

/// An input of the link's state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time has passed, see [`Core::deadline`].
    Time,
    /// The TLS handshake succeeded.
    Secured(Allowance),
    /// The connection or the handshake failed.
    Unsecured(End),
    /// The peer's Hello.
    Hello(Hello),
    /// The peer refuses the link.
    Refused(Refused),
    /// Part of a frame was received.
    Progress,
    /// A heartbeat.
    Heartbeat,
    /// A message was received; the caller keeps it.
    Message,
    /// The owner has handled the last message. Until then the next one waits, and the peer's silence does not count.
    Delivered,
    /// The peer's Bye.
    Bye(String),
    /// We sent something, so the time to the next heartbeat starts again.
    Sent,
    /// Close the link from this end: before the peer's Hello it is refused, afterwards Bye is sent.
    Close(String),
    /// The link broke, so that neither a refusal nor Bye can be sent: cut, crowded, or a protocol violation.
    Broke(End),
}

/// What the link's actor must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send Hello.
    SendHello,
    /// Send the refusal of the link.
    SendRefused(Refused),
    /// Send a heartbeat.
    SendHeartbeat,
    /// Send Bye with this reason.
    SendBye(String),
    /// The link is up.
    Up {
        /// The peer's Hello.
        hello: Hello,
        /// The protocol version that both ends use.
        version: u16,
        /// What the peer may send.
        allowance: Allowance,
    },
    /// Deliver the message to the owner.
    Deliver,
    /// The peer has been silent for [`Timing::suspected`].
    Suspected,
    /// The suspected peer sent something again.
    Recovered,
    /// The link is over: send what is still queued, then close.
    Ended(End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    Securing { until: Instant },
    Greeting { until: Instant, allowance: Allowance },
    Up(Up),
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Up {
    /// When something was last received from the peer.
    heard: Instant,
    /// When we last sent something.
    spoke: Instant,
    suspected: bool,
    /// A message is on its way to the owner.
    delivering: bool,
    /// For untrusted keys: when the link ends, and whether the one message may still come.
    stranger: Option<(Instant, bool)>,
}

/// The state machine of one link.
#[derive(Clone, Debug)]
pub struct Core {
    versions: Versions,
    timing: Timing,
    state: LinkState,
}

impl Core {
    /// A link whose connection is dialled or accepted at `now`. `versions` are the protocol versions of this end.
    pub fn new(now: Instant, versions: Versions, timing: Timing) -> Self {
        Self { versions, timing, state: LinkState::Securing { until: now + timing.handshake } }
    }

    /// When [`Input::Time`] is due unless another input comes first. `None` once the link is over.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            LinkState::Securing { until } | LinkState::Greeting { until, .. } => Some(*until),
            LinkState::Up(up) => {
                let silence = if up.suspected { self.timing.lost } else { self.timing.suspected };
                let silent = (!up.delivering).then_some(up.heard + silence);
                let stranger = up.stranger.map(|(until, _)| until);
                [Some(up.spoke + self.timing.heartbeat), silent, stranger].into_iter().flatten().min()
            }
            LinkState::Over => None,
        }
    }

    /// Whether the link is up.
    pub fn is_up(&self) -> bool {
        matches!(self.state, LinkState::Up(_))
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.state == LinkState::Over
    }

    /// Handles one input and appends the resulting effects to `effects`, to be performed in that order. `now` never
    /// goes back.
    pub fn handle(&mut self, now: Instant, input: Input, effects: &mut Vec<Effect>) {
        match self.state {
            LinkState::Securing { until } => self.securing(now, until, input, effects),
            LinkState::Greeting { until, allowance } => self.greeting(now, until, allowance, input, effects),
            LinkState::Up(up) => self.up(now, up, input, effects),
            LinkState::Over => {}
        }
    }

    fn securing(&mut self, now: Instant, until: Instant, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Secured(allowance) => {
                self.state = LinkState::Greeting { until: now + self.timing.hello, allowance };
                effects.push(Effect::SendHello);
            }
            Input::Unsecured(end) | Input::Broke(end) => self.end(end, effects),
            // Before the handshake no refusal can be sent.
            Input::Close(reason) => self.end(End::Closed(reason), effects),
            _ if now >= until => self.end(End::Late(Stage::Handshake), effects),
            _ => {}
        }
    }

    fn greeting(
        &mut self,
        now: Instant,
        until: Instant,
        allowance: Allowance,
        input: Input,
        effects: &mut Vec<Effect>,
    ) {
        match input {
            Input::Hello(hello) => self.meet(now, hello, allowance, effects),
            Input::Refused(Refused { reason, their_version }) => {
                self.end(
                    End::RefusedByPeer { reason: untrusted_text(reason, SHORT), their_version },
                    effects,
                );
            }
            Input::Close(reason) => self.refuse(reason, effects),
            Input::Broke(end) | Input::Unsecured(end) => self.end(end, effects),
            Input::Heartbeat | Input::Message | Input::Bye(_) => {
                self.violated("it came before Hello", effects);
            }
            Input::Time | Input::Progress | Input::Sent | Input::Delivered | Input::Secured(_) => {
                if now >= until {
                    self.refuse_as("no Hello came in time", End::Late(Stage::Hello), effects);
                }
            }
        }
    }

    fn meet(&mut self, now: Instant, hello: Hello, allowance: Allowance, effects: &mut Vec<Effect>) {
        let Some(version) = self.versions.meet(hello.versions) else {
            let reason = format!(
                "protocol versions do not meet: {} here, {} at the peer (software {})",
                self.versions,
                hello.versions,
                untrusted_text(&hello.software, NAME)
            );
            // Both ends find this out by themselves; the text is for a peer that comes to another result.
            let told =
                format!("protocol versions do not meet: {} here, {} there", self.versions, hello.versions);
            return self.refuse_as(&told, End::RefusedByUs { reason }, effects);
        };
        let stranger = (allowance == Allowance::OneMessage).then_some((now + self.timing.stranger, true));
        self.state =
            LinkState::Up(Up { heard: now, spoke: now, suspected: false, delivering: false, stranger });
        effects.push(Effect::Up { hello, version, allowance });
    }

    fn up(&mut self, now: Instant, mut up: Up, input: Input, effects: &mut Vec<Effect>) {
        let heard = matches!(
            input,
            Input::Progress | Input::Heartbeat | Input::Message | Input::Bye(_) | Input::Delivered
        );
        if heard {
            up.heard = now;
            if std::mem::take(&mut up.suspected) {
                effects.push(Effect::Recovered);
            }
        }
        match input {
            Input::Message if up.delivering => {
                return self.violated("a message before the last was taken", effects);
            }
            Input::Message => {
                if let Some((_, to_come)) = &mut up.stranger
                    && !std::mem::take(to_come)
                {
                    return self.bye("one message is all a key that is not trusted may send", effects);
                }
                up.delivering = true;
                effects.push(Effect::Deliver);
            }
            Input::Delivered => up.delivering = false,
            Input::Bye(reason) => return self.end(End::ByeByPeer(untrusted_text(reason, SHORT)), effects),
            Input::Sent => up.spoke = now,
            Input::Close(reason) => return self.bye(&reason, effects),
            Input::Broke(end) | Input::Unsecured(end) => return self.end(end, effects),
            Input::Hello(_) | Input::Refused(_) => return self.violated("a second Hello", effects),
            Input::Time | Input::Progress | Input::Heartbeat | Input::Secured(_) => {}
        }
        self.state = LinkState::Up(up);
        self.look_at_the_clock(now, up, effects);
    }

    fn look_at_the_clock(&mut self, now: Instant, mut up: Up, effects: &mut Vec<Effect>) {
        if up.stranger.is_some_and(|(until, _)| now >= until) {
            return self.bye("the time of a key that is not trusted is up", effects);
        }
        if !up.delivering {
            let silent = now.saturating_duration_since(up.heard);
            if silent >= self.timing.suspected && !up.suspected {
                up.suspected = true;
                effects.push(Effect::Suspected);
            }
            if silent >= self.timing.lost {
                return self.end(End::Silent(silent), effects);
            }
        }
        if now >= up.spoke + self.timing.heartbeat {
            up.spoke = now;
            effects.push(Effect::SendHeartbeat);
        }
        self.state = LinkState::Up(up);
    }

    fn bye(&mut self, reason: &str, effects: &mut Vec<Effect>) {
        effects.push(Effect::SendBye(reason.to_owned()));
        self.end(End::Closed(reason.to_owned()), effects);
    }

    fn refuse(&mut self, reason: String, effects: &mut Vec<Effect>) {
        let told = reason.clone();
        self.refuse_as(&told, End::RefusedByUs { reason }, effects);
    }

    fn refuse_as(&mut self, told: &str, end: End, effects: &mut Vec<Effect>) {
        let refused = Refused { reason: told.to_owned(), their_version: self.versions };
        effects.push(Effect::SendRefused(refused));
        self.end(end, effects);
    }

    fn violated(&mut self, how: &str, effects: &mut Vec<Effect>) {
        self.end(End::Violated(how.to_owned()), effects);
    }

    fn end(&mut self, end: End, effects: &mut Vec<Effect>) {
        self.state = LinkState::Over;
        effects.push(Effect::Ended(end));
    }
}
