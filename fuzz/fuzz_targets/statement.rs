//! Feeds trust statements to their reader: raw bytes, a valid statement with changes, the same signed again by its
//! issuer, and any content in a valid form. Nothing panics, and whatever opens was signed by its issuer.

#![no_main]

use ed25519_dalek::{Signature, SigningKey};
use flotilla_fuzz::{altered, signed_again};
use flotilla_messages::Fingerprint;
use flotilla_messages::statement::{
    DOMAIN, LIFETIME, MOST_APPROVALS, MOST_BYTES, SignedStatement, Statement,
};
use libfuzzer_sys::fuzz_target;

const NOW: u64 = 1_700_000_000;

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let key = SigningKey::from_bytes(&[7; 32]);
    let approvals = (0..choice >> 4).map(|n| Fingerprint([n; 32]));
    let valid = Statement::new(key.verifying_key(), 7, NOW, approvals).sign(&key).expect("few approvals");
    let bytes = match choice % 4 {
        0 => rest.to_vec(),
        1 => altered(valid.bytes(), rest),
        2 => signed_again(altered(valid.bytes(), rest), DOMAIN, &key),
        // Times and approvals are chosen by the fuzzer, with a matching count.
        _ => {
            let (numbers, rest) = rest.split_at(rest.len().min(24));
            let approvals = rest.as_chunks::<32>().0;
            let mut bytes = key.verifying_key().to_bytes().to_vec();
            bytes.extend_from_slice(numbers);
            bytes.resize(32 + 24, 0);
            bytes.extend_from_slice(&(approvals.len() as u16).to_be_bytes());
            bytes.extend(approvals.iter().flatten());
            bytes.extend_from_slice(&[0; 64]);
            signed_again(bytes, DOMAIN, &key)
        }
    };
    let Ok(statement) = SignedStatement::open(&bytes) else { return };
    let content = statement.content();
    assert_eq!(statement.bytes(), bytes);
    assert!(bytes.len() <= MOST_BYTES && content.approvals.len() <= MOST_APPROVALS);
    let (body, signature) = bytes.split_last_chunk::<64>().expect("a signature was read");
    let signature = Signature::from_bytes(signature);
    content.issuer.verify_strict(&[DOMAIN, body].concat(), &signature).expect("opened, and not signed");
    assert_eq!(statement.issuer(), Fingerprint::of(&content.issuer));
    assert!(content.approvals.iter().all(|approved| statement.approves(approved)));
    assert!(content.approvals.is_sorted_by(|a, b| a < b));
    // There is only one encoding, and no other key's signature is accepted.
    assert_eq!(content.clone().sign(&key).expect("it was accepted"), statement);
    // It has a lifetime, and a limited one.
    assert!(content.issued < content.expires && content.expires - content.issued <= LIFETIME);
    assert!(statement.check_time(content.issued).is_ok());
    assert!(statement.check_time(content.expires).is_err());
    for now in [0, NOW, u64::MAX] {
        assert_eq!(SignedStatement::verify(&bytes, now).is_ok(), statement.check_time(now).is_ok());
    }
});
