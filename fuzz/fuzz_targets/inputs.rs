//! Feeds any bytes to the readers of directories and packs as a peer would: nothing panics or exceeds the limits, and
//! an accepted directory has exactly the bytes that would have been written.

#![no_main]

use flotilla_messages::inputs::{Directory, LARGEST_PACK, Pack};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(directory) = Directory::decode(bytes) {
        assert_eq!(directory.encode(), bytes);
    }
    let Some((claim, data)) = bytes.split_first_chunk::<4>() else { return };
    let pack = Pack { unpacked: u32::from_be_bytes(*claim), data: data.to_vec() };
    if let Ok(unpacked) = pack.unpack() {
        let held: usize = unpacked.parts().map(|part| part.bytes.len()).sum();
        assert!(held <= LARGEST_PACK);
    }
});
