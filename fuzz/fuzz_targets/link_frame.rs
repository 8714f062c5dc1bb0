//! Feeds any bytes, and any CBOR in a valid frame, to the frame reader as a peer would, before and after Hello:
//! nothing panics or exceeds the limits.

#![no_main]

use bytes::BytesMut;
use flotilla_fuzz::framed;
use flotilla_messages::wire::{Codec, Greeting, Limits, Packet};
use flotilla_messages::{Event, TestCase};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(BytesMut::from(bytes));
    read(BytesMut::from(&framed(bytes)[..]));
});

fn read(mut input: BytesMut) {
    let mut codec = Codec::new(Limits::GREETING);
    while let Ok(Some(greeting)) = codec.decode::<Greeting>(&mut input) {
        // Whatever was decoded can be encoded again, if not as compactly, and has the same meaning.
        let mut codec = Codec::new(Limits::ESTABLISHED);
        let mut out = BytesMut::new();
        codec.encode(&greeting, &mut out).expect("it fitted in a frame");
        assert_eq!(codec.decode(&mut out).ok().flatten(), Some(greeting));
    }
    codec.set_limits(Limits::ESTABLISHED);
    let mut cases = input.clone();
    while let Ok(Some(_)) = codec.decode::<Packet<Event>>(&mut input) {}
    while let Ok(Some(_)) = codec.decode::<Packet<TestCase>>(&mut cases) {}
}
