//! Feeds key files to their readers, as public and as private keys: any text, a valid file with changes, and a valid
//! DER with changes in a valid PEM. Nothing panics, and every key that is read is usable.

#![no_main]

use ed25519_dalek::pkcs8::spki::der::pem::{LineEnding, encode_string};
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{Signer, SigningKey};
use flotilla_actors::trust::identity::{Identity, NoPublicKey, public_key};
use flotilla_fuzz::altered;
use flotilla_messages::fingerprint::{key_of_spki, spki};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key().to_public_key_der().expect("44 bytes of fixed form");
    let private = key.to_pkcs8_der().expect("83 bytes of fixed form");
    let text = match choice % 6 {
        0 => rest.to_vec(),
        1 => altered(pem("PUBLIC KEY", public.as_bytes()).as_bytes(), rest),
        2 => altered(pem("PRIVATE KEY", private.as_bytes()).as_bytes(), rest),
        3 => pem("PUBLIC KEY", &altered(public.as_bytes(), rest)).into(),
        4 => pem("PRIVATE KEY", &altered(private.as_bytes(), rest)).into(),
        // The key is chosen by the fuzzer.
        _ => {
            let mut bytes = key.verifying_key().to_bytes();
            for (byte, wanted) in bytes.iter_mut().zip(rest) {
                *byte = *wanted;
            }
            let der = [&public.as_bytes()[..12], &bytes].concat();
            pem("PUBLIC KEY", &der).into()
        }
    };
    match public_key(&text) {
        Ok(read) => {
            assert!(!read.is_weak());
            assert_eq!(key_of_spki(&spki(&read)), Ok(read), "its binary form is the one that TLS shows");
            let again = read.to_public_key_pem(LineEnding::LF).expect("it was read");
            assert_eq!(public_key(again.as_bytes()), Ok(read));
            assert!(Identity::from_pem(&text).is_none(), "a public key is no private one");
        }
        Err(NoPublicKey::Private) => assert!(text.windows(11).any(|word| word == b"PRIVATE KEY")),
        Err(NoPublicKey::Other(_)) => {}
    }
    if let Some(identity) = Identity::from_pem(&text) {
        assert_eq!(public_key(&text), Err(NoPublicKey::Private));
        let signature = identity.signing_key().sign(b"message");
        identity.public_key().verify_strict(b"message", &signature).expect("what it signs verifies");
    }
});

fn pem(label: &str, der: &[u8]) -> String {
    encode_string(label, LineEnding::LF, der).expect("any bytes have a PEM form")
}
