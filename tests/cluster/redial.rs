//! Peers that go amid a run: those that come back are used again, those that lost our trust are not, and the own daemon
//! hears how peers did.

use std::cell::RefCell;
use std::rc::Rc;

use flotilla_actors::daemon::Daemon;
use flotilla_actors::run::daemon_client::DaemonSession;
use flotilla_messages::{EventKind, TestReport};

use crate::cable::Cable;
use crate::harness::{Cluster, Polls};
use crate::run::{Ran, cluster, open, options, peers, slow_tree};

const NAME: &str = "peer1";

fn is_of_peer(report: &TestReport) -> bool {
    report.place.peer() == Some(NAME)
}

/// How many tests the peer ran after a notice that says this.
fn ran_after(ran: &Ran, says: &str) -> usize {
    let said = |event: &EventKind| matches!(event, EventKind::Notice(text) if text.contains(says));
    let after = ran.events().skip_while(|event| !said(event));
    after.filter(|event| matches!(event, EventKind::Finished(report) if is_of_peer(report))).count()
}

/// A link that was cut amid a run was not made again: the peer stood idle from then on.
#[actix_rt::test]
async fn a_peer_whose_link_was_cut_is_used_again() {
    let fixture = slow_tree(200);
    let tree = open(&fixture, 60);
    let cluster = cluster(2).await;
    let mut peers = peers(&cluster, &tree, &[1]);
    let work = cluster.daemon(1).addresses().work;
    cluster.cables.status_port(1, work.port());
    peers.peers[0].address = cluster.cables.lead(0, work);
    let options = options(&fixture.root(), 1, Some(peers));
    let cables = Rc::clone(&cluster.cables);
    let (mut cut, mut told, mut since) = (false, false, 0);
    let ran = Ran::watched(options, &tree, move |event, _| match event {
        EventKind::Finished(report) if is_of_peer(report) && !cut => {
            cut = true;
            cables.set(0, 1, Cable::Cut);
        }
        EventKind::Notice(text) if text.contains("it is dialled again") => told = true,
        // Of 50 ms each: the first dial is in vain.
        EventKind::Finished(_) if told && since < 15 => {
            since += 1;
            if since == 15 {
                cables.set(0, 1, Cable::Whole);
            }
        }
        _ => {}
    })
    .await;
    assert_eq!((ran.summary().exit_code(), ran.verdicts().len()), (0, 200), "{:?}", ran.notices());
    assert!(ran_after(&ran, "peer1 takes part again") > 10, "{:?}", ran.notices());
    let lost = ran.notices().into_iter().filter(|text| text.contains("it is dialled again")).count();
    assert_eq!(lost, 1, "dials in vain are not told: {:?}", ran.notices());
    cluster.end().await;
    assert!(fixture.processes().is_empty());
}

#[actix_rt::test]
async fn a_peer_that_is_restarted_is_used_again_even_if_it_is_the_only_one() {
    let fixture = slow_tree(60);
    let tree = open(&fixture, 60);
    let mut cluster = cluster(2).await;
    let options = options(&fixture.root(), 0, Some(peers(&cluster, &tree, &[1])));
    let mut leaving = cluster.peers[1].daemon.take();
    let (home, mut settings) = (cluster.peers[1].home(), cluster.peers[1].settings.clone());
    let restarted: Rc<RefCell<Option<Daemon>>> = Rc::default();
    let kept = Rc::clone(&restarted);
    let ran = Ran::watched(options, &tree, move |event, _| {
        if let EventKind::Finished(_) = event
            && let Some(daemon) = leaving.take()
        {
            settings.work = daemon.addresses().work;
            let (home, settings, kept) = (home.clone(), settings.clone(), Rc::clone(&kept));
            actix_rt::spawn(async move {
                daemon.stop("a restart").await;
                kept.replace(Some(Daemon::start(&home, settings).await.unwrap()));
            });
        }
    })
    .await;
    assert_eq!((ran.summary().exit_code(), ran.verdicts().len()), (0, 60), "{:?}", ran.notices());
    assert!(ran_after(&ran, "peer1 takes part again: 0 bytes sent") > 0, "{:?}", ran.notices());
    cluster.peers[1].daemon = restarted.take();
    cluster.end().await;
}

/// A run's line to its daemon.
async fn liaison(cluster: &Cluster) -> DaemonSession {
    let mut client = cluster.client(0).await;
    let peers = client.peers().await.unwrap();
    DaemonSession::start(client, &peers).0
}

#[actix_rt::test]
async fn a_peer_whose_key_is_revoked_here_gets_no_more_and_is_not_dialled_again() {
    let fixture = slow_tree(150);
    let tree = open(&fixture, 60);
    let cluster = Rc::new(cluster(2).await);
    let mut peers = peers(&cluster, &tree, &[1]);
    peers.daemon = Some(liaison(&cluster).await);
    let options = options(&fixture.root(), 1, Some(peers));
    let mut revoking = Some(Rc::clone(&cluster));
    let ran = Ran::watched(options, &tree, move |event, _| {
        if let EventKind::Finished(report) = event
            && is_of_peer(report)
            && let Some(cluster) = revoking.take()
        {
            actix_rt::spawn(async move {
                cluster.revoke(0, 1).await;
            });
        }
    })
    .await;
    assert_eq!((ran.summary().exit_code(), ran.verdicts().len()), (0, 150), "{:?}", ran.notices());
    let gone = "peer1 is not used any more: its key is not trusted here any more";
    assert!(ran.notices().contains(&gone), "{:?}", ran.notices());
    assert_eq!(ran_after(&ran, gone), 0);
    let Ok(cluster) = Rc::try_unwrap(cluster) else { panic!("somebody still uses the cluster") };
    cluster.end().await;
}

#[actix_rt::test]
async fn the_own_daemon_hears_how_fast_a_peer_was_and_the_next_run_is_told() {
    let fixture = slow_tree(150);
    let tree = open(&fixture, 60);
    let cluster = cluster(2).await;
    let mut peers = peers(&cluster, &tree, &[1]);
    let daemon = liaison(&cluster).await;
    let key = cluster.peers[1].fingerprint;
    assert_eq!(daemon.rate(key), None);
    peers.daemon = Some(daemon);
    let ran = Ran::of(options(&fixture.root(), 1, Some(peers)), &tree).await;
    assert_eq!(ran.summary().exit_code(), 0, "{:?}", ran.notices());
    let told = cluster.until("its speed is known", 0, 1, |view| view.performance.is_some()).await;
    // Two jobs there, against one here.
    let permille = told.performance.unwrap();
    assert!((500..8000).contains(&permille), "{permille}");
    let mut polls = Polls::new();
    while liaison(&cluster).await.rate(key) != Some(permille) {
        assert!(polls.next().await, "the next run is not told");
    }
    cluster.end().await;
}
