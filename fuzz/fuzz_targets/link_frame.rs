//! Feeds any bytes to the frame reader as a peer would, before Hello and after it: no panic, nothing beyond the limits.

#![no_main]

use bytes::BytesMut;
use flotilla_messages::wire::{Codec, Greeting, Limits, Packet};
use flotilla_messages::{Event, TestCase};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut input = BytesMut::from(bytes);
    let mut codec = Codec::new(Limits::GREETING);
    while let Ok(Some(greeting)) = codec.decode::<Greeting>(&mut input) {
        // What was understood can be said again, and means the same.
        let mut out = BytesMut::new();
        codec.encode(&greeting, &mut out).expect("it fitted in a frame");
        assert_eq!(codec.decode(&mut out).ok().flatten(), Some(greeting));
    }
    codec.set_limits(Limits::ESTABLISHED);
    let mut cases = input.clone();
    while let Ok(Some(_)) = codec.decode::<Packet<Event>>(&mut input) {}
    while let Ok(Some(_)) = codec.decode::<Packet<TestCase>>(&mut cases) {}
});
