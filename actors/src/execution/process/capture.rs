//! One captured stream.

use std::io::PipeReader;

use flotilla_messages::Captured;
use rustix::io::{Errno, ioctl_fionbio, read};

/// The result of reading from the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PipeRead {
    /// Bytes; there may be more.
    Some,
    /// No bytes for now.
    Nothing,
    /// The end of the stream.
    End,
}

/// Reads a pipe without ever blocking, keeps the first bytes and counts all.
pub(super) struct Stream {
    pipe: PipeReader,
    captured: Captured,
    cap: usize,
    non_blocking: bool,
    ended: bool,
}

impl Stream {
    /// Keeps at most `cap` bytes.
    pub(super) fn new(pipe: PipeReader, cap: usize) -> Self {
        Self { pipe, captured: Captured::default(), cap, non_blocking: false, ended: false }
    }

    /// The pipe, as long as something can come out of it.
    pub(super) fn pipe(&self) -> Option<&PipeReader> {
        (!self.ended).then_some(&self.pipe)
    }

    /// Reads once. To be called when poll says there is something; most processes print nothing, and their pipes
    /// need not even be made non-blocking.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> PipeRead {
        // Only this end: the process at the other one has its own open file description.
        if !self.non_blocking && ioctl_fionbio(&self.pipe, true).is_ok() {
            self.non_blocking = true;
        }
        match read(&self.pipe, &mut *buffer) {
            Ok(0) => self.end(),
            Ok(count) => {
                let bytes = &buffer[..count];
                let room = self.cap.saturating_sub(self.captured.bytes.len());
                self.captured.bytes.extend_from_slice(&bytes[..count.min(room)]);
                self.captured.total += count as u64;
                PipeRead::Some
            }
            Err(Errno::INTR) => PipeRead::Some,
            Err(Errno::AGAIN) => PipeRead::Nothing,
            Err(_) => self.end(),
        }
    }

    fn end(&mut self) -> PipeRead {
        self.ended = true;
        PipeRead::End
    }

    /// Closes the pipe.
    pub(super) fn finish(self) -> Captured {
        self.captured
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::*;

    #[test]
    fn the_cap_keeps_the_first_bytes_and_counts_the_rest() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"abcdef").unwrap();
        let mut stream = Stream::new(reader, 4);
        let mut buffer = [0; 3];
        assert_eq!(stream.read(&mut buffer), PipeRead::Some);
        assert_eq!(stream.read(&mut buffer), PipeRead::Some);
        assert_eq!(stream.read(&mut buffer), PipeRead::Nothing);
        drop(writer);
        assert_eq!(stream.read(&mut buffer), PipeRead::End);
        assert!(stream.pipe().is_none());
        let captured = stream.finish();
        assert_eq!((captured.bytes.as_slice(), captured.total), (&b"abcd"[..], 6));
    }
}
