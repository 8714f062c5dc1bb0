//! A client of the Work port, written by hand: it says what a test has it say, right or wrong.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler};
use flotilla_actors::content::inputs::{Packs, Selection, StatCache, Tree, scan};
use flotilla_actors::net::link::{
    Admission, End, Established, Link, LinkEvent, LinkNews, SendMessage, Settings, Tls,
};
use flotilla_actors::trust::TrustedKeys;
use flotilla_actors::trust::identity::Identity;
use flotilla_messages::inputs::Digest;
use flotilla_messages::packet::{Engine, Native, WorkPacket};
use flotilla_messages::port::work::{RemoteEnding, RemoteLease, RemoteNews, WorkMessage};
use flotilla_messages::wire::Hello;
use flotilla_messages::{Arg, Fingerprint, Program, TestCase};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(40);

/// The files of a client.
pub struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    /// An engine, `bin/engine`, that runs shell scripts; and these scripts below `test/`.
    pub fn new(scripts: &[(&str, &str)]) -> Self {
        let files = Self { dir: tempfile::tempdir().unwrap() };
        files.put("bin/engine", "#!/bin/sh\nexec /bin/sh \"$@\"\n", 0o755);
        for (name, text) in scripts {
            files.put(&format!("test/{name}.sh"), text, 0o644);
        }
        files
    }

    pub fn put(&self, path: &str, text: &str, mode: u32) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn tree(&self) -> Tree {
        let chosen = vec!["".into()];
        let selection = Selection { root: self.root().to_owned(), chosen, placed: Vec::new() };
        scan(&selection, &mut StatCache::load("/nowhere/cache")).unwrap()
    }
}

/// The case that has the engine run a script of [`Files`].
pub fn case(name: &str) -> TestCase {
    TestCase {
        program: Program::Shell(Arg::Path("bin/engine".into())),
        args: vec![Arg::Path(format!("test/{name}.sh"))],
        ..TestCase::for_tests(name)
    }
}

pub fn lease(lease: u64, name: &str) -> RemoteLease {
    RemoteLease { lease, case: case(name), keep_output: true }
}

/// One connection.
pub struct Client {
    pub identity: Identity,
    pub peer: Fingerprint,
    pub link: Addr<Link<WorkMessage>>,
    pub exporter: [u8; 32],
    events: UnboundedReceiver<LinkEvent<WorkMessage>>,
    /// The total number of blobs that were wanted.
    pub wanted: usize,
}

struct Owner(UnboundedSender<LinkEvent<WorkMessage>>);

impl Actor for Owner {
    type Context = Context<Self>;
}

impl Handler<LinkNews<WorkMessage>> for Owner {
    type Result = ();

    fn handle(&mut self, news: LinkNews<WorkMessage>, _: &mut Self::Context) {
        let _ = self.0.send(news.what);
    }
}

impl Client {
    /// Connects to a Work port.
    pub async fn connect(identity: Identity, peer: Fingerprint, address: SocketAddr) -> Result<Self, End> {
        let admission = Admission::TrustedKeys(TrustedKeys::from_iter([peer]));
        let tls = Tls::new(identity.signing_key(), admission).unwrap();
        let settings = Rc::new(Settings::new(Hello::of_this_build(0)));
        let (sender, mut events) = unbounded_channel();
        let owner = Owner(sender).start().recipient();
        Link::dial(0, address, Some(peer), &tls, settings, owner);
        match timeout(PATIENCE, events.recv()).await.unwrap().unwrap() {
            LinkEvent::Up(up) => {
                let Established { link, exporter, .. } = *up;
                Ok(Self { identity, peer, link, exporter, events, wanted: 0 })
            }
            LinkEvent::Ended(end) => Err(end),
            _ => panic!("neither up nor ended"),
        }
    }

    pub fn say(&self, message: WorkMessage) {
        self.link.do_send(SendMessage(message));
    }

    pub async fn event(&mut self) -> LinkEvent<WorkMessage> {
        timeout(PATIENCE, self.events.recv()).await.expect("something happens").expect("the link lives")
    }

    pub async fn message(&mut self) -> WorkMessage {
        match self.event().await {
            LinkEvent::Message(message) => message,
            LinkEvent::Ended(end) => panic!("ended: {end}"),
            _ => panic!("no message"),
        }
    }

    /// Waits for its turn.
    pub async fn turn(&mut self) {
        loop {
            match self.message().await {
                WorkMessage::Queue { ahead: 0 } => return,
                WorkMessage::Queue { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// A packet for this tree that is in order.
    pub fn packet(&self, files: &Files, root: Digest) -> WorkPacket {
        WorkPacket {
            recipient: self.peer,
            exporter: self.exporter,
            root,
            client_root: files.root().to_str().unwrap().to_owned(),
            engine: Engine::Native(Native::here()),
            env: vec![("LANG".into(), "de_DE.UTF-8".into()), ("LD_PRELOAD".into(), "/x.so".into())],
            output_cap: 1 << 20,
            memory: true,
            max_heavy: 1,
            tests: 1,
            issued: 0,
        }
    }

    pub fn say_packet(&self, packet: &WorkPacket) {
        let signed = packet.sign(self.identity.signing_key()).unwrap();
        self.say(WorkMessage::Packet(signed.into()));
    }

    /// Waits for its turn, ships these, and waits until the peer is ready; its credit.
    pub async fn ready(&mut self, files: &Files) -> u32 {
        let tree = files.tree();
        self.turn().await;
        self.say_packet(&self.packet(files, tree.root));
        self.ship(&tree).await
    }

    /// Sends what is wanted, until the peer is ready; its credit.
    pub async fn ship(&mut self, tree: &Tree) -> u32 {
        loop {
            match self.message().await {
                WorkMessage::Want(digests) => {
                    self.wanted += digests.len();
                    for pack in Packs::new(tree, digests).unwrap() {
                        self.say(WorkMessage::Pack(pack.unwrap()));
                    }
                }
                WorkMessage::Ready { credit } => return credit,
                other => panic!("{other:?}"),
            }
        }
    }

    /// The news until this many leases have ended, one by one.
    pub async fn news(&mut self, ends: usize) -> Vec<RemoteNews> {
        let mut all = Vec::new();
        let ended = |news: &[RemoteNews]| {
            news.iter().filter(|news| matches!(news, RemoteNews::Finished { .. })).count()
        };
        while ended(&all) < ends {
            match self.message().await {
                WorkMessage::News(news) => all.extend(news),
                // Its tests are so short that more may wait there.
                WorkMessage::Ready { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        all
    }

    /// How this many leases ended, by number.
    pub async fn endings(&mut self, ends: usize) -> BTreeMap<u64, RemoteEnding> {
        let news = self.news(ends).await;
        let endings = news.into_iter().filter_map(|news| match news {
            RemoteNews::Finished { lease, ending, .. } => Some((lease, ending)),
            RemoteNews::Started { .. } => None,
        });
        let endings: BTreeMap<_, _> = endings.collect();
        assert_eq!(endings.len(), ends, "one for each");
        endings
    }

    /// Waits until this lease's process is about to start.
    pub async fn started(&mut self, lease: u64) {
        loop {
            let WorkMessage::News(news) = self.message().await else { continue };
            if news
                .iter()
                .any(|news| matches!(news, RemoteNews::Started { lease: this, .. } if *this == lease))
            {
                return;
            }
        }
    }

    /// The peer's words when it refuses; then it says Bye.
    pub async fn refusal(&mut self) -> String {
        let reason = loop {
            match self.message().await {
                WorkMessage::Refused { reason } => break reason,
                WorkMessage::Want(_) | WorkMessage::News(_) | WorkMessage::Ready { .. } => {}
                other => panic!("{other:?}"),
            }
        };
        match self.end().await {
            End::ByeByPeer(_) => reason,
            other => panic!("{other}"),
        }
    }

    pub async fn end(&mut self) -> End {
        loop {
            if let LinkEvent::Ended(end) = self.event().await {
                return end;
            }
        }
    }

    /// Leaves in order.
    pub async fn done(mut self) {
        self.say(WorkMessage::Done);
        self.end().await;
    }
}
