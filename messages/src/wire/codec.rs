//! The codec of all frames. Only this file uses `snap`, and only this file and `body` use `serde_cbor`.

use bytes::{Buf, BufMut, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::body::untrusted;

/// Snappy unpacks at most 64 bytes from every 3, so a valid body is at most 22 times as large as its compressed form.
const MOST_EXPANSION: usize = 22;
/// The size in bytes of the length that precedes a frame.
const LENGTH_SIZE: usize = 4;

/// Size limits of a frame, checked before anything is allocated for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum size of a compressed body in bytes.
    pub wire: usize,
    /// Maximum size of an uncompressed body in bytes.
    pub body: usize,
}

impl Limits {
    /// For a peer whose Hello has been received: 4 MiB compressed, 16 MiB uncompressed.
    pub const ESTABLISHED: Self = Self { wire: 4 << 20, body: 16 << 20 };
    /// Before that: 4 KiB for either form.
    pub const GREETING: Self = Self { wire: 4 << 10, body: 4 << 10 };
}

/// Encodes messages as frames and decodes them, reusing its buffers.
#[derive(Debug)]
pub struct Codec {
    limits: Limits,
    body: Vec<u8>,
}

/// Why a message cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The message has no CBOR form.
    #[error("the message cannot be encoded: {0}")]
    Cbor(String),
    /// It is larger than the receiver would accept.
    #[error("the message has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// The size in bytes.
        size: usize,
        /// The exceeded limit in bytes.
        limit: usize,
    },
}

/// Why bytes cannot be decoded. The connection is unusable afterwards.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The frame claims a size above the limit, compressed or uncompressed, or more than snappy can pack.
    #[error("the frame claims {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// The claimed size in bytes.
        size: usize,
        /// The exceeded limit in bytes.
        limit: usize,
    },
    /// A frame without a body.
    #[error("the frame is empty")]
    Empty,
    /// The body is not snappy.
    #[error("the frame cannot be uncompressed: {0}")]
    Snappy(#[from] snap::Error),
    /// The body is not the CBOR form of a message.
    #[error("the frame holds no message: {0}")]
    Cbor(String),
}

impl Codec {
    /// A codec with these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, body: Vec::new() }
    }

    /// Sets the limits for the following frames, for example after Hello.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Appends one frame to `out`.
    ///
    /// # Errors
    /// [`EncodeError`] when the message has no CBOR form or exceeds a limit; `out` is then unchanged.
    pub fn encode<T: Serialize>(&mut self, message: &T, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.body.clear();
        serde_cbor::to_writer(&mut self.body, message).map_err(|e| EncodeError::Cbor(e.to_string()))?;
        within(self.body.len(), self.limits.body)?;
        let packed = snap::raw::Encoder::new()
            .compress_vec(&self.body)
            .map_err(|e| EncodeError::Cbor(e.to_string()))?;
        within(packed.len(), self.limits.wire)?;
        self.shrink();
        out.reserve(LENGTH_SIZE + packed.len());
        // Below Limits::wire, which is far below u32::MAX.
        out.put_u32(packed.len() as u32);
        out.extend_from_slice(&packed);
        Ok(())
    }

    /// Takes one message off the front of `input`; `None` until a whole frame is present.
    ///
    /// # Errors
    /// [`DecodeError`] for a frame that is too large or malformed; the caller must then close the connection.
    pub fn decode<T: DeserializeOwned>(&mut self, input: &mut BytesMut) -> Result<Option<T>, DecodeError> {
        let Some(header) = input.first_chunk::<LENGTH_SIZE>() else { return Ok(None) };
        let length = u32::from_be_bytes(*header) as usize;
        if length > self.limits.wire {
            return Err(DecodeError::TooLarge { size: length, limit: self.limits.wire });
        }
        if length == 0 {
            return Err(DecodeError::Empty);
        }
        let Some(packed) = input.get(LENGTH_SIZE..LENGTH_SIZE + length) else { return Ok(None) };
        let size = snap::raw::decompress_len(packed)?;
        let limit = self.limits.body.min(MOST_EXPANSION * length + 64);
        if size > limit {
            return Err(DecodeError::TooLarge { size, limit });
        }
        self.body.resize(size, 0);
        let size = snap::raw::Decoder::new().decompress(packed, &mut self.body)?;
        let message =
            serde_cbor::from_slice(&self.body[..size]).map_err(|e| DecodeError::Cbor(untrusted(&e)))?;
        input.advance(LENGTH_SIZE + length);
        self.shrink();
        Ok(Some(message))
    }

    /// Releases the memory of a buffer that a large frame has enlarged.
    fn shrink(&mut self) {
        const MAX_KEPT_CAPACITY: usize = 256 << 10;
        if self.body.capacity() > MAX_KEPT_CAPACITY {
            self.body = Vec::new();
        }
    }
}

fn within(size: usize, limit: usize) -> Result<(), EncodeError> {
    if size > limit { Err(EncodeError::TooLarge { size, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        Arg, Captured, CaseId, EventKind, Exit, Expectation, Judge, Memory, Outcome, Output, Place, Program,
        TestCase, TestName, TestReport, Times,
    };

    fn case() -> TestCase {
        TestCase {
            name: TestName {
                suite: "test262".into(),
                name: "built-ins/Array/length".into(),
                variant: "stress".into(),
                detail: Some("strict".into()),
            },
            id: "test262/built-ins/Array/length.VariantProc-stress-strict-0".into(),
            prefix: vec!["rr".into()],
            program: Program::Shell(Arg::Path("out/build/d8".into())),
            args: vec![
                Arg::Text("--test".into()),
                Arg::Path("test/a.js".into()),
                Arg::Embedded { before: "F=\"".into(), path: "test/a.js".into(), after: "\"".into() },
            ],
            env: BTreeMap::from([("TZ".into(), "UTC".into())]),
            unset_env: vec!["LC_ALL".into()],
            timeout: Duration::from_secs(240),
            term_grace: Some(Duration::from_millis(100)),
            judge: Judge::Exception {
                expected: Some("SyntaxError".into()),
                negative: false,
                must_complete: false,
            },
            recipe: None,
            expected_file: Some(Arg::Path("test/a.out".into())),
            expectation: Expectation {
                outcomes: vec![Outcome::Fail, Outcome::Crash],
                reason: None,
                doubt: None,
            },
            slow: true,
            heavy: true,
            variant_flags: vec!["--stress-opt".into()],
            random_seed: Some(-7),
        }
    }

    fn through<T: Serialize + DeserializeOwned>(message: &T) -> T {
        let mut codec = Codec::new(Limits::ESTABLISHED);
        let mut buffer = BytesMut::new();
        codec.encode(message, &mut buffer).unwrap();
        let back = codec.decode(&mut buffer).unwrap().expect("a whole frame");
        assert!(buffer.is_empty());
        back
    }

    /// Fields added later: older peers do not send them, and do not need them.
    #[test]
    fn a_case_and_an_output_without_the_newest_fields_are_read() {
        let without = |value: serde_cbor::Value, names: &[&str]| match value {
            serde_cbor::Value::Map(mut map) => {
                for name in names {
                    assert!(map.remove(&serde_cbor::Value::Text((*name).into())).is_some(), "{name}");
                }
                serde_cbor::Value::Map(map)
            }
            other => other,
        };
        let old = without(serde_cbor::value::to_value(case()).unwrap(), &["term_grace", "heavy"]);
        let read: TestCase = serde_cbor::value::from_value(old).unwrap();
        assert_eq!(read, TestCase { term_grace: None, heavy: false, ..case() });
        let output = Output {
            exit: Exit::Code(0),
            timed_out: false,
            stdout: Captured::default(),
            stderr: Captured::default(),
            duration: Duration::ZERO,
            memory: Memory { max_rss: 1, max_vms: 2 },
            started: Some(std::time::SystemTime::UNIX_EPOCH),
        };
        let old = without(serde_cbor::value::to_value(&output).unwrap(), &["memory"]);
        let read: Output = serde_cbor::value::from_value(old).unwrap();
        assert_eq!(read, Output { memory: Memory::default(), started: None, ..output.clone() });
        assert_eq!(through(&output), Output { started: None, ..output }, "no clock is sent");
    }

    #[test]
    fn a_case_an_outcome_and_an_event_survive_the_wire() {
        assert_eq!(through(&case()), case());
        assert_eq!(through(&Outcome::Timeout), Outcome::Timeout);
        let output = Output {
            exit: Exit::Signal(11),
            timed_out: false,
            stdout: Captured { bytes: b"\xff\x00text".to_vec(), total: 99 },
            stderr: Captured::default(),
            duration: Duration::from_micros(1234),
            memory: Memory { max_rss: 40 << 20, max_vms: 5 << 30 },
            started: None,
        };
        let event = EventKind::Finished(Box::new(TestReport {
            test: CaseId(7),
            name: case().name,
            id: case().id,
            outcome: Outcome::Crash,
            as_expected: false,
            why: Some("ended by signal 11".into()),
            difference: Some("-a\n+b\n".into()),
            case: Some(case()),
            output: Some(output),
            place: Place::Peer("bob".into()),
            attempt: 2,
            times: Times::default(),
            differs_on: None,
            earlier: Vec::new(),
        }));
        assert_eq!(through(&event), event);
    }

    #[test]
    fn a_frame_that_is_not_whole_waits() {
        let mut codec = Codec::new(Limits::ESTABLISHED);
        let mut whole = BytesMut::new();
        codec.encode(&case(), &mut whole).unwrap();
        let mut part = BytesMut::new();
        for (i, byte) in whole.iter().enumerate() {
            part.put_u8(*byte);
            let got: Option<TestCase> = codec.decode(&mut part).unwrap();
            assert_eq!(got.is_some(), i + 1 == whole.len());
        }
    }

    #[test]
    fn what_a_frame_claims_is_checked_before_anything_is_allocated() {
        let mut codec = Codec::new(Limits::ESTABLISHED);
        let mut long = BytesMut::from(&[0xff, 0xff, 0xff, 0xff][..]);
        assert!(matches!(codec.decode::<Outcome>(&mut long), Err(DecodeError::TooLarge { .. })));
        // Six bytes of snappy that claim 4 GiB.
        let mut bomb = BytesMut::from(&[0, 0, 0, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0][..]);
        assert!(matches!(codec.decode::<Outcome>(&mut bomb), Err(DecodeError::TooLarge { .. })));
        assert_eq!(codec.body.capacity(), 0);
        let mut empty = BytesMut::from(&[0, 0, 0, 0][..]);
        assert!(matches!(codec.decode::<Outcome>(&mut empty), Err(DecodeError::Empty)));
    }

    #[test]
    fn nesting_is_refused_at_any_depth_before_the_stack_ends() {
        let kinds: [(&str, &[u8]); 4] =
            [("arrays", &[0x81]), ("maps", &[0xa1, 0x00]), ("tags", &[0xc1]), ("endless arrays", &[0x9f])];
        for (kind, opening) in kinds {
            for depth in [1_000, 1_000_000] {
                let mut cbor = opening.repeat(depth);
                cbor.push(0);
                let packed = snap::raw::Encoder::new().compress_vec(&cbor).unwrap();
                let mut frame = BytesMut::new();
                frame.put_u32(packed.len() as u32);
                frame.extend_from_slice(&packed);
                let mut codec = Codec::new(Limits::ESTABLISHED);
                // Skipping an unknown field recurses as deeply as reading a known one.
                let read = codec.decode::<serde::de::IgnoredAny>(&mut frame);
                assert!(matches!(read, Err(DecodeError::Cbor(_))), "{depth} {kind}: {read:?}");
            }
        }
    }

    #[test]
    fn too_large_a_message_leaves_the_output_alone() {
        let mut codec = Codec::new(Limits::GREETING);
        let mut out = BytesMut::from(&b"kept"[..]);
        let large: Vec<u64> = (0..10_000).collect();
        assert!(matches!(codec.encode(&large, &mut out), Err(EncodeError::TooLarge { .. })));
        assert_eq!(&out[..], b"kept");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut codec = Codec::new(Limits::GREETING);
            let mut framed = BytesMut::new();
            framed.put_u32(bytes.len() as u32);
            framed.extend_from_slice(&bytes);
            let _ = codec.decode::<EventKind>(&mut framed);
        }
    }
}
