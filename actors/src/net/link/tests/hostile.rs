//! What a listener meets on an open network.

use std::sync::Arc;
use std::time::Duration;

use flotilla_messages::wire::Packet;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpStream;
use tokio::time::interval;
use tokio_rustls::TlsConnector;

use super::support::{
    Peer, frame, greet, hello, raw, refusal, says, secure, still_serves, until, until_closed,
};
use crate::net::link::{Allowance, End, Listening, Quotas, Stage};

/// How fast a slow-loris writes its bytes: Hello would take it two seconds.
const PACE: Duration = Duration::from_millis(20);

/// A client that believes everybody, with certificates instead of raw keys.
#[derive(Debug)]
struct Gullible;

impl rustls::client::danger::ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

async fn connect(to: &Listening) -> TcpStream {
    TcpStream::connect(to.address()).await.unwrap()
}

#[actix_rt::test]
async fn plaintext_is_refused() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen().await;
    let mut stream = connect(&listening).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: peer\r\n\r\n").await.unwrap();
    until_closed(&mut stream).await;
    let end = refusal(&listening, 1).await.to_string();
    assert!(end.contains("this is not TLS"), "{end}");
    // Frames without TLS are plaintext as well.
    let mut stream = connect(&listening).await;
    stream.write_all(&hello()).await.unwrap();
    until_closed(&mut stream).await;
    assert!(matches!(refusal(&listening, 2).await, End::Insecure(_)));
    still_serves(&mut a, &mut b, &listening).await;
}

#[actix_rt::test]
async fn ordinary_tls_is_refused() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen().await;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Gullible))
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, connect(&listening).await).await;
    assert!(connected.is_err());
    let end = refusal(&listening, 1).await.to_string();
    assert!(end.contains("not with raw public keys"), "{end}");
    still_serves(&mut a, &mut b, &listening).await;
}

#[actix_rt::test]
async fn a_client_without_a_key_is_refused() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen().await;
    let mut config = ClientConfig::clone(&a.tls().client);
    config.client_auth_cert_resolver = Arc::new(rustls::client::AlwaysResolvesClientRawPublicKeys::new(
        Arc::new(rustls::sign::CertifiedKey::new(
            Vec::new(),
            rustls::crypto::ring::sign::any_eddsa_type(&rustls::pki_types::PrivatePkcs8KeyDer::from(
                ed25519_dalek::pkcs8::EncodePrivateKey::to_pkcs8_der(&a.identity)
                    .unwrap()
                    .as_bytes()
                    .to_vec(),
            ))
            .unwrap(),
        )),
    ));
    let name = ServerName::try_from("localhost").unwrap();
    if let Ok(mut stream) =
        TlsConnector::from(Arc::new(config)).connect(name, connect(&listening).await).await
    {
        until_closed(&mut stream).await;
    }
    assert!(matches!(refusal(&listening, 1).await, End::Insecure(_)));
    still_serves(&mut a, &mut b, &listening).await;
}

#[actix_rt::test]
async fn a_frame_that_breaks_the_rules_ends_its_link_alone() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen().await;
    let bomb = [0, 0, 0, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
    let too_large = [0xff, 0xff, 0xff, 0xff, 0];
    let large_for_a_greeting = [0, 0, 0x20, 0, 0];
    let empty = [0, 0, 0, 0];
    let early = says("before Hello");
    let before: [&[u8]; 5] = [&bomb, &too_large, &large_for_a_greeting, &empty, &early];
    for (number, bytes) in (1..).zip(before) {
        let mut stream = raw(&a, &listening).await;
        stream.write_all(bytes).await.unwrap();
        until_closed(&mut stream).await;
        assert!(matches!(refusal(&listening, number).await, End::Violated(_)), "{bytes:?}");
    }
    let nested = {
        let mut cbor = vec![0x81; 3000];
        cbor.push(0);
        let packed = snappy_of(&cbor);
        [&(packed.len() as u32).to_be_bytes()[..], &packed].concat()
    };
    let again = hello();
    let after: [&[u8]; 5] = [&bomb, &too_large, &empty, &nested, &again];
    for bytes in after {
        let mut stream = raw(&a, &listening).await;
        greet(&mut stream).await;
        b.established().await;
        stream.write_all(bytes).await.unwrap();
        assert!(matches!(b.end().await, End::Violated(_)), "{bytes:?}");
        until_closed(&mut stream).await;
    }
    still_serves(&mut a, &mut b, &listening).await;
}

/// Snappy's form of bytes without any packing: the length, then literals of up to 60 bytes.
fn snappy_of(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut length = bytes.len();
    while length >= 0x80 {
        packed.push(length as u8 | 0x80);
        length >>= 7;
    }
    packed.push(length as u8);
    for literal in bytes.chunks(60) {
        packed.push((literal.len() as u8 - 1) << 2);
        packed.extend_from_slice(literal);
    }
    packed
}

#[actix_rt::test]
async fn a_frame_that_is_cut_short_is_a_cut() {
    let (mut a, mut b) = Peer::pair();
    let listening = b.listen().await;
    let hello = hello();
    for (number, length) in (1..).zip([0, 1, 3, 4, 5, hello.len() - 1]) {
        let mut stream = raw(&a, &listening).await;
        stream.write_all(&hello[..length]).await.unwrap();
        stream.shutdown().await.unwrap();
        assert!(matches!(refusal(&listening, number).await, End::Cut(_)), "{length}");
    }
    let mut stream = raw(&a, &listening).await;
    greet(&mut stream).await;
    b.established().await;
    let message = says("never whole");
    stream.write_all(&message[..message.len() - 1]).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(matches!(b.end().await, End::Cut(_)));
    still_serves(&mut a, &mut b, &listening).await;
}

#[actix_rt::test]
async fn no_flipped_bit_of_hello_or_a_packet_does_harm() {
    tokio::time::pause();
    let (mut a, b) = Peer::pair();
    let whole = [hello(), says("message"), frame(&Packet::<String>::Heartbeat)].concat();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (mut peer, stream) = duplex(1 << 16);
        a.link_over(stream, &b);
        peer.write_all(&bytes).await.unwrap();
        peer.shutdown().await.unwrap();
        // Up or not, a message or not: it ends, and once.
        loop {
            if let crate::net::link::LinkEvent::Ended(end) = a.event().await {
                assert!(!matches!(end, End::Closed(_)), "{end}");
                break;
            }
        }
    }
    assert!(a.has_heard_nothing());
}

#[actix_rt::test]
async fn the_first_bytes_of_a_handshake_do_not_hold_a_place_for_long() {
    let (a, b) = Peer::pair();
    let (mut a, mut b) = (a, b.hurried());
    let listening = b.listen().await;
    let mut stream = connect(&listening).await;
    // A handshake record that says it has 500 bytes, of which few come, one by one.
    stream.write_all(&[0x16, 3, 1, 1, 0xf4, 1]).await.unwrap();
    let drip = async {
        let mut pace = interval(PACE);
        while stream.write_all(&[0]).await.is_ok() {
            pace.tick().await;
        }
    };
    tokio::select! {
        () = drip => {}
        end = refusal(&listening, 1) => assert_eq!(end, End::Late(Stage::Handshake)),
    }
    assert_eq!(refusal(&listening, 1).await, End::Late(Stage::Handshake));
    still_serves(&mut a, &mut b, &listening).await;
}

#[actix_rt::test]
async fn a_hello_that_drips_in_is_late() {
    let (a, b) = Peer::pair();
    let (mut a, mut b) = (a, b.hurried());
    let listening = b.listen().await;
    let stream = raw(&a, &listening).await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let drip = actix_rt::spawn(async move {
        let mut pace = interval(PACE);
        for byte in hello() {
            pace.tick().await;
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    });
    assert_eq!(refusal(&listening, 1).await, End::Late(Stage::Hello));
    until_closed(&mut reader).await;
    drip.abort();
    still_serves(&mut a, &mut b, &listening).await;
}

#[actix_rt::test]
async fn half_open_connections_are_few_and_give_way() {
    let (a, b) = Peer::pair();
    let (mut a, mut b) = (a, b.hurried());
    b.quotas = Quotas { half_open: 8, half_open_per_address: 8, ..Quotas::default() };
    let listening = b.listen().await;
    let mut crowd = Vec::new();
    for _ in 0..40 {
        crowd.push(connect(&listening).await);
    }
    let mut most = 0;
    until("all had their turn", || {
        most = most.max(listening.occupancy().half_open);
        listening.occupancy().refused == 40
    })
    .await;
    assert!((1..=8).contains(&most), "{most} at a time");
    assert!(listening.refusals().iter().all(|refusal| refusal.end == End::Late(Stage::Handshake)));
    for stream in &mut crowd {
        assert_eq!(stream.read(&mut [0; 16]).await.unwrap_or(0), 0, "closed");
    }
    still_serves(&mut a, &mut b, &listening).await;
}

/// With the usual quotas and deadlines. Those from one address that are too many are closed at once.
#[cfg(target_os = "linux")] // Elsewhere 127.0.0.2 is not an address of this host.
#[actix_rt::test]
async fn thousands_of_half_open_connections_keep_nobody_out_who_comes_from_elsewhere() {
    const CROWD: u64 = 3000;
    let (a, mut b) = Peer::pair();
    let listening = b.listen().await;
    let most = b.quotas.half_open_per_address;
    let mut crowd = Vec::new();
    for number in 1..=CROWD {
        let mut stream = connect(&listening).await;
        until("it is taken or refused", || {
            let occupancy = listening.occupancy();
            assert!(occupancy.half_open <= most, "{occupancy:?}");
            occupancy.half_open as u64 + occupancy.refused == number
        })
        .await;
        if crowd.len() < most {
            crowd.push(stream);
        } else {
            assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "closed at once");
        }
    }
    assert_eq!(listening.refusals().len(), 32, "the memory of them is bounded");
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], 0).into()).unwrap();
    let mut stream = secure(&a, socket.connect(listening.address()).await.unwrap()).await;
    greet(&mut stream).await;
    let up = b.established().await;
    assert_eq!((up.peer, up.allowance), (a.fingerprint, Allowance::Full));
}

#[actix_rt::test]
async fn a_stranger_whose_message_drips_in_has_no_more_time_than_another() {
    let (a, mut b) = Peer::pair();
    b.settings.timing.stranger = Duration::from_millis(250);
    b.trusted.replace([]);
    let listening = b.listen_with(b.open_tls()).await;
    let mut stream = raw(&a, &listening).await;
    greet(&mut stream).await;
    assert_eq!(b.established().await.allowance, Allowance::OneMessage);
    let (mut reader, mut writer) = tokio::io::split(stream);
    let drip = actix_rt::spawn(async move {
        let mut pace = interval(PACE);
        for byte in says(&"m".repeat(1000)) {
            pace.tick().await;
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    });
    assert_eq!(b.end().await, End::Closed("the time of a key that is not trusted is up".into()));
    until_closed(&mut reader).await;
    drip.abort();
}

#[actix_rt::test]
async fn one_address_cannot_take_all_half_open_places() {
    let (_, mut b) = Peer::pair();
    b.quotas = Quotas { half_open: 8, half_open_per_address: 3, ..Quotas::default() };
    let listening = b.listen().await;
    let mut crowd = Vec::new();
    for _ in 0..10 {
        crowd.push(connect(&listening).await);
    }
    until("most are refused at once", || listening.occupancy().refused == 7).await;
    assert_eq!(listening.occupancy().half_open, 3);
}
