//! Stand-in for the daemon's actors, until they are there.
#![allow(missing_docs, dead_code)]

pub mod daemon {
    use std::net::SocketAddr;

    use flotilla_actors::discovery::Network;
    use flotilla_actors::identity::{Home, HomeError};
    use flotilla_actors::trust::Policy;
    use flotilla_messages::Fingerprint;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    pub struct UdpSettings {
        pub network: Network,
        pub static_peers: Vec<SocketAddr>,
        pub capacity: usize,
    }

    pub struct Settings {
        pub local: SocketAddr,
        pub work: SocketAddr,
        pub status: SocketAddr,
        pub jobs: u16,
        pub discovery: Option<UdpSettings>,
        pub trust: Policy,
    }

    #[derive(Debug, thiserror::Error)]
    pub enum StartError {
        #[error(transparent)]
        Home(#[from] HomeError),
        #[error("cannot listen at {0}: {1}")]
        Listen(SocketAddr, std::io::Error),
    }

    pub enum Ended {
        Asked,
        Died(&'static str),
    }

    pub struct Addresses {
        pub local: SocketAddr,
        pub work: SocketAddr,
        pub status: SocketAddr,
        pub discovery: Option<u16>,
    }

    pub struct Daemon {
        addresses: Addresses,
        fingerprint: Fingerprint,
        asked: std::rc::Rc<Notify>,
        _listeners: [TcpListener; 2],
    }

    impl Daemon {
        pub async fn start(home: Home, settings: Settings) -> Result<Self, StartError> {
            let identity = home.identity()?;
            let mut listeners = Vec::new();
            for address in [settings.local, settings.work, settings.status] {
                let listener =
                    TcpListener::bind(address).await.map_err(|error| StartError::Listen(address, error))?;
                listeners.push(listener);
            }
            let at = |index: usize| listeners[index].local_addr().unwrap_or(settings.local);
            let addresses = Addresses { local: at(0), work: at(1), status: at(2), discovery: None };
            let local = listeners.remove(0);
            let asked = std::rc::Rc::new(Notify::new());
            let notify = asked.clone();
            actix_rt::spawn(async move {
                loop {
                    let Ok((mut stream, _)) = local.accept().await else { return };
                    if stream.read_u8().await.is_ok_and(|byte| byte == b'S') {
                        notify.notify_one();
                    }
                }
            });
            let Ok(_listeners) = listeners.try_into() else { std::process::abort() };
            Ok(Self { addresses, fingerprint: identity.fingerprint(), asked, _listeners })
        }

        pub fn addresses(&self) -> &Addresses {
            &self.addresses
        }

        pub fn fingerprint(&self) -> Fingerprint {
            self.fingerprint
        }

        pub async fn ended(&self) -> Ended {
            self.asked.notified().await;
            Ended::Asked
        }

        pub async fn stop(self, _reason: &str) {}
    }
}

pub mod local {
    use std::net::SocketAddr;

    use flotilla_actors::identity::Identity;
    use tokio::io::AsyncWriteExt;

    pub enum Question {
        Shutdown,
    }
    pub struct Answer;

    pub struct Client(tokio::net::TcpStream);

    impl Client {
        pub async fn connect(address: SocketAddr, _identity: &Identity) -> Result<Self, std::io::Error> {
            tokio::net::TcpStream::connect(address).await.map(Self)
        }

        pub async fn ask(&mut self, _question: Question) -> Result<Answer, std::io::Error> {
            self.0.write_all(b"S").await.map(|()| Answer)
        }
    }
}
