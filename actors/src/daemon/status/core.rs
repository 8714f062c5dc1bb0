//! What is done with links between daemons, decided without clock, socket or actor.
//!
//! Either side dials whom it trusts, so two that trust each other may have two links; both then keep the one that
//! the lower fingerprint dialled. A link is *mutual* once its peer has said anything: a peer that does not trust this
//! machine closes the link without a word of its own.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use flotilla_messages::Fingerprint;
use flotilla_messages::port::local::LinkView;
use flotilla_messages::port::status::{LARGEST_TO_STRANGERS, Load, Serial, StatusMessage};
use flotilla_messages::wire::Hello;
use serde_bytes::ByteBuf;

use crate::net::link::{Allowance, End, LinkId};
use crate::trust::TrustOrder;

/// What happens to the core.
#[derive(Clone, Debug)]
pub enum Input {
    /// Link to this key, which is trusted. Answered by [`Effect::Linked`] or [`Effect::Failed`].
    Dial {
        /// The key of the peer.
        key: Fingerprint,
        /// Where it may be, the likeliest first.
        addresses: Vec<SocketAddr>,
    },
    /// A link is up.
    Up {
        /// The link's number.
        link: LinkId,
        /// The key of the peer.
        key: Fingerprint,
        /// Where it is.
        address: SocketAddr,
        /// What it says of itself.
        hello: Hello,
        /// Whether it was trusted when it showed its key.
        allowance: Allowance,
    },
    /// The peer said something.
    Message {
        /// Over which link.
        link: LinkId,
        /// The message.
        message: StatusMessage,
    },
    /// The peer is silent, or not any more.
    Silence {
        /// At which link.
        link: LinkId,
        /// Whether it is.
        suspected: bool,
    },
    /// A link is over, or a dial has failed.
    Ended {
        /// The link's number.
        link: LinkId,
        /// How the link ended.
        end: End,
    },
    /// Trust has changed, or wants something said.
    Order(TrustOrder),
    /// How busy this machine is.
    OwnLoad(Load),
    /// Look whether this peer is still there: it did not do what it should.
    Doubt(Fingerprint),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start a link; it is [`LinkId::Dialled`] with this number.
    Connect {
        /// Its number.
        number: u64,
        /// Where to.
        address: SocketAddr,
        /// Whose key is to answer.
        expected: Fingerprint,
    },
    /// Send this.
    Send {
        /// Over which link.
        link: LinkId,
        /// The message.
        message: StatusMessage,
    },
    /// End a link.
    Close {
        /// The link's number.
        link: LinkId,
        /// Why, for the people at its other end.
        reason: String,
    },
    /// A statement to look at; nothing has been checked.
    Statement {
        /// Over whose link it came.
        from: Fingerprint,
        /// Its bytes.
        bytes: ByteBuf,
    },
    /// A peer lists what statements it has.
    Listed {
        /// Which peer.
        from: Fingerprint,
        /// Issuers with serials.
        serials: Vec<Serial>,
    },
    /// A peer wants these issuers' statements.
    Wanted {
        /// Over which link to answer.
        link: LinkId,
        /// Whose statements.
        issuers: Vec<Fingerprint>,
    },
    /// The first link to this key is up.
    LinkUp(Fingerprint),
    /// The last one is gone.
    LinkDown(Fingerprint),
    /// There is a link to this key, and it trusts this machine.
    Linked {
        /// The key of the peer.
        key: Fingerprint,
        /// Where it is.
        address: SocketAddr,
        /// What it says of itself.
        hello: Hello,
    },
    /// A dial did not lead to such a link.
    Failed {
        /// The key of the peer.
        key: Fingerprint,
        /// It is of no use to try again soon.
        hopeless: bool,
    },
    /// There is no such link any more.
    Lost(Fingerprint),
    /// What people are shown of the links to this key.
    Shown {
        /// The key of the peer.
        key: Fingerprint,
        /// How they are.
        view: LinkView,
    },
    /// A peer says how busy it is.
    Load {
        /// The key of the peer.
        key: Fingerprint,
        /// How busy.
        load: Load,
    },
}

#[derive(Debug)]
struct Live {
    key: Fingerprint,
    address: SocketAddr,
    hello: Hello,
    /// The peer's key was not trusted when it was shown.
    stranger: bool,
    mutual: bool,
    suspected: bool,
    /// Ended from here; nothing is said over it any more.
    closing: bool,
}

/// What is left to try for one key.
#[derive(Debug)]
struct Dial {
    number: u64,
    rest: VecDeque<SocketAddr>,
    /// A link came up that is not mutual yet.
    up: bool,
    /// Ended from here before it was up.
    closed: bool,
}

/// The links of one daemon.
#[derive(Debug)]
pub struct Core {
    own: Fingerprint,
    statement: Option<ByteBuf>,
    links: BTreeMap<LinkId, Live>,
    dials: BTreeMap<Fingerprint, Dial>,
    last_number: u64,
    /// Keys whose last news was [`Effect::LinkUp`].
    up: BTreeSet<Fingerprint>,
    /// Keys whose last news was [`Effect::Linked`].
    linked: BTreeSet<Fingerprint>,
    /// To be said as soon as a link to the key is mutual.
    serials: BTreeMap<Fingerprint, Vec<Vec<Serial>>>,
    load: Load,
}

impl Core {
    /// Without any.
    pub fn new(own: Fingerprint) -> Self {
        Self {
            own,
            statement: None,
            links: BTreeMap::new(),
            dials: BTreeMap::new(),
            last_number: 0,
            up: BTreeSet::new(),
            linked: BTreeSet::new(),
            serials: BTreeMap::new(),
            load: Load::default(),
        }
    }

    /// Takes one input in; what follows is appended to `effects`, to be done in that order.
    pub fn handle(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Dial { key, addresses } => self.dial(key, addresses, effects),
            Input::Up { link, key, address, hello, allowance } => {
                let stranger = allowance == Allowance::OneMessage;
                let live =
                    Live { key, address, hello, stranger, mutual: false, suspected: false, closing: false };
                self.up(link, live, effects);
            }
            Input::Message { link, message } => self.message(link, message, effects),
            Input::Silence { link, suspected } => {
                let Some(live) = self.links.get_mut(&link) else { return };
                live.suspected = suspected;
                let key = live.key;
                self.show(key, None, effects);
            }
            Input::Ended { link, end } => self.ended(link, &end, effects),
            Input::Order(order) => self.order(order, effects),
            Input::OwnLoad(load) => {
                if load != self.load {
                    self.load = load;
                    self.say_to_all(&StatusMessage::Load(load), effects);
                }
            }
            Input::Doubt(key) => self.close(key, "it did not answer when it was given work", effects),
        }
    }

    /// How many links there are to keys that are trusted.
    pub fn count(&self) -> usize {
        self.links.values().filter(|live| !live.stranger).count()
    }

    fn of(&self, key: Fingerprint) -> impl Iterator<Item = (&LinkId, &Live)> {
        self.links.iter().filter(move |(_, live)| live.key == key && !live.stranger && !live.closing)
    }

    fn dial(&mut self, key: Fingerprint, addresses: Vec<SocketAddr>, effects: &mut Vec<Effect>) {
        if let Some((_, live)) = self.of(key).find(|(_, live)| live.mutual) {
            effects.push(Effect::Linked { key, address: live.address, hello: live.hello.clone() });
        } else if let Entry::Vacant(vacant) = self.dials.entry(key) {
            vacant.insert(Dial { number: 0, rest: addresses.into(), up: false, closed: false });
            if !self.try_next(key, effects) {
                self.dials.remove(&key);
                effects.push(Effect::Failed { key, hopeless: true });
                return;
            }
            self.show(key, None, effects);
        }
    }

    /// Dials the next address of a key, if there is one.
    fn try_next(&mut self, key: Fingerprint, effects: &mut Vec<Effect>) -> bool {
        let number = self.last_number + 1;
        let Some(dial) = self.dials.get_mut(&key) else { return false };
        let Some(address) = dial.rest.pop_front() else { return false };
        self.last_number = number;
        dial.number = number;
        dial.up = false;
        effects.push(Effect::Connect { number, address, expected: key });
        true
    }

    fn up(&mut self, link: LinkId, mut live: Live, effects: &mut Vec<Effect>) {
        let (key, stranger) = (live.key, live.stranger);
        let dial = self.dials.get_mut(&key).filter(|dial| link == LinkId::Dialled(dial.number));
        let closed = dial.as_ref().is_some_and(|dial| dial.closed);
        if let Some(dial) = dial {
            dial.up = true;
        }
        live.closing = closed;
        self.links.insert(link, live);
        if closed {
            return;
        }
        if stranger {
            // Dialled while it was trusted, and it is not any more; or somebody who may say one thing.
            if matches!(link, LinkId::Dialled(_)) {
                self.end_link(link, "this key is not trusted here", effects);
            }
            return;
        }
        if let Some(statement) = &self.statement {
            self.present(link, statement.clone(), effects);
        }
        self.tell_of(key, effects);
    }

    /// Tells whether there are links to a key and whether one is mutual, if that has changed. One that is closing
    /// is none.
    fn tell_of(&mut self, key: Fingerprint, effects: &mut Vec<Effect>) {
        let (any, mutual) = (self.of(key).next().is_some(), self.is_mutual(key));
        if any && self.up.insert(key) {
            effects.push(Effect::LinkUp(key));
        }
        if !any && self.up.remove(&key) {
            self.serials.remove(&key);
            effects.push(Effect::LinkDown(key));
        }
        if !mutual && self.linked.remove(&key) {
            effects.push(Effect::Lost(key));
        }
    }

    fn is_mutual(&self, key: Fingerprint) -> bool {
        self.of(key).any(|(_, live)| live.mutual)
    }

    /// Says the own statement over this link, unless the peer could not take it in.
    fn present(&self, link: LinkId, statement: ByteBuf, effects: &mut Vec<Effect>) {
        let Some(live) = self.links.get(&link) else { return };
        // We do not know whether we are strangers over there.
        if live.mutual || statement.len() <= LARGEST_TO_STRANGERS {
            effects.push(Effect::Send { link, message: StatusMessage::TrustYouNow(statement) });
        } else {
            let load = StatusMessage::Load(self.load);
            effects.push(Effect::Send { link, message: load });
        }
    }

    fn message(&mut self, link: LinkId, message: StatusMessage, effects: &mut Vec<Effect>) {
        let Some(live) = self.links.get_mut(&link).filter(|live| !live.closing) else { return };
        let key = live.key;
        if !message.is_within_limits() {
            return self.end_link(link, "a message beyond the limits", effects);
        }
        if live.stranger {
            if let StatusMessage::TrustYouNow(bytes) = message {
                effects.push(Effect::Statement { from: key, bytes });
            }
            return self.end_link(link, "this key is not trusted here", effects);
        }
        if !live.mutual {
            live.mutual = true;
            self.became_mutual(link, key, effects);
        }
        match message {
            StatusMessage::TrustYouNow(bytes) | StatusMessage::Statement(bytes) => {
                effects.push(Effect::Statement { from: key, bytes });
            }
            StatusMessage::Serials(serials) => effects.push(Effect::Listed { from: key, serials }),
            StatusMessage::Want(issuers) => effects.push(Effect::Wanted { link, issuers }),
            StatusMessage::Load(load) => effects.push(Effect::Load { key, load }),
        }
    }

    fn became_mutual(&mut self, link: LinkId, key: Fingerprint, effects: &mut Vec<Effect>) {
        if let Some(statement) = self.statement.clone().filter(|own| own.len() > LARGEST_TO_STRANGERS) {
            self.present(link, statement, effects);
        }
        if self.load != Load::default() {
            effects.push(Effect::Send { link, message: StatusMessage::Load(self.load) });
        }
        for serials in self.serials.remove(&key).unwrap_or_default() {
            effects.push(Effect::Send { link, message: StatusMessage::Serials(serials) });
        }
        // Whatever else is tried is not needed.
        if self.dials.get(&key).is_some_and(|dial| dial.up) {
            self.dials.remove(&key);
        }
        if let Some(live) = self.links.get(&link) {
            self.linked.insert(key);
            effects.push(Effect::Linked { key, address: live.address, hello: live.hello.clone() });
        }
        self.keep_one(key, effects);
        self.show(key, None, effects);
    }

    /// Of several mutual links to one key, both ends keep the same one.
    fn keep_one(&mut self, key: Fingerprint, effects: &mut Vec<Effect>) {
        let ours = self.own < key;
        let preferred = |link: &LinkId| matches!(link, LinkId::Dialled(_)) == ours;
        let mutual: Vec<LinkId> =
            self.of(key).filter(|(_, live)| live.mutual).map(|(link, _)| *link).collect();
        if mutual.len() < 2 {
            return;
        }
        // Of two from one side the older one is dead: its dialler has started anew.
        let best = mutual.iter().copied().filter(preferred).max().or(mutual.iter().copied().max());
        for link in mutual.into_iter().filter(|link| Some(*link) != best) {
            self.end_link(link, "another link to this key is in use", effects);
        }
    }

    fn ended(&mut self, link: LinkId, end: &End, effects: &mut Vec<Effect>) {
        let live = self.links.remove(&link);
        let is_this = |dial: &Dial| link == LinkId::Dialled(dial.number);
        let of_dial = || self.dials.iter().find(|(_, dial)| is_this(dial)).map(|(key, _)| *key);
        let Some(key) = live.as_ref().map(|live| live.key).or_else(of_dial) else { return };
        let dialled = self.dials.get(&key).is_some_and(is_this);
        let stranger = live.as_ref().is_some_and(|live| live.stranger);
        if stranger && !dialled {
            return;
        }
        let was_mutual = live.as_ref().is_some_and(|live| live.mutual);
        self.tell_of(key, effects);
        if was_mutual && self.up.contains(&key) {
            // The peer may have closed it before it read what was said last: the other link is to begin anew.
            effects.extend([Effect::LinkDown(key), Effect::LinkUp(key)]);
        }
        let mut why = end.to_string();
        if dialled {
            // The one who answered with the right key is the peer; what it does not want now it will not want elsewhere.
            let bye = matches!(end, End::ByeByPeer(_) | End::RefusedByPeer { .. });
            let refused = live.is_some() && !was_mutual && bye;
            if refused {
                why = format!("it does not trust this machine's key ({end})");
            }
            let mutual_left = self.is_mutual(key);
            if !mutual_left && !refused && !stranger && self.try_next(key, effects) {
                return;
            }
            self.dials.remove(&key);
            if !mutual_left {
                effects.push(Effect::Failed { key, hopeless: refused || hopeless(end) });
            }
        }
        self.show(key, Some(why), effects);
    }

    fn order(&mut self, order: TrustOrder, effects: &mut Vec<Effect>) {
        match order {
            TrustOrder::Own(statement) => {
                self.statement = Some(statement.clone());
                let links: Vec<LinkId> = self.open_links().collect();
                for link in links {
                    self.present(link, statement.clone(), effects);
                }
            }
            TrustOrder::Tell { to, statement } => {
                for key in to {
                    if let Some((link, _)) = self.of(key).find(|(_, live)| live.mutual) {
                        let message = StatusMessage::Statement(statement.clone());
                        effects.push(Effect::Send { link: *link, message });
                    }
                }
            }
            TrustOrder::Introduce { to, serials } => {
                let mutual = self.of(to).find(|(_, live)| live.mutual).map(|(link, _)| *link);
                if let Some(link) = mutual {
                    let said = serials.into_iter().map(StatusMessage::Serials);
                    effects.extend(said.map(|message| Effect::Send { link, message }));
                } else if self.of(to).next().is_some() {
                    self.serials.insert(to, serials);
                }
            }
            TrustOrder::Ask { issuer, from } => {
                let asked: Vec<LinkId> = match from {
                    Some(from) => {
                        self.of(from).filter(|(_, live)| live.mutual).map(|(link, _)| *link).take(1).collect()
                    }
                    None => self.mutual_links().collect(),
                };
                for link in asked {
                    effects.push(Effect::Send { link, message: StatusMessage::Want(vec![issuer]) });
                }
            }
            TrustOrder::Close { key, reason } => {
                let reason = format!("this key is not trusted here any more: {reason}");
                self.close(key, &reason, effects);
            }
        }
    }

    /// Links over which anything may be said.
    fn open_links(&self) -> impl Iterator<Item = LinkId> {
        self.links.iter().filter(|(_, live)| !live.stranger && !live.closing).map(|(link, _)| *link)
    }

    fn mutual_links(&self) -> impl Iterator<Item = LinkId> {
        self.open_links().filter(|link| self.links.get(link).is_some_and(|live| live.mutual))
    }

    fn say_to_all(&self, message: &StatusMessage, effects: &mut Vec<Effect>) {
        effects.extend(self.mutual_links().map(|link| Effect::Send { link, message: message.clone() }));
    }

    /// Ends all links to a key, and what is tried for one.
    fn close(&mut self, key: Fingerprint, reason: &str, effects: &mut Vec<Effect>) {
        if let Some(dial) = self.dials.get_mut(&key) {
            dial.rest.clear();
            if !dial.up && !std::mem::replace(&mut dial.closed, true) {
                let number = dial.number;
                effects.push(Effect::Close { link: LinkId::Dialled(number), reason: reason.to_owned() });
            }
        }
        let links: Vec<LinkId> = self.of(key).map(|(link, _)| *link).collect();
        for link in links {
            self.end_link(link, reason, effects);
        }
    }

    fn end_link(&mut self, link: LinkId, reason: &str, effects: &mut Vec<Effect>) {
        let Some(live) = self.links.get_mut(&link).filter(|live| !live.closing) else { return };
        live.closing = true;
        let key = live.key;
        effects.push(Effect::Close { link, reason: reason.to_owned() });
        self.tell_of(key, effects);
    }

    fn show(&self, key: Fingerprint, ended: Option<String>, effects: &mut Vec<Effect>) {
        let mutual = || self.of(key).filter(|(_, live)| live.mutual);
        let view = if mutual().next().is_some() {
            LinkView::Up { suspected: mutual().all(|(_, live)| live.suspected) }
        } else if self.dials.contains_key(&key) {
            LinkView::Dialling
        } else if let Some(reason) = ended {
            LinkView::Down { reason }
        } else {
            return;
        };
        effects.push(Effect::Shown { key, view });
    }
}

/// Whether a dial that ended so would end so again soon.
fn hopeless(end: &End) -> bool {
    match end {
        End::Insecure(_)
        | End::OtherKey { .. }
        | End::RefusedByPeer { .. }
        | End::RefusedByUs { .. }
        | End::Violated(_) => true,
        End::Unreachable(_)
        | End::Late(_)
        | End::Closed(_)
        | End::ByeByPeer(_)
        | End::Cut(_)
        | End::Silent(_)
        | End::Crowded(_) => false,
    }
}
