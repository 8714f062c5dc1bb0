//! Trust statements: the keys that a key approves, signed by it.
//!
//! A key has one current statement. It lists direct approvals only: every machine computes chains of trust for
//! itself, and no key vouches for an approval that another key may have withdrawn. The bytes:
//!
//! | size | what |
//! |---|---|
//! | 32 | the issuer's public key |
//! | 8 | serial, big-endian; the higher one replaces the lower one |
//! | 8 | issued, seconds since 1970, big-endian |
//! | 8 | expires, in the same form |
//! | 2 | the number of approvals, big-endian, at most [`MOST_APPROVALS`] |
//! | 32 each | their fingerprints, each greater than the one before |
//! | 64 | Ed25519 signature over [`DOMAIN`] and all of the above |
//!
//! Each statement has exactly one encoding, and signatures are verified over the bytes received, never over a
//! re-encoding. This module reads no clock: `now` is an argument, in seconds since 1970.

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::fingerprint::{Fingerprint, KeyError, key_of_bytes};

/// Domain separation: the prefix of the signed bytes, so that a signature made for another purpose is never valid for
/// a statement.
pub const DOMAIN: &[u8] = b"flotilla statement v1\0";

/// The maximum number of approvals in one statement; bounds the size of a statement to about 16 KiB.
pub const MOST_APPROVALS: usize = 512;

/// A day, in seconds.
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// The lifetime of a statement in seconds: 7 days. Longer ones are rejected, so that an approval expires after at
/// most this long on a machine that its withdrawal cannot reach.
pub const LIFETIME: u64 = 7 * DAY_SECONDS;

/// How far in the future a statement may have been issued, in seconds: clocks differ by up to a day. At the other
/// end, the daily renewal leaves a larger margin.
pub const SKEW: u64 = DAY_SECONDS;

/// The size of what precedes the approvals, in bytes.
const HEAD_SIZE: usize = 32 + 3 * 8 + 2;
/// The size of a fingerprint, in bytes.
const APPROVAL_SIZE: usize = 32;
/// The size of a signature, in bytes.
const SIGNATURE_SIZE: usize = 64;

/// The maximum size of a statement, in bytes. Readers of files and sockets need not read further.
pub const MOST_BYTES: usize = HEAD_SIZE + MOST_APPROVALS * APPROVAL_SIZE + SIGNATURE_SIZE;

/// The content of a statement: not signed yet, or taken from a [`SignedStatement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The key that makes the statement.
    pub issuer: VerifyingKey,
    /// Orders the statements of one issuer: the highest serial is current.
    pub serial: u64,
    /// When it was made, in seconds since 1970.
    pub issued: u64,
    /// When it expires, in seconds since 1970.
    pub expires: u64,
    /// The keys that the issuer approves directly: sorted, without duplicates.
    pub approvals: Vec<Fingerprint>,
}

/// Why bytes are not a statement, or why a statement cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The length does not match the number of approvals.
    #[error("the statement has {0} bytes, which does not fit what it says")]
    Length(usize),
    /// More than [`MOST_APPROVALS`] approvals.
    #[error("the statement has {0} approvals, more than the limit of {MOST_APPROVALS}")]
    TooMany(usize),
    /// Approvals that are not sorted, or duplicates.
    #[error("the statement's approvals are not in order")]
    Order,
    /// The issuer's key is not usable.
    #[error("the statement's issuer is {0}")]
    Issuer(#[from] KeyError),
    /// The signing key is not the issuer's.
    #[error("the statement's issuer is {issuer}, not the key {key} that is to sign it")]
    OtherKey {
        /// The statement's issuer.
        issuer: Fingerprint,
        /// The signing key.
        key: Fingerprint,
    },
    /// It expires before it was issued, or its lifetime exceeds [`LIFETIME`].
    #[error("the statement is issued at {issued} and expires at {expires}: no lifetime of up to 7 days")]
    Lifetime {
        /// When it was issued, in seconds since 1970.
        issued: u64,
        /// When it expires, in seconds since 1970.
        expires: u64,
    },
    /// The signature over these bytes is not the issuer's.
    #[error("the statement is not signed by its issuer {0}")]
    Signature(Fingerprint),
    /// It has expired.
    #[error("the statement of {issuer} expired at {expires}, and it is {now}")]
    Expired {
        /// The statement's issuer.
        issuer: Fingerprint,
        /// When it expired, in seconds since 1970.
        expires: u64,
        /// The time of the check, in seconds since 1970.
        now: u64,
    },
    /// It was issued in the future, by more than [`SKEW`].
    #[error("the statement of {issuer} was issued at {issued}, and it is {now}: a clock is wrong")]
    NotYet {
        /// The statement's issuer.
        issuer: Fingerprint,
        /// When it claims to have been issued, in seconds since 1970.
        issued: u64,
        /// The time of the check, in seconds since 1970.
        now: u64,
    },
}

/// A statement whose signature has been verified; it cannot be constructed otherwise. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedStatement {
    content: Arc<Statement>,
    issuer: Fingerprint,
    bytes: Arc<[u8]>,
}

impl Statement {
    /// A statement issued at `now` (seconds since 1970) that expires after [`LIFETIME`].
    pub fn new(
        issuer: VerifyingKey,
        serial: u64,
        now: u64,
        approvals: impl IntoIterator<Item = Fingerprint>,
    ) -> Self {
        let mut approvals: Vec<_> = approvals.into_iter().collect();
        approvals.sort_unstable();
        approvals.dedup();
        Self { issuer, serial, issued: now, expires: now.saturating_add(LIFETIME), approvals }
    }

    /// Signs the statement.
    ///
    /// # Errors
    /// [`StatementError`] when `key` is not the issuer's, or when the statement would be rejected by its readers.
    pub fn sign(self, key: &SigningKey) -> Result<SignedStatement, StatementError> {
        self.check()?;
        let issuer = Fingerprint::of(&self.issuer);
        if key.verifying_key() != self.issuer {
            return Err(StatementError::OtherKey { issuer, key: Fingerprint::of(&key.verifying_key()) });
        }
        let mut bytes = self.body();
        let signature = key.sign(&[DOMAIN, &bytes].concat());
        bytes.extend_from_slice(&signature.to_bytes());
        Ok(SignedStatement { content: Arc::new(self), issuer, bytes: bytes.into() })
    }

    /// The rules that hold for every statement, whoever the signer and whatever the time.
    fn check(&self) -> Result<(), StatementError> {
        if self.approvals.len() > MOST_APPROVALS {
            return Err(StatementError::TooMany(self.approvals.len()));
        }
        if !self.approvals.is_sorted_by(|a, b| a < b) {
            return Err(StatementError::Order);
        }
        let (issued, expires) = (self.issued, self.expires);
        match expires.checked_sub(issued) {
            Some(1..=LIFETIME) => Ok(()),
            _ => Err(StatementError::Lifetime { issued, expires }),
        }
    }

    /// The bytes without the signature. The number of approvals must have been checked.
    fn body(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_SIZE + self.approvals.len() * APPROVAL_SIZE + SIGNATURE_SIZE);
        bytes.extend_from_slice(self.issuer.as_bytes());
        for number in [self.serial, self.issued, self.expires] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&(self.approvals.len() as u16).to_be_bytes());
        for approval in &self.approvals {
            bytes.extend_from_slice(&approval.0);
        }
        bytes
    }

    /// Reads the bytes without the signature; `None` if the length is wrong.
    fn read(body: &[u8]) -> Option<Result<Self, StatementError>> {
        let (issuer, rest) = body.split_first_chunk::<32>()?;
        let (serial, rest) = rest.split_first_chunk::<8>()?;
        let (issued, rest) = rest.split_first_chunk::<8>()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (_, approvals) = rest.split_first_chunk::<2>()?;
        let (approvals, []) = approvals.as_chunks::<APPROVAL_SIZE>() else { return None };
        let issuer = match key_of_bytes(issuer) {
            Ok(issuer) => issuer,
            Err(error) => return Some(Err(error.into())),
        };
        let statement = Self {
            issuer,
            serial: u64::from_be_bytes(*serial),
            issued: u64::from_be_bytes(*issued),
            expires: u64::from_be_bytes(*expires),
            approvals: approvals.iter().copied().map(Fingerprint).collect(),
        };
        Some(statement.check().map(|()| statement))
    }
}

impl SignedStatement {
    /// Reads a statement and verifies its signature, but not its time: an expired statement still shows which serials
    /// are outdated.
    ///
    /// # Errors
    /// [`StatementError`] for anything but the exact bytes that the issuer signed. If the length is wrong, nothing is
    /// allocated.
    pub fn open(bytes: &[u8]) -> Result<Self, StatementError> {
        let length = || StatementError::Length(bytes.len());
        let count = bytes.get(HEAD_SIZE - 2..).and_then(|rest| rest.first_chunk::<2>()).ok_or_else(length)?;
        let count = usize::from(u16::from_be_bytes(*count));
        if count > MOST_APPROVALS {
            return Err(StatementError::TooMany(count));
        }
        if bytes.len() != HEAD_SIZE + count * APPROVAL_SIZE + SIGNATURE_SIZE {
            return Err(length());
        }
        let (body, signature) = bytes.split_last_chunk::<SIGNATURE_SIZE>().ok_or_else(length)?;
        let content = Statement::read(body).ok_or_else(length)??;
        let issuer = Fingerprint::of(&content.issuer);
        // Strict: no malleable signatures and no weak keys, so everybody agrees on what is valid.
        content
            .issuer
            .verify_strict(&[DOMAIN, body].concat(), &Signature::from_bytes(signature))
            .map_err(|_| StatementError::Signature(issuer))?;
        Ok(Self { content: Arc::new(content), issuer, bytes: bytes.into() })
    }

    /// [`open`](Self::open), then [`check_time`](Self::check_time).
    ///
    /// # Errors
    /// Those of both functions.
    pub fn verify(bytes: &[u8], now: u64) -> Result<Self, StatementError> {
        let statement = Self::open(bytes)?;
        statement.check_time(now)?;
        Ok(statement)
    }

    /// Checks that the statement is valid at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// [`StatementError::Expired`] and [`StatementError::NotYet`].
    pub fn check_time(&self, now: u64) -> Result<(), StatementError> {
        let (issuer, Statement { issued, expires, .. }) = (self.issuer, &*self.content);
        if now >= *expires {
            return Err(StatementError::Expired { issuer, expires: *expires, now });
        }
        if *issued > now.saturating_add(SKEW) {
            return Err(StatementError::NotYet { issuer, issued: *issued, now });
        }
        Ok(())
    }

    /// The exact bytes including the signature, as stored and sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The content of the statement.
    pub fn content(&self) -> &Statement {
        &self.content
    }

    /// The issuer's fingerprint.
    pub fn issuer(&self) -> Fingerprint {
        self.issuer
    }

    /// Whether the statement approves this key directly.
    pub fn approves(&self, key: &Fingerprint) -> bool {
        self.content.approvals.binary_search(key).is_ok()
    }
}

impl fmt::Debug for SignedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statement { serial, issued, expires, approvals, .. } = &*self.content;
        write!(f, "SignedStatement({} #{serial} {issued}..{expires} {approvals:?})", self.issuer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn statement(approvals: &[u8]) -> Statement {
        let approvals = approvals.iter().map(|seed| Fingerprint::of(&key(*seed).verifying_key()));
        Statement::new(key(1).verifying_key(), 7, NOW, approvals)
    }

    fn signed() -> SignedStatement {
        statement(&[2, 3]).sign(&key(1)).unwrap()
    }

    #[test]
    fn a_statement_comes_back_from_its_bytes() {
        let signed = signed();
        let back = SignedStatement::verify(signed.bytes(), NOW).unwrap();
        assert_eq!(back, signed);
        assert_eq!(back.content(), &statement(&[2, 3]));
        assert!(back.approves(&Fingerprint::of(&key(2).verifying_key())));
        assert!(!back.approves(&Fingerprint::of(&key(4).verifying_key())));
    }

    #[test]
    fn the_encoding_does_not_change() {
        let signed = statement(&[]).sign(&key(1)).unwrap();
        let numbers = [7u64, NOW, NOW + 7 * 86_400].map(u64::to_be_bytes).concat();
        let body = [key(1).verifying_key().as_bytes().as_slice(), &numbers, &[0, 0]].concat();
        let signature = key(1).sign(&[&b"flotilla statement v1\0"[..], &body].concat());
        assert_eq!(signed.bytes(), [&body[..], &signature.to_bytes()].concat());
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let good = signed();
        for bit in 0..good.bytes().len() * 8 {
            let mut bad = good.bytes().to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(SignedStatement::open(&bad).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn truncated_bytes_and_trailing_ones_are_refused() {
        let good = signed();
        for length in 0..good.bytes().len() {
            let cut = SignedStatement::open(&good.bytes()[..length]);
            assert_eq!(cut, Err(StatementError::Length(length)));
        }
        let long = [good.bytes(), &[0]].concat();
        assert_eq!(SignedStatement::open(&long), Err(StatementError::Length(long.len())));
    }

    #[test]
    fn a_signature_for_something_else_is_refused() {
        let body = statement(&[2]).body();
        for message in
            [body.clone(), [b"flotilla datagram v1\0", &body[..]].concat(), [&body[..], DOMAIN].concat()]
        {
            let signature = key(1).sign(&message).to_bytes();
            let bytes = [&body[..], &signature].concat();
            assert!(matches!(SignedStatement::open(&bytes), Err(StatementError::Signature(_))));
        }
    }

    #[test]
    fn another_keys_signature_is_refused() {
        let body = statement(&[2]).body();
        let signature = key(2).sign(&[DOMAIN, &body].concat()).to_bytes();
        let error = SignedStatement::open(&[&body[..], &signature].concat()).unwrap_err();
        assert_eq!(error, StatementError::Signature(Fingerprint::of(&key(1).verifying_key())));
        assert!(matches!(statement(&[2]).sign(&key(2)), Err(StatementError::OtherKey { .. })));
    }

    #[test]
    fn time_is_checked_at_both_ends() {
        let at = |now| SignedStatement::verify(signed().bytes(), now);
        assert!(at(NOW - SKEW).is_ok(), "a day of skew");
        assert!(matches!(at(NOW - SKEW - 1), Err(StatementError::NotYet { .. })));
        assert!(at(NOW + LIFETIME - 1).is_ok());
        assert!(matches!(at(NOW + LIFETIME), Err(StatementError::Expired { .. })));
        assert!(SignedStatement::open(signed().bytes()).is_ok(), "whatever the time is");
    }

    #[test]
    fn nobody_lives_longer_than_a_week() {
        let with = |issued, expires| Statement { issued, expires, ..statement(&[]) };
        for (issued, expires) in [(NOW, NOW + LIFETIME + 1), (NOW, NOW), (NOW, NOW - 1), (0, u64::MAX)] {
            let bad = with(issued, expires);
            assert_eq!(bad.clone().sign(&key(1)), Err(StatementError::Lifetime { issued, expires }));
            assert_eq!(
                SignedStatement::open(&forced(&bad)),
                Err(StatementError::Lifetime { issued, expires })
            );
        }
    }

    #[test]
    fn approvals_are_sorted_and_bounded() {
        let fingerprints = |count: u32| -> Vec<Fingerprint> {
            let one = |i: u32| {
                let mut bytes = [0; 32];
                bytes[..4].copy_from_slice(&i.to_be_bytes());
                Fingerprint(bytes)
            };
            (0..count).map(one).collect()
        };
        let with = |approvals| Statement { approvals, ..statement(&[]) };
        let most = with(fingerprints(MOST_APPROVALS as u32)).sign(&key(1)).unwrap();
        assert_eq!(most.bytes().len(), MOST_BYTES);
        assert!(SignedStatement::open(most.bytes()).is_ok());
        let more = with(fingerprints(MOST_APPROVALS as u32 + 1));
        assert_eq!(SignedStatement::open(&forced(&more)), Err(StatementError::TooMany(MOST_APPROVALS + 1)));
        assert_eq!(more.sign(&key(1)), Err(StatementError::TooMany(MOST_APPROVALS + 1)));
        let [a, b] = fingerprints(2)[..] else { panic!() };
        for bad in [vec![b, a], vec![a, a]] {
            assert_eq!(SignedStatement::open(&forced(&with(bad.clone()))), Err(StatementError::Order));
            assert_eq!(with(bad).sign(&key(1)), Err(StatementError::Order));
        }
        assert_eq!(Statement::new(key(1).verifying_key(), 1, NOW, [b, a, a]).approvals, [a, b]);
    }

    #[test]
    fn a_count_that_does_not_fit_is_refused_however_well_it_is_signed() {
        for (approvals, count) in [(0, 1), (1, 0), (2, 1), (2, 3), (2, 512), (2, 0x0200 + 2)] {
            let seeds: Vec<u8> = (2..2 + approvals).collect();
            let mut body = statement(&seeds).body();
            body[HEAD_SIZE - 2..HEAD_SIZE].copy_from_slice(&u16::to_be_bytes(count));
            let signature = key(1).sign(&[DOMAIN, &body].concat()).to_bytes();
            let bytes = [&body[..], &signature].concat();
            let wanted = match usize::from(count) {
                count if count > MOST_APPROVALS => StatementError::TooMany(count),
                _ => StatementError::Length(bytes.len()),
            };
            assert_eq!(SignedStatement::open(&bytes), Err(wanted), "{approvals} approvals, {count} claimed");
        }
        // Half an approval, so that either count could be meant.
        let mut half = statement(&[2]).body();
        half.truncate(HEAD_SIZE + APPROVAL_SIZE / 2);
        let signature = key(1).sign(&[DOMAIN, &half].concat()).to_bytes();
        let bytes = [&half[..], &signature].concat();
        assert_eq!(SignedStatement::open(&bytes), Err(StatementError::Length(bytes.len())));
    }

    #[test]
    fn a_weak_issuer_is_refused() {
        // The identity point: with it, a signature of zeros and the identity verifies for every message.
        let mut bytes = signed().bytes().to_vec();
        bytes[..32].fill(0);
        bytes[0] = 1;
        assert_eq!(SignedStatement::open(&bytes), Err(StatementError::Issuer(KeyError::Weak)));
    }

    /// Correctly signed bytes of a statement that [`Statement::sign`] rejects.
    fn forced(statement: &Statement) -> Vec<u8> {
        let body = statement.body();
        let signature = key(1).sign(&[DOMAIN, &body].concat()).to_bytes();
        [&body[..], &signature].concat()
    }

    proptest! {
        #[test]
        fn any_statement_comes_back(
            serial: u64,
            now in 0..u64::MAX - LIFETIME,
            life in 1..=LIFETIME,
            approvals in proptest::collection::btree_set(any::<[u8; 32]>(), 0..20),
        ) {
            let approvals = approvals.into_iter().map(Fingerprint).collect();
            let issuer = key(9).verifying_key();
            let statement = Statement { issuer, serial, issued: now, expires: now + life, approvals };
            let signed = statement.clone().sign(&key(9)).unwrap();
            let back = SignedStatement::verify(signed.bytes(), now).unwrap();
            prop_assert_eq!(back.content(), &statement);
            prop_assert_eq!(back.issuer(), Fingerprint::of(&issuer));
        }

        #[test]
        fn no_bytes_make_it_panic_or_pass(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
            count in 0u8..12,
            fit: bool,
        ) {
            if fit {
                bytes.resize(HEAD_SIZE + usize::from(count) * APPROVAL_SIZE + SIGNATURE_SIZE, 0);
                bytes[HEAD_SIZE - 2..HEAD_SIZE].copy_from_slice(&[0, count]);
            }
            prop_assert!(SignedStatement::open(&bytes).is_err());
        }
    }
}
