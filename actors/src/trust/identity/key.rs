//! Keys: the private one of this machine, and public ones as files.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes,
};
use ed25519_dalek::{SigningKey, VerifyingKey};
use flotilla_messages::Fingerprint;
use flotilla_messages::fingerprint::KeyError;
use flotilla_messages::statement::{SignedStatement, Statement};
use zeroize::Zeroizing;

use super::error::{HomeError, NoPublicKey};
use super::files;

/// The most bytes of a key file: thirty times what one has, for comments around it.
const MOST_BYTES: usize = 4096;

/// This machine's private key. Wiped from memory when dropped.
pub struct Identity {
    key: SigningKey,
}

impl Identity {
    /// A new one, from the system's randomness.
    pub(super) fn generate() -> Result<Self, HomeError> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut_slice()).map_err(HomeError::Random)?;
        Ok(Self { key: SigningKey::from_bytes(&secret) })
    }

    /// Reads a private key that nobody else can read.
    pub(super) fn read(path: &Path) -> Result<Self, HomeError> {
        let file = match files::open(path, false) {
            Err(HomeError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(HomeError::NoIdentity(path.to_owned()));
            }
            opened => opened?,
        };
        // Of the open file, so that nothing can be put in its place after the check.
        let meta = file.metadata().map_err(HomeError::io("read", path))?;
        if !files::belongs_to_us(&meta) {
            return Err(HomeError::OtherOwner(path.to_owned()));
        }
        let mode = meta.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(HomeError::Exposed { path: path.to_owned(), mode });
        }
        let text = files::read(&file, path, MOST_BYTES)?;
        Self::from_pem(&text).ok_or_else(|| HomeError::NoPrivateKey(path.to_owned()))
    }

    /// The identity that the text of a key file holds: an unencrypted Ed25519 private key in PKCS#8 PEM form, and
    /// nothing else.
    pub fn from_pem(text: &[u8]) -> Option<Self> {
        let pem = std::str::from_utf8(text).ok()?;
        SigningKey::from_pkcs8_pem(pem).ok().map(|key| Self { key })
    }

    /// PKCS#8 PEM without the public key (RFC 5958, version 1), the form that every openssl reads and writes.
    pub(super) fn to_pem(&self) -> Zeroizing<String> {
        let bytes = KeypairBytes { secret_key: self.key.to_bytes(), public_key: None };
        // It encodes 48 bytes of fixed form and cannot fail; an empty file would be refused when it is read.
        bytes.to_pkcs8_pem(LineEnding::LF).unwrap_or_default()
    }

    /// The private key, to sign with.
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The public key.
    pub fn public_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// The public key's fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.public_key())
    }

    /// Signs a statement of one's own.
    ///
    /// # Errors
    /// [`HomeError::Statement`] when it is somebody else's, or has too many approvals.
    pub fn sign(&self, statement: Statement) -> Result<SignedStatement, HomeError> {
        Ok(statement.sign(&self.key)?)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.fingerprint())
    }
}

/// Reads a public key that somebody passed on: SubjectPublicKeyInfo in PEM, as `openssl pkey -pubout` writes it.
///
/// # Errors
/// [`HomeError`] when it cannot be read, has more than 4 KiB, or is anything else; a private key is called one.
pub fn public_key_file(path: &Path) -> Result<VerifyingKey, HomeError> {
    read_public(path, true)
}

/// The same, of a file that we wrote ourselves, unless it may be a link.
pub(super) fn read_public(path: &Path, follow: bool) -> Result<VerifyingKey, HomeError> {
    let text = files::read(&files::open(path, follow)?, path, MOST_BYTES)?;
    public_key(&text).map_err(|error| match error {
        NoPublicKey::Private => HomeError::PrivateKeyGiven(path.to_owned()),
        NoPublicKey::Other(why) => HomeError::NoPublicKey { path: path.to_owned(), why },
    })
}

/// Reads the text of a public key file.
///
/// # Errors
/// [`NoPublicKey`] for anything but the SubjectPublicKeyInfo of one Ed25519 key in PEM form.
pub fn public_key(text: &[u8]) -> Result<VerifyingKey, NoPublicKey> {
    let pem = std::str::from_utf8(text).map_err(|_| KeyError::Malformed)?;
    if pem.contains("PRIVATE KEY-----") {
        return Err(NoPublicKey::Private);
    }
    let key = VerifyingKey::from_public_key_pem(pem).map_err(|_| KeyError::Malformed)?;
    if key.is_weak() { Err(KeyError::Weak.into()) } else { Ok(key) }
}

/// A public key as SubjectPublicKeyInfo in PEM.
pub(super) fn public_pem(key: &VerifyingKey) -> String {
    // 44 bytes of fixed form: this cannot fail, and an empty file would be refused when it is read.
    key.to_public_key_pem(LineEnding::LF).unwrap_or_default()
}
