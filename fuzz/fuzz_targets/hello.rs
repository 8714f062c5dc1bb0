//! Feeds greetings to the frame reader as an unknown peer would: raw bytes, a valid greeting with changes, and any
//! CBOR in a valid frame. Nothing panics or exceeds the limits, and whatever is read can be written and read again
//! with the same result.

#![no_main]

use bytes::BytesMut;
use flotilla_fuzz::{altered, framed};
use flotilla_messages::untrusted::{SHORT, is_harmful, untrusted_text};
use flotilla_messages::wire::{Codec, Greeting, Hello, Limits, Refused, SUPPORTED_VERSIONS};
use libfuzzer_sys::fuzz_target;

/// The maximum size of a frame before Hello is complete, in bytes, compressed or not.
const MAX_FRAME_SIZE: usize = 4 << 10;

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let hello = Greeting::Hello(Hello::of_this_build(8));
    let refused = Greeting::Refused(Refused { reason: "versions do not meet".into(), their_version: SUPPORTED_VERSIONS });
    let bytes = match choice % 6 {
        0 => rest.to_vec(),
        1 => altered(&frame(&hello), rest),
        2 => altered(&frame(&refused), rest),
        3 => framed(rest),
        4 => framed(&altered(&cbor(&hello), rest)),
        _ => framed(&altered(&cbor(&refused), rest)),
    };
    let mut input = BytesMut::from(&bytes[..]);
    let mut codec = Codec::new(Limits::GREETING);
    loop {
        let before = input.len();
        let Ok(Some(greeting)) = codec.decode::<Greeting>(&mut input) else { break };
        assert!(before - input.len() <= 4 + MAX_FRAME_SIZE, "a frame beyond the limit was taken");
        match &greeting {
            Greeting::Hello(Hello { software, os, arch, .. }) => {
                assert!(software.len() + os.len() + arch.len() <= MAX_FRAME_SIZE);
                assert_printable(&[software, os, arch]);
            }
            Greeting::Refused(Refused { reason, .. }) => assert_printable(&[reason]),
        }
        assert_eq!(read(&frame(&greeting)), Some(greeting));
    }
});

/// Checks that a peer's texts can be shown on one line of a log.
fn assert_printable(texts: &[&String]) {
    for text in texts {
        let shown = untrusted_text(text, SHORT);
        assert!(!shown.contains(is_harmful) && shown.chars().count() <= SHORT, "{shown:?}");
    }
}

fn frame(greeting: &Greeting) -> BytesMut {
    let mut out = BytesMut::new();
    Codec::new(Limits::ESTABLISHED).encode(greeting, &mut out).expect("a greeting has a form on the wire");
    out
}

fn read(bytes: &[u8]) -> Option<Greeting> {
    // Encoded again, it may exceed the limit a little: a field may have been missing, or a number may have had a
    // short form.
    Codec::new(Limits::ESTABLISHED).decode(&mut BytesMut::from(bytes)).ok().flatten()
}

/// The CBOR of a greeting. It is too short for snappy to compress, so the frame contains it unchanged after the
/// header.
fn cbor(greeting: &Greeting) -> Vec<u8> {
    let frame = frame(greeting);
    // The length, snappy's length in one byte, and the tag of one literal in one or two bytes.
    let start = frame.windows(1).position(|byte| byte == [0xa1]).expect("a map of one entry");
    frame[start..].to_vec()
}
