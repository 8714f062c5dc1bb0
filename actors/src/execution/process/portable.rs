//! The leader's end by a thread that waits, for systems without pidfds. One thread a worker, not one a process.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Child;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::EndWatch;

/// Watches one child at a time: the thread waits for it without reaping it, then writes a byte into a pipe.
pub(super) struct WaitThread {
    children: Sender<Pid>,
    ended: PipeReader,
}

impl WaitThread {
    /// Starts the thread; it ends when the watch is dropped and its last child has ended.
    pub(super) fn start() -> io::Result<Self> {
        let (ended, told) = io::pipe()?;
        let (children, awaited) = mpsc::channel();
        thread::Builder::new().name("wait".into()).spawn(move || wait_for(&awaited, told))?;
        Ok(Self { children, ended })
    }
}

/// The thread's life. A child that cannot be waited for counts as ended: its reaper learns what is the matter.
fn wait_for(awaited: &Receiver<Pid>, mut told: PipeWriter) {
    while let Ok(child) = awaited.recv() {
        let until_ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(child), until_ended), Err(Errno::INTR)) {}
        if told.write_all(&[0]).is_err() {
            return;
        }
    }
}

impl EndWatch for WaitThread {
    fn arm(&mut self, child: &Child) -> io::Result<()> {
        self.children
            .send(Pid::from_child(child))
            .map_err(|_| io::Error::other("the thread that waits for processes is gone"))
    }

    fn descriptor(&self) -> io::Result<BorrowedFd<'_>> {
        Ok(self.ended.as_fd())
    }

    fn disarm(&mut self) -> io::Result<()> {
        self.ended.read_exact(&mut [0])
    }
}
