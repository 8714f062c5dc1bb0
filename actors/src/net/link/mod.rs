//! Links between peers: TLS 1.3 with raw public keys, Hello, heartbeats, Bye.
//!
//! ```text
//!  Link::dial ─┐                               ┌─▶ owner: LinkNews (Up, Message, ..., Ended)
//!              ├─▶ connect ─▶ Link ◀──▶ Core   │
//!  listen ─────┘              │  ▲ └───────────┘
//!   (gate)           outgoing ▼  │ InboundFrame
//!                            pump ◀──▶ the peer's
//! ```
//!
//! A link is up once both ends have sent Hello, not once it is connected: with TLS 1.3 the client completes the
//! handshake before the server has checked the client's key.
//!
//! The memory of each link is bounded: one frame that is being read, one message on its way to the owner (the link
//! reads on only after it was handled), and [`Settings::outgoing`] bytes for a peer that does not read.
//!
//! | file | holds |
//! |---|---|
//! | `core` | a link's life: a state machine without clock, socket or actor |
//! | `end` | how links end, for people |
//! | `actor` | [`Link`], the core's shell, and what it says to its owner |
//! | `frame` | what the reader tells the actor, and the answer |
//! | `pump` | bytes to frames and back, and closing so that last words arrive |
//! | `outgoing` | what waits to be sent |
//! | `connect` | from an address or a socket to a secured stream |
//! | `tls` | [`Tls`]: both ends of TLS for one identity and one [`Admission`] |
//! | `gate` | quotas, and a record of refused connections |
//! | `listen` | the accept loop |
//! | `open` | [`Open`]: which connections still have something to send |

mod actor;
mod connect;
mod core;
#[cfg(test)]
mod core_tests;
mod end;
mod frame;
mod gate;
mod listen;
mod open;
mod outgoing;
mod pump;
#[cfg(test)]
mod tests;
mod tls;

pub use actor::{
    ChangeOwner, Close, Established, Link, LinkEvent, LinkId, LinkNews, SendMessage, SendMessageError,
    Settings, WaitForCapacity,
};
pub use core::{Allowance, Core, Effect, Input, Timing};
pub use end::{End, Stage};
pub use frame::WireMessage;
pub use gate::{Occupancy, Quotas, RefusedConnection};
pub use listen::{Listening, listen};
pub use open::Open;
pub use tls::{Admission, Tls, TlsError};
