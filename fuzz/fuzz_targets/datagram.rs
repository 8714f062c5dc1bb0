//! Feeds datagrams to their reader: raw bytes, a valid datagram with changes, and the same signed again by its
//! sender, which reaches the code after the signature check. Nothing panics, and whatever opens was signed by the key
//! it names.

#![no_main]

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use flotilla_fuzz::{altered, signed_again};
use flotilla_messages::{Datagram, DatagramKind, Fingerprint, Presence};
use libfuzzer_sys::fuzz_target;

const DOMAIN: &[u8] = b"flotilla datagram v1\0";

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let key = SigningKey::from_bytes(&[7; 32]);
    let kind = match choice >> 4 & 3 {
        0 => DatagramKind::Reply,
        1 => DatagramKind::Goodbye,
        _ => DatagramKind::Announce,
    };
    let valid = presence().sign(kind, &key);
    let bytes = match choice % 4 {
        0 => rest.to_vec(),
        1 => altered(&valid, rest),
        2 => signed_again(altered(&valid, rest), DOMAIN, &key),
        // The fields are chosen by the fuzzer, after a valid head.
        _ => {
            let mut bytes = valid.to_vec();
            for (byte, wanted) in bytes.iter_mut().skip(4 + 1 + 1 + 32).zip(rest) {
                *byte = *wanted;
            }
            signed_again(bytes, DOMAIN, &key)
        }
    };
    let Ok(datagram) = Datagram::open(&bytes) else { return };
    let issuer = VerifyingKey::from_bytes(&datagram.issuer).expect("a key was read");
    let (body, signature) = bytes.split_last_chunk::<64>().expect("a signature was read");
    let signature = Signature::from_bytes(signature);
    issuer.verify_strict(&[DOMAIN, body].concat(), &signature).expect("opened, and not signed");
    assert_eq!(datagram.fingerprint, Fingerprint::of(&issuer));
    assert!(Datagram::names(&bytes, &issuer));
    let Presence { interval, protocol, work_port, status_port, unicast_port, .. } = datagram.presence;
    assert!((5..=300).contains(&interval) && protocol.0 <= protocol.1);
    assert!(work_port != 0 && status_port != 0 && unicast_port != 0);
    // There is only one encoding, and no other key's signature is accepted.
    assert_eq!(issuer, key.verifying_key());
    assert_eq!(datagram.presence.sign(datagram.kind, &key)[..], bytes[..]);
});

fn presence() -> Presence {
    Presence {
        boot: 1_700_000_000_000,
        sequence: 7,
        interval: 5,
        protocol: (1, 2),
        work_port: 9992,
        status_port: 9994,
        unicast_port: 40_000,
        jobs: 8,
        serial: 3,
    }
}
