//! TLS 1.3 with raw public keys (RFC 7250) on both sides: no certificates, no authorities, no names.
//!
//! No session is ever resumed: a resumed one would not ask again whether its key is trusted.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::{key_of_spki, spki};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};

use super::core::Allowance;
use crate::trust::TrustedKeys;

/// The application protocol. Without a version: that is for Hello, which can say so in words.
const ALPN: &[u8] = b"flotilla";

/// Which keys may have a link, and how much of one.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Anybody who proves to hold an Ed25519 key; one message only for keys that are not in this set.
    AnyKey(TrustedKeys),
    /// Only keys in this set at the time of the handshake.
    TrustedKeys(TrustedKeys),
}

impl Admission {
    /// What a link of this key may do, as things stand; nothing when there is to be none.
    pub fn allowance(&self, key: Fingerprint) -> Option<Allowance> {
        match self {
            Self::AnyKey(trusted) | Self::TrustedKeys(trusted) if trusted.contains(key) => {
                Some(Allowance::Full)
            }
            Self::AnyKey(_) => Some(Allowance::OneMessage),
            Self::TrustedKeys(_) => None,
        }
    }
}

/// Both ends of TLS for one identity and one rule of admission. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    pub(super) server: Arc<ServerConfig>,
    pub(super) client: Arc<ClientConfig>,
    pub(super) admission: Admission,
}

/// Why an identity cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The key cannot be handed over.
    #[error("the identity cannot be used for TLS: {0}")]
    Key(String),
    /// TLS refuses the configuration.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] Error),
}

impl Tls {
    /// Speaks for this identity to the keys that `admission` lets in.
    ///
    /// # Errors
    /// [`TlsError`] if the library does not take the key; not seen with any.
    pub fn new(identity: &SigningKey, admission: Admission) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let pkcs8 = identity.to_pkcs8_der().map_err(|error| TlsError::Key(error.to_string()))?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.as_bytes().to_vec()));
        let public = CertificateDer::from(spki(&identity.verifying_key()).to_vec());
        let private = provider.key_provider.load_private_key(private)?;
        let own = Arc::new(CertifiedKey::new(vec![public], private));
        let judge = Arc::new(KeyJudge { provider: Arc::clone(&provider), admission: admission.clone() });

        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::clone(&judge) as Arc<dyn ClientCertVerifier>)
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::clone(&own))));
        server.alpn_protocols = vec![ALPN.to_vec()];
        server.send_tls13_tickets = 0;
        server.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});

        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(judge)
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(own)));
        client.alpn_protocols = vec![ALPN.to_vec()];
        client.resumption = Resumption::disabled();
        client.enable_sni = false;
        Ok(Self { server: Arc::new(server), client: Arc::new(client), admission })
    }
}

/// Judges the other side's key, whichever side it is.
#[derive(Debug)]
struct KeyJudge {
    provider: Arc<CryptoProvider>,
    admission: Admission,
}

impl KeyJudge {
    fn judge(&self, shown: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Result<(), Error> {
        if !others.is_empty() {
            return Err(CertificateError::BadEncoding.into());
        }
        let key = key_of_spki(shown).map_err(|_| CertificateError::BadEncoding)?;
        match self.admission.allowance(Fingerprint::of(&key)) {
            Some(_) => Ok(()),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn signed(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(shown.as_ref());
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
    }
}

/// TLS 1.2 is not even compiled in.
fn not_tls12() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("TLS 1.2 is not spoken here".into()))
}

/// What both traits ask for in the same words: how signatures are verified.
macro_rules! signatures_of_raw_keys {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            not_tls12()
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.signed(message, cert, dss)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

impl ServerCertVerifier for KeyJudge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(end_entity, intermediates).map(|()| ServerCertVerified::assertion())
    }

    signatures_of_raw_keys!();
}

impl ClientCertVerifier for KeyJudge {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(end_entity, intermediates).map(|()| ClientCertVerified::assertion())
    }

    signatures_of_raw_keys!();
}
