//! A link's life, decided without clock, socket or actor.
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

/// How long a link waits, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// For the connection and the TLS handshake.
    pub handshake: Duration,
    /// From then on for Hello.
    pub hello: Duration,
    /// The longest silence of ours.
    pub heartbeat: Duration,
    /// A peer silent this long is suspected.
    pub suspected: Duration,
    /// A peer silent this long is lost.
    pub lost: Duration,
    /// How long a stranger's link may last after Hello.
    pub stranger: Duration,
}

impl Default for Timing {
    /// 5 s for the handshake, 5 s for Hello, heartbeats each second, suspected after 3 s, lost after 10 s, 5 s for strangers.
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

/// How much a link may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// As long and as much as both want.
    Full,
    /// For keys nobody vouches for: one message, under the limits of a greeting, within [`Timing::stranger`].
    OneMessage,
}

/// What happens to a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Nothing but that time has passed.
    Time,
    /// The handshake is through.
    Secured(Allowance),
    /// There is no connection, or no handshake.
    Unsecured(End),
    /// The peer's Hello.
    Hello(Hello),
    /// The peer wants no link.
    Refused(Refused),
    /// A part of something.
    Progress,
    /// A heartbeat.
    Heartbeat,
    /// A message; its teller keeps it.
    Message,
    /// The message before was taken; until then the next one waits and the peer's silence does not count.
    Delivered,
    /// The peer's Bye.
    Bye(String),
    /// Something of ours was sent: no heartbeat is due.
    Sent,
    /// We do not want the link. Before Hello it is refused, afterwards Bye is said.
    Close(String),
    /// It ended by something that leaves no room for last words: cut, crowded, not what the protocol allows.
    Broke(End),
}

/// What a link does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Say Hello.
    SendHello,
    /// Say that there will be no link.
    SendRefused(Refused),
    /// Say that we are there.
    SendHeartbeat,
    /// Say that the link ends.
    SendBye(String),
    /// The link is up.
    Up {
        /// What the peer says of itself.
        hello: Hello,
        /// The protocol version both use.
        version: u16,
        /// How much it may be used.
        allowance: Allowance,
    },
    /// The message is for the owner.
    Deliver,
    /// The peer is silent.
    Suspected,
    /// It is not any more.
    Recovered,
    /// It is over: send what is to be sent, and close.
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
    /// When the peer was last heard.
    heard: Instant,
    /// When we last spoke.
    spoke: Instant,
    suspected: bool,
    /// A message is on its way to the owner.
    delivering: bool,
    /// For strangers: when it ends, and whether their message is still to come.
    stranger: Option<(Instant, bool)>,
}

/// A link without its actor.
#[derive(Clone, Debug)]
pub struct Core {
    versions: Versions,
    timing: Timing,
    state: LinkState,
}

impl Core {
    /// A link whose connection is asked for, or taken, now. We speak these versions.
    pub fn new(now: Instant, versions: Versions, timing: Timing) -> Self {
        Self { versions, timing, state: LinkState::Securing { until: now + timing.handshake } }
    }

    /// When [`Input::Time`] is due, if nothing else comes before. Nothing when it is over.
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

    /// Takes one input in; what follows from it is appended to `effects`, to be done in that order. `now` never goes back.
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
            // Nothing can be said yet.
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
            // Both ends come to this by themselves; the words are for a peer that sees it otherwise.
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
