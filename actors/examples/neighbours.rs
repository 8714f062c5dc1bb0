//! Many daemons in one process, which all trust one another through the first: how long until each can use all others.
//! Then they stay, as somebody's neighbours, until standard input ends.
//!
//! `cargo run --release -p flotilla-actors --example neighbours PEERS UDP-PORT [KEY.pem]`
//!
//! With a key the first one approves it, and prints where its own lies, for a `peerd` that is to be one of them.

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use flotilla_actors::daemon::registry::GetPeers;
use flotilla_actors::daemon::{Daemon, Settings, UdpSettings};
use flotilla_actors::net::discovery::{Interfaces, Network};
use flotilla_actors::trust::Command;
use flotilla_actors::trust::identity::{Home, public_key_file};
use tokio::io::AsyncReadExt;

/// How often is looked.
const LOOK: Duration = Duration::from_millis(20);

#[actix_rt::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("neighbours: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let peers: usize = words.next().ok_or("how many?")?.parse()?;
    let port: u16 = words.next().ok_or("at which UDP port?")?.parse()?;
    let guest = words.next().map(|path| public_key_file(path.as_ref())).transpose()?;

    let dirs = (0..peers).map(|_| tempfile::tempdir()).collect::<Result<Vec<_>, _>>()?;
    let homes: Vec<Home> = dirs.iter().map(|dir| Home::at(dir.path())).collect();
    let mut keys = Vec::new();
    for home in &homes {
        keys.push(home.setup()?.0.public_key().to_bytes());
    }
    let start = Instant::now();
    let mut daemons = Vec::new();
    for home in &homes {
        daemons.push(Daemon::start(home, settings(port)).await?);
    }
    let (first, others) = daemons.split_first().ok_or("at least one")?;
    for (other, key) in others.iter().zip(keys.iter().skip(1)) {
        first.trust().send(Command::Approve(*key)).await??;
        other.trust().send(Command::Approve(keys[0])).await??;
    }
    println!("{peers} daemons run after {:.2} s", start.elapsed().as_secs_f64());
    let mut interval = actix_rt::time::interval(LOOK);
    for daemon in &daemons {
        loop {
            let shown = daemon.registry().send(GetPeers).await?;
            if shown.peers.iter().filter(|peer| peer.obstacle.is_none()).count() == peers - 1 {
                break;
            }
            interval.tick().await;
        }
    }
    println!("each can use all {} others after {:.2} s", peers - 1, start.elapsed().as_secs_f64());
    if let Some(guest) = guest {
        first.trust().send(Command::Approve(guest.to_bytes())).await??;
        println!("{}", homes[0].trusted_file(&first.fingerprint()).display());
    }
    // Whatever comes, and that it ends.
    let mut scrap = Vec::new();
    tokio::io::stdin().read_to_end(&mut scrap).await?;
    for daemon in daemons {
        daemon.stop("the neighbours leave").await;
    }
    Ok(())
}

fn settings(port: u16) -> Settings {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let interfaces = Interfaces::Only(vec!["lo".to_owned()]);
    let network = Network { port, interfaces, ..Network::default() };
    Settings {
        local: anywhere,
        work: anywhere,
        status: anywhere,
        discovery: Some(UdpSettings { network, ..UdpSettings::default() }),
        ..Settings::default()
    }
}
