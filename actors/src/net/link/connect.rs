//! From an address or an accepted socket to a stream whose other end is known.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use ed25519_dalek::VerifyingKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::key_of_spki;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, CertificateError, Error};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::end::End;
use super::tls::Tls;

/// The label of a value that only the two ends of a connection can compute (RFC 8446, section 7.5).
const EXPORTER: &[u8] = b"EXPORTER-flotilla-link";

/// A stream of bytes, encrypted or not.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> ByteStream for T {}

/// A stream after its handshake.
pub struct Secured {
    /// The encrypted stream.
    pub stream: Box<dyn ByteStream>,
    /// The public key whose possession the other end proved.
    pub key: VerifyingKey,
    /// A value that is unique to this connection and the same at both ends: a signature over it is valid on no other
    /// connection.
    pub exporter: [u8; 32],
}

/// A handshake under way.
pub type Securing = Pin<Box<dyn Future<Output = Result<Secured, End>>>>;

/// Secures an accepted socket.
pub fn accepted(socket: TcpStream, tls: &Tls) -> Securing {
    let acceptor = TlsAcceptor::from(tls.server.clone());
    Box::pin(async move {
        prepare(&socket);
        let stream = acceptor.accept(socket).await.map_err(|error| insecure(&error))?;
        let (key, exporter) = {
            let tls = stream.get_ref().1;
            (peer(tls.peer_certificates())?, tls.export_keying_material([0; 32], EXPORTER, None))
        };
        Ok(Secured {
            key,
            exporter: exporter.map_err(|error| End::Insecure(error.to_string()))?,
            stream: Box::new(stream),
        })
    })
}

/// Connects to an address and secures the stream; with `expected`, only this key is accepted.
pub fn dialled(address: SocketAddr, expected: Option<Fingerprint>, tls: &Tls) -> Securing {
    let connector = TlsConnector::from(tls.client.clone());
    Box::pin(async move {
        let socket =
            TcpStream::connect(address).await.map_err(|error| End::Unreachable(error.to_string()))?;
        prepare(&socket);
        let name = ServerName::IpAddress(address.ip().into());
        let stream = connector.connect(name, socket).await.map_err(|error| insecure(&error))?;
        let (key, exporter) = {
            let tls = stream.get_ref().1;
            (peer(tls.peer_certificates())?, tls.export_keying_material([0; 32], EXPORTER, None))
        };
        let found = Fingerprint::of(&key);
        if let Some(expected) = expected
            && expected != found
        {
            return Err(End::OtherKey { found, expected });
        }
        Ok(Secured {
            key,
            exporter: exporter.map_err(|error| End::Insecure(error.to_string()))?,
            stream: Box::new(stream),
        })
    })
}

/// Small frames must not wait for one another. The link also works if this fails.
fn prepare(socket: &TcpStream) {
    if let Err(error) = socket.set_nodelay(true) {
        log::debug!("cannot set TCP_NODELAY: {error}");
    }
}

fn peer(shown: Option<&[CertificateDer<'_>]>) -> Result<VerifyingKey, End> {
    let shown = shown
        .and_then(|shown| shown.first())
        .ok_or_else(|| End::Insecure("the peer showed no key".into()))?;
    key_of_spki(shown).map_err(|error| End::Insecure(error.to_string()))
}

/// The end for a failed handshake. An error that is not one of TLS is the network's, and may be temporary.
fn insecure(error: &io::Error) -> End {
    if tls_error(error).is_some() {
        End::Insecure(said(error))
    } else {
        End::Cut(format!("in the TLS handshake: {error}"))
    }
}

/// The end for a stream that failed while it was read or written.
pub fn broke(error: &io::Error) -> End {
    match tls_error(error) {
        // With TLS 1.3 a client completes the handshake before the server has checked its key, and learns of a
        // rejection only when it reads.
        Some(Error::AlertReceived(AlertDescription::UnknownCA)) => insecure(error),
        _ => End::Cut(said(error)),
    }
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn said(error: &io::Error) -> String {
    match tls_error(error) {
        Some(Error::AlertReceived(AlertDescription::UnknownCA)) => "the peer does not trust our key".into(),
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "the peer's key is not trusted".into()
        }
        Some(Error::InvalidCertificate(CertificateError::BadEncoding)) => {
            "the peer's key is no Ed25519 key".into()
        }
        Some(Error::InvalidMessage(_)) => format!("this is not TLS ({error})"),
        Some(Error::PeerIncompatible(_)) => format!("this is TLS, but not with raw public keys ({error})"),
        _ => error.to_string(),
    }
}
