//! Who acts: the actors that run tests, and the pure cores that decide for them.
//!
//! ```text
//!  Cases ──▶ lister ──▶ Scheduler ──Order──▶ LocalPool ──▶ ProcessRunner* ──▶ a process each
//!                        │    ▲                                  │
//!                        │    └────────────── News ──────────────┘
//!                        ▼
//!                 ResultAggregator ──Event──▶ reporters
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`process`] | one command from its spawn to its end, with deadline, capture and stop |
//! | [`marker`] | how the processes of a run are recognised |
//! | [`orphans`] | grandchildren that outlive their test, while the runner lives |
//! | `scratch` | where files that are put together for tests lie |
//! | [`reaper`] | the process that ends everything when the runner was killed |
//! | [`executor`] | what a scheduler and an executor say to one another |
//! | [`pool`] | [`LocalPool`](pool::LocalPool) and its [`ProcessRunner`](pool::ProcessRunner)s |
//! | [`scheduler`] | which test goes where |
//! | [`aggregator`] | one verdict a test, counts, and the reporters |
//! | [`engine`] | what an engine needs of a machine, and what a machine has |
//! | [`history`] | how long tests took in earlier runs, and what they came to |
//! | [`confine`] | what tests that another machine asked for may touch |
//! | [`identity`] | this machine's key and what it keeps on disk |
//! | [`trust`] | whom this machine trusts, and through whom |
//! | [`link`] | connections between peers: TLS with raw public keys, Hello, heartbeats, Bye |
//! | [`inputs`] | the files of a run as a Merkle tree, and packs of what a peer lacks |
//! | [`blobs`] | what a peer keeps of them, by content |
//! | [`workspace`] | the directory it makes of both for a run |
//! | [`membership`] | which peers are on the network |
//! | [`discovery`] | its sockets, and the actor that finds peers over UDP |
//! | [`registry`] | who the peers are, from all that is known of them |
//! | [`status`] | the Status port: links between daemons |
//! | [`local`] | the Local port: this host's own runners and commands |
//! | [`work`] | the Work port: runners of peers |
//! | [`proxy`] | a peer as an executor of a run |
//! | [`daemon`] | all of that wired for a daemon |
//! | [`mod@run`] | all of it wired for one run on this machine |

pub mod aggregator;
pub mod blobs;
pub mod confine;
pub mod daemon;
pub mod discovery;
pub mod engine;
pub mod executor;
pub mod history;
pub mod identity;
pub mod inputs;
pub mod link;
pub mod local;
pub mod marker;
pub mod membership;
pub mod orphans;
pub mod pool;
pub mod process;
#[cfg(target_os = "linux")]
mod procfs;
pub mod proxy;
mod rate_limit;
pub mod reaper;
pub mod registry;
pub mod run;
mod runtime;
pub mod scheduler;
mod scratch;
mod sealed;
pub mod status;
pub mod trust;
pub mod work;
pub mod workspace;

pub use aggregator::Reporter;
pub use run::{RunError, RunOptions, StopRequest, StopSource, run};
