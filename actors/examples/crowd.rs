//! How long it takes many peers in one process to find, trust and link one another: a star of approvals, so that all
//! but one are trusted through a chain.
//!
//! `cargo run --release -p flotilla-actors --example crowd -- 30`

use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use flotilla_actors::daemon::{Daemon, Settings, UdpSettings};
use flotilla_actors::discovery::{Interfaces, Network};
use flotilla_actors::identity::Home;
use flotilla_actors::registry::Show;
use flotilla_actors::trust::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let peers = std::env::args().nth(1).map_or(Ok(30), |number| number.parse())?;
    actix_rt::System::new().block_on(crowd(peers))
}

async fn crowd(peers: usize) -> Result<(), Box<dyn Error>> {
    let network = Network {
        port: UdpSocket::bind(("127.0.0.1", 0))?.local_addr()?.port(),
        interfaces: Interfaces::Only(vec!["lo".to_owned()]),
        ..Network::default()
    };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = Settings {
        local: anywhere,
        work: anywhere,
        status: anywhere,
        discovery: Some(UdpSettings { network, ..UdpSettings::default() }),
        ..Settings::default()
    };
    let start = Instant::now();
    let mut daemons = Vec::new();
    for _ in 0..peers {
        let directory = tempfile::tempdir()?;
        let home = Home::at(directory.path());
        let (identity, _) = home.setup()?;
        let daemon = Daemon::start(&home, settings.clone()).await?;
        daemons.push((daemon, identity.public_key().to_bytes(), directory));
    }
    println!("{peers} peers are up after {:.1} s", start.elapsed().as_secs_f64());
    let (hub, rest) = daemons.split_first().ok_or("there is to be at least one peer")?;
    for (peer, key, _) in rest {
        hub.0.trust().send(Command::Approve(*key)).await??;
        peer.trust().send(Command::Approve(hub.1)).await??;
    }
    println!("all approvals are given after {:.1} s", start.elapsed().as_secs_f64());
    let mut look = actix_rt::time::interval(Duration::from_millis(10));
    for (daemon, _, _) in &daemons {
        loop {
            let seen = daemon.registry().send(Show).await?.peers;
            let usable = seen.iter().filter(|peer| peer.obstacle.is_none()).count();
            if usable + 1 == peers {
                break;
            }
            look.tick().await;
        }
    }
    println!("all can use one another after {:.1} s", start.elapsed().as_secs_f64());
    for (daemon, _, _) in daemons {
        daemon.stop("done").await;
    }
    println!("all have ended after {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
