//! How many links a second one core makes, both ends of each: connection, TLS handshake, Hello and Bye.
//!
//! `cargo run --release -p flotilla-actors --example handshakes [SECONDS]`

use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix::{Actor, Context, Handler};
use ed25519_dalek::SigningKey;
use flotilla_actors::net::link::{
    Admission, Close, Link, LinkEvent, LinkNews, Quotas, Settings, Tls, listen,
};
use flotilla_actors::trust::TrustedKeys;
use flotilla_messages::Fingerprint;
use flotilla_messages::wire::Hello;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Links that are made at a time.
const AT_A_TIME: u64 = 16;

struct Server;

impl Actor for Server {
    type Context = Context<Self>;
}

impl Handler<LinkNews<u32>> for Server {
    type Result = ();

    fn handle(&mut self, _: LinkNews<u32>, _: &mut Self::Context) {}
}

/// Says Bye as soon as a link is up, and tells when it is over: whether it was up.
struct Client {
    over: UnboundedSender<bool>,
}

impl Actor for Client {
    type Context = Context<Self>;
}

impl Handler<LinkNews<u32>> for Client {
    type Result = ();

    fn handle(&mut self, news: LinkNews<u32>, _: &mut Self::Context) {
        match news.what {
            LinkEvent::Up(up) => up.link.do_send(Close { reason: "enough".to_owned() }),
            LinkEvent::Ended(end) => {
                // The measurement may be over.
                let _ = self.over.send(end.in_order());
            }
            _ => {}
        }
    }
}

#[actix_rt::main]
async fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|given| given.parse().ok()).unwrap_or(5);
    match measure(Duration::from_secs(seconds)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("handshakes: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(duration: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let [server, client] = [1, 2].map(|seed| SigningKey::from_bytes(&[seed; 32]));
    let name = |key: &SigningKey| Fingerprint::of(&key.verifying_key());
    let trusted = TrustedKeys::from_iter([name(&server), name(&client)]);
    let tls = |key| Tls::new(key, Admission::TrustedKeys(trusted.clone()));
    let (server_tls, client_tls) = (tls(&server)?, tls(&client)?);
    let settings = Rc::new(Settings::new(Hello::of_this_build(1)));
    let quotas = Quotas { per_key: 1024, ..Quotas::default() };
    let at = ([127, 0, 0, 1], 0).into();
    let owner = Server.start().recipient();
    let listening = listen(at, server_tls, Rc::clone(&settings), quotas, owner).await?;
    let (over, mut ends) = unbounded_channel();
    let owner = Client { over }.start();
    let mut number = 0;
    let mut dial = || {
        number += 1;
        let settings = Rc::clone(&settings);
        let expected = Some(name(&server));
        Link::dial(number, listening.address(), expected, &client_tls, settings, owner.clone().recipient());
    };
    (0..AT_A_TIME).for_each(|_| dial());
    let start = Instant::now();
    let (mut made, mut failed) = (0_u32, 0_u32);
    while start.elapsed() < duration {
        match ends.recv().await {
            Some(true) => made += 1,
            Some(false) => failed += 1,
            None => break,
        }
        dial();
    }
    let rate = f64::from(made) / start.elapsed().as_secs_f64();
    println!("{rate:.0} links a second on one thread, both ends; {made} made, {failed} failed");
    Ok(())
}
