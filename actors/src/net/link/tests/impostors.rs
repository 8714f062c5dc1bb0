//! Other programs that speak TLS, and keys that are shown by others than their holders, or are of another kind.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;

use actix::Addr;
use ed25519_dalek::{Signer, SigningKey};
use flotilla_messages::fingerprint::spki;
use flotilla_messages::for_tests::skipped;
use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ServerConfig, SignatureAlgorithm, SignatureScheme};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::support::{Peer, refusal, still_serves, until_closed};
use crate::net::link::{End, Link, Listening};

/// SubjectPublicKeyInfo of a P-256 key up to its point, and the curve's generator (SEC 2, section 2.4.2): the key of
/// the private key 1.
const P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\
    \x03\x42\x00\x04\
    \x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\
    \xd8\x98\xc2\x96\
    \x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\
    \x37\xbf\x51\xf5";

/// Signs with its own key, whatever key is shown and whatever was asked for.
#[derive(Clone, Debug)]
struct Forger {
    key: SigningKey,
    scheme: SignatureScheme,
}

impl rustls::sign::SigningKey for Forger {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl rustls::sign::Signer for Forger {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(self.key.sign(message).to_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

/// These keys, shown in a handshake that `signer` signs.
fn shows(keys: &[&[u8]], signer: &Peer, scheme: SignatureScheme) -> Arc<CertifiedKey> {
    let keys = keys.iter().map(|key| CertificateDer::from(key.to_vec())).collect();
    Arc::new(CertifiedKey::new(keys, Arc::new(Forger { key: signer.identity.clone(), scheme })))
}

/// Keys that are none, or of which no link may be. It does not come to a signature.
fn wrong_keys(peer: &Peer) -> Vec<Vec<u8>> {
    let good = spki(&peer.identity.verifying_key());
    let mut weak = good;
    weak[12..].fill(0);
    weak[12] = 1;
    let mut x448 = good;
    x448[8] = 0x6f;
    vec![
        P256.to_vec(),
        weak.to_vec(),
        x448.to_vec(),
        good[..43].to_vec(),
        [&good[..], &[0]].concat(),
        Vec::new(),
    ]
}

/// Shows this to a listener, and waits until it closes.
async fn dial_showing(shown: Arc<CertifiedKey>, peer: &Peer, to: &Listening) {
    let mut config = ClientConfig::clone(&peer.open_tls().client);
    config.client_auth_cert_resolver = Arc::new(AlwaysResolvesClientRawPublicKeys::new(shown));
    let socket = TcpStream::connect(to.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    // With TLS 1.3 the client is through before the other side has judged its key.
    if let Ok(mut stream) = TlsConnector::from(Arc::new(config)).connect(name, socket).await {
        until_closed(&mut stream).await;
    }
}

/// Answers connections with this configuration; the handshakes fail.
async fn serve(config: ServerConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    actix_rt::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = acceptor.accept(socket).await;
        }
    });
    address
}

fn server_showing(shown: Arc<CertifiedKey>, peer: &Peer) -> ServerConfig {
    let mut config = ServerConfig::clone(&peer.open_tls().server);
    config.cert_resolver = Arc::new(AlwaysResolvesServerRawPublicKeys::new(shown));
    config
}

/// Dials by the rule that lets any key in: it is not for trust that it fails.
fn dial(peer: &Peer, to: SocketAddr) -> Addr<Link<String>> {
    Link::dial(7, to, None, &peer.open_tls(), Rc::new(peer.settings.clone()), peer.owner.clone())
}

#[actix_rt::test]
async fn a_client_with_a_key_that_is_not_ed25519_is_refused() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen_with(b.open_tls()).await;
    let mut number = 0;
    for key in wrong_keys(&a) {
        for scheme in [SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256] {
            number += 1;
            dial_showing(shows(&[&key], &a, scheme), &a, &listening).await;
            let end = refusal(&listening, number).await;
            assert!(matches!(end, End::Insecure(_)), "{key:?}: {end}");
            if key == P256 {
                assert_eq!(end, End::Insecure("the peer's key is no Ed25519 key".into()));
            }
        }
    }
    assert!(b.has_heard_nothing());
    still_serves(&mut a, &mut b, &listening).await;
}

#[actix_rt::test]
async fn a_server_with_a_key_that_is_not_ed25519_is_not_talked_to() {
    let (mut a, b) = Peer::pair();
    for key in wrong_keys(&b) {
        for scheme in [SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256] {
            dial(&a, serve(server_showing(shows(&[&key], &b, scheme), &b)).await);
            let end = a.end().await;
            assert!(matches!(end, End::Insecure(_)), "{key:?}: {end}");
            if key == P256 {
                assert_eq!(end, End::Insecure("the peer's key is no Ed25519 key".into()));
            }
        }
    }
}

/// A public key is public: what counts is who signs the handshake.
#[actix_rt::test]
async fn a_trusted_key_that_is_shown_by_whoever_does_not_hold_it_is_refused() {
    let (mut a, mut b) = Peer::pair();
    let thief = Peer::new(66);
    let listening = b.listen().await;
    let of_a = spki(&a.identity.verifying_key());
    let of_thief = spki(&thief.identity.verifying_key());
    let attempts: [&[&[u8]]; 3] = [&[&of_a], &[&of_a, &of_thief], &[&of_thief, &of_a]];
    for (number, keys) in (1..).zip(attempts) {
        dial_showing(shows(keys, &thief, SignatureScheme::ED25519), &a, &listening).await;
        let end = refusal(&listening, number).await;
        assert!(matches!(end, End::Insecure(_)), "{end}");
        assert_eq!(listening.refusals().pop().unwrap().peer, None, "nobody's key has been proven");
    }
    assert!(b.has_heard_nothing());
    still_serves(&mut a, &mut b, &listening).await;

    let of_b = spki(&b.identity.verifying_key());
    for keys in [&[&of_b[..]][..], &[&of_b, &of_thief]] {
        let to = serve(server_showing(shows(keys, &thief, SignatureScheme::ED25519), &b)).await;
        Link::dial(7, to, Some(b.fingerprint), &a.tls(), Rc::new(a.settings.clone()), a.owner.clone());
        let end = a.end().await;
        assert!(matches!(end, End::Insecure(_)), "{end}");
    }
}

#[actix_rt::test]
async fn an_ordinary_tls_server_is_not_talked_to() {
    let (mut a, b) = Peer::pair();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // Even if the certificate is the key we look for: this is not the way to show it.
    let shown = shows(&[&spki(&b.identity.verifying_key())], &b, SignatureScheme::ED25519);
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::clone(&shown))));
    dial(&a, serve(config).await);
    let end = a.end().await;
    assert!(matches!(end, End::Insecure(_)), "{end}");
}

/// Makes a certificate with its key, `cert.pem` and `key.pem`; `false`, with a message, where openssl is missing.
fn certificate(directory: &Path) -> bool {
    let made = Command::new("openssl")
        .args(
            "req -x509 -newkey ed25519 -nodes -subj /CN=peer -days 2 -keyout key.pem -out cert.pem"
                .split(' '),
        )
        .current_dir(directory)
        .stdin(Stdio::null())
        .output();
    let Ok(made) = made else {
        skipped("openssl");
        return false;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    true
}

#[actix_rt::test]
async fn openssl_without_raw_keys_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    if !certificate(dir.path()) {
        return;
    }
    let (mut a, mut b) = Peer::pair();
    let ways = ["-tls1_3", "-tls1_2", "-tls1_3 -cert cert.pem -key key.pem -alpn flotilla"];
    let open = [b.listen().await, b.listen_with(b.open_tls()).await];
    for listening in &open {
        for (number, way) in (1..).zip(ways) {
            let mut client = Command::new("openssl");
            client.args(["s_client", "-connect", &listening.address().to_string()]).args(way.split(' '));
            // Nothing to read from: it ends when the handshake has.
            client.current_dir(dir.path()).stdin(Stdio::null());
            let output = actix_rt::task::spawn_blocking(move || client.output().unwrap()).await.unwrap();
            assert!(!output.status.success(), "{way}: {}", String::from_utf8_lossy(&output.stdout));
            let end = refusal(listening, number).await.to_string();
            assert!(end.contains("this is TLS, but not with raw public keys"), "{way}: {end}");
        }
    }
    assert!(b.has_heard_nothing());
    still_serves(&mut a, &mut b, &open[0]).await;
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[actix_rt::test]
async fn an_openssl_server_without_raw_keys_is_not_talked_to() {
    let dir = tempfile::tempdir().unwrap();
    if !certificate(dir.path()) {
        return;
    }
    let mut a = Peer::new(1);
    let server = Command::new("openssl")
        .args("s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -tls1_3 -alpn flotilla".split(' '))
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut server = Running(server.unwrap());
    let said = BufReader::new(server.0.stdout.take().unwrap());
    let mut addresses = said.lines().map_while(Result::ok).filter_map(|line| {
        line.strip_prefix("ACCEPT ").and_then(|address| address.parse::<SocketAddr>().ok())
    });
    let address = addresses.next().expect("where it listens");
    dial(&a, address);
    let end = a.end().await.to_string();
    assert!(end.contains("this is TLS, but not with raw public keys"), "{end}");
}
