//! The loop around one process.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use flotilla_messages::{Captured, Exit, Memory, Output};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, getpgid, kill_process, kill_process_group};

use super::capture::{PipeRead, Stream};
use super::launch::{Launch, Launcher, ProcessError};
use super::memory::Meter;
use super::resource_limits::ResourceLimits;
use super::stop_signal::{StopSignal, StopStage};
use super::{EndWatch, watch};

/// The time from SIGTERM to SIGKILL when a process is stopped.
const GRACE: Duration = Duration::from_secs(1);
/// From SIGKILL until a process is left to itself: it sleeps in the kernel, or belongs to another user.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long what the pipes still hold is read after the leader's end; longer only takes a grandchild that goes on writing.
const DRAIN: Duration = Duration::from_millis(200);
/// How long a spawn is tried again while the system is short of processes, memory or descriptors.
const SHORTAGE: Duration = Duration::from_secs(10);
/// What a pipe holds by default: one read empties it.
const BUFFER: usize = 64 << 10;
/// The number of SIGKILL.
const SIGKILL: i32 = 9;

/// The limits of a process.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long it may live.
    pub timeout: Duration,
    /// What its group has from SIGTERM to SIGKILL when it has lived this long; `None`: SIGKILL at once.
    pub grace: Option<Duration>,
    /// How many bytes of each stream are kept.
    pub cap: usize,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The process's output and exit.
    pub output: Output,
    /// Whether it was ended through its [`StopSignal`], so that its output means nothing.
    pub stopped: bool,
}

/// Runs processes, one at a time; keeps between them what can be kept.
pub struct Worker {
    /// Taken while a process runs; a new one is made if that run did not come to its end.
    watch: Option<Box<dyn EndWatch>>,
    ceilings: ResourceLimits,
    /// Whether it notes what processes take of memory.
    measures: bool,
    null: File,
    buffer: Box<[u8]>,
    /// Killed, but not gone when patience was.
    lingering: Vec<Child>,
}

impl Worker {
    /// A worker for this system.
    ///
    /// # Errors
    /// `/dev/null` cannot be opened, or no thread or descriptor is left.
    pub fn new() -> io::Result<Self> {
        Self::with(watch()?)
    }

    pub(super) fn with(watch: Box<dyn EndWatch>) -> io::Result<Self> {
        Ok(Self {
            watch: Some(watch),
            ceilings: ResourceLimits::default(),
            measures: false,
            null: File::open("/dev/null")?,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            lingering: Vec::new(),
        })
    }

    /// The same, with such limits for all that it starts from now on.
    #[must_use]
    pub fn limited(mut self, ceilings: ResourceLimits) -> Self {
        self.ceilings = ceilings;
        self
    }

    /// The same, and it notes what processes take of memory, if `wanted`.
    #[must_use]
    pub fn measuring(mut self, wanted: bool) -> Self {
        self.measures = wanted;
        self
    }

    /// Runs one command to its end.
    ///
    /// # Errors
    /// [`ProcessError`]: it could not be started, or not be followed.
    pub fn run(
        &mut self,
        launcher: &Launcher,
        launch: Launch<'_>,
        limits: Limits,
        switch: &StopSignal,
    ) -> Result<Ended, ProcessError> {
        self.lingering.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let mut command = launcher.command(launch)?;
        let program = Path::new(command.get_program()).to_owned();
        let unusable = |source| ProcessError::Follow { program: program.clone(), source };
        let mut watch = match self.watch.take() {
            Some(watch) => watch,
            None => watch().map_err(unusable)?,
        };
        let result = self.supervise(&mut command, &mut *watch, limits, switch);
        match result {
            Ok(Supervised::Ended(ended)) => {
                self.watch = Some(watch);
                Ok(ended)
            }
            Ok(Supervised::Stopped) => {
                self.watch = Some(watch);
                Ok(never_started())
            }
            Ok(Supervised::LeftAlone(ended, child)) => {
                log::warn!("process {} of {} does not die: left to itself", child.id(), program.display());
                self.lingering.push(child);
                Ok(ended)
            }
            Err(RunFault::Spawn(source)) => {
                self.watch = Some(watch);
                Err(launcher.explain(&program, source))
            }
            Err(RunFault::Follow(source)) => Err(unusable(source)),
        }
    }

    fn supervise(
        &mut self,
        command: &mut Command,
        watch: &mut dyn EndWatch,
        limits: Limits,
        switch: &StopSignal,
    ) -> Result<Supervised, RunFault> {
        let pipes = patiently(switch, || Ok((io::pipe()?, io::pipe()?, self.null.try_clone()?)));
        let Some(((out, out_end), (err, err_end), null)) = pipes.map_err(RunFault::Spawn)? else {
            return Ok(Supervised::Stopped);
        };
        // The command keeps our copies of the write ends open until it is dropped. So the pipes never end while the
        // leader lives, and the one wake-up of a silent process is its exit.
        command.stdin(null).stdout(out_end).stderr(err_end);
        let spawned = patiently(switch, || {
            let begun = (Instant::now(), SystemTime::now());
            command.spawn().map(|child| (child, begun))
        });
        let Some((child, (begun, started))) = spawned.map_err(RunFault::Spawn)? else {
            return Ok(Supervised::Stopped);
        };
        let mut leader = Leader(Some(child));
        self.ceilings.impose(Pid::from_child(leader.child()?));
        watch.arm(leader.child()?).map_err(RunFault::Follow)?;

        let mut meter = Meter::new(Pid::from_child(leader.child()?), begun, self.measures);
        let mut streams = [Stream::new(out, limits.cap), Stream::new(err, limits.cap)];
        let mut phase = Phase::Running { deadline: begun.checked_add(limits.timeout) };
        let mut timed_out = false;
        let mut stopped = false;
        let mut ended = false;
        while !ended {
            let now = Instant::now();
            if matches!(phase, Phase::Killed { until } if now >= until) {
                break;
            }
            if let Some((signal, next)) = phase.overdue(now, limits.grace) {
                if matches!(phase, Phase::Running { .. }) {
                    timed_out = true;
                    meter.look(now, &mut self.buffer);
                }
                leader.signal(signal);
                phase = next;
            }
            let end = watch.descriptor().map_err(RunFault::Follow)?;
            let rest = [phase.rest(now), meter.rest(now)].into_iter().flatten().min();
            let ready = wait(end, switch, &streams, rest).map_err(|errno| RunFault::Follow(errno.into()))?;
            ended = ready.ended;
            if !ended {
                let printed = ready.streams.contains(&true);
                meter.look_if_due(Instant::now(), printed, &mut self.buffer);
            }
            if ready.switch && !ended {
                let stage = switch.stage();
                stopped |= stage > StopStage::Go;
                if let Some((signal, next)) = phase.stopped(Instant::now(), stage) {
                    leader.signal(signal);
                    phase = next;
                }
            }
            for (stream, readable) in streams.iter_mut().zip(ready.streams) {
                if readable {
                    stream.read(&mut self.buffer);
                }
            }
        }
        let duration = begun.elapsed();
        if let (true, true, Phase::Terminating { until }) = (ended, timed_out, phase) {
            // The grace is the group's, not the leader's alone: a wrapper may end before the engine below it has said
            // what it has to say. With our copies of the write ends closed, the pipes end with the last of the group.
            command.stdout(Stdio::null()).stderr(Stdio::null());
            stopped |= read_until(until, switch, &mut streams, &mut self.buffer);
        }
        leader.kill_group();
        let exit = if ended {
            drain(watch.descriptor().map_err(RunFault::Follow)?, switch, &mut streams, &mut self.buffer);
            watch.disarm().map_err(RunFault::Follow)?;
            exit_of(leader.reap().map_err(RunFault::Follow)?)
        } else {
            Exit::Signal(SIGKILL)
        };
        let [stdout, stderr] = streams.map(Stream::finish);
        let output = Output {
            exit,
            timed_out,
            stdout,
            stderr,
            duration,
            memory: meter.seen(),
            started: Some(started),
        };
        let result = Ended { output, stopped };
        Ok(match leader.0.take() {
            Some(child) => Supervised::LeftAlone(result, child),
            None => Supervised::Ended(result),
        })
    }
}

/// The result of supervising a process.
enum Supervised {
    Ended(Ended),
    /// It survived SIGKILL for longer than our patience.
    LeftAlone(Ended, Child),
    /// The switch was turned before it could be started.
    Stopped,
}

/// The step that failed.
enum RunFault {
    Spawn(io::Error),
    Follow(io::Error),
}

/// What the loop waits for besides the end.
#[derive(Clone, Copy)]
enum Phase {
    Running { deadline: Option<Instant> },
    Terminating { until: Instant },
    Killed { until: Instant },
}

impl Phase {
    /// The signal to the group and the next phase, once this phase's time has passed.
    fn overdue(self, now: Instant, grace: Option<Duration>) -> Option<(Signal, Self)> {
        let killed = (Signal::KILL, Self::Killed { until: now + PATIENCE });
        match self {
            Self::Running { deadline: Some(deadline) } if now >= deadline => {
                let until = grace.and_then(|grace| now.checked_add(grace));
                Some(until.map_or(killed, |until| (Signal::TERM, Self::Terminating { until })))
            }
            Self::Terminating { until } if now >= until => Some(killed),
            _ => None,
        }
    }

    /// The signal and the next phase when the run is being stopped.
    fn stopped(self, now: Instant, stage: StopStage) -> Option<(Signal, Self)> {
        match (stage, self) {
            (StopStage::Terminate, Self::Running { .. }) => {
                Some((Signal::TERM, Self::Terminating { until: now + GRACE }))
            }
            (StopStage::Kill, Self::Running { .. } | Self::Terminating { .. }) => {
                Some((Signal::KILL, Self::Killed { until: now + PATIENCE }))
            }
            _ => None,
        }
    }

    fn rest(self, now: Instant) -> Option<Duration> {
        let until = match self {
            Self::Running { deadline } => deadline?,
            Self::Terminating { until } | Self::Killed { until } => until,
        };
        Some(until.saturating_duration_since(now))
    }
}

/// A child that has not been reaped. Whatever goes wrong, its group is killed and it is reaped.
struct Leader(Option<Child>);

impl Leader {
    fn child(&self) -> Result<&Child, RunFault> {
        self.0.as_ref().ok_or_else(|| RunFault::Follow(io::Error::other("the process was reaped already")))
    }

    fn pid(&self) -> Option<Pid> {
        self.0.as_ref().map(Pid::from_child)
    }

    /// To the group, and to the leader if it has joined another group. Never twice: a handler would run twice.
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            let _ = kill_process_group(pid, signal);
            if getpgid(Some(pid)) != Ok(pid) {
                let _ = kill_process(pid, signal);
            }
        }
    }

    /// Ends whatever is left of the group. Errors mean that nothing is, or that it is out of our reach.
    fn kill_group(&self) {
        if let Some(pid) = self.pid() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        match &mut self.0 {
            Some(child) => {
                let status = child.wait();
                self.0 = None;
                status
            }
            None => Err(io::Error::other("the process was reaped already")),
        }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        if self.0.is_some() {
            let _ = self.reap();
        }
    }
}

/// What a process that was stopped before it began has done.
fn never_started() -> Ended {
    let output = Output {
        exit: Exit::Signal(SIGKILL),
        timed_out: false,
        stdout: Captured::default(),
        stderr: Captured::default(),
        duration: Duration::ZERO,
        memory: Memory::default(),
        started: None,
    };
    Ended { output, stopped: true }
}

/// Tries again while the system is short of something that ending processes give back (a test may have taken it
/// all), or while somebody still has the program open for writing. `None` if the switch was turned meanwhile.
pub(super) fn patiently<T>(
    switch: &StopSignal,
    mut attempt: impl FnMut() -> io::Result<T>,
) -> io::Result<Option<T>> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        let error = match attempt() {
            Ok(done) => return Ok(Some(done)),
            Err(error) => error,
        };
        let passing = matches!(
            Errno::from_io_error(&error),
            Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE | Errno::TXTBSY | Errno::INTR)
        );
        if !passing || begun.elapsed() >= SHORTAGE {
            return Err(error);
        }
        let mut switched = [PollFd::from_borrowed_fd(switch.descriptor(), PollFlags::IN)];
        if poll(&mut switched, Some(&timespec(pause))).is_ok_and(|ready| ready > 0) {
            return Ok(None);
        }
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// What poll found.
struct Ready {
    ended: bool,
    switch: bool,
    streams: [bool; 2],
}

/// One poll; a signal that interrupts it counts as nothing found.
fn wait(
    end: BorrowedFd<'_>,
    switch: &StopSignal,
    streams: &[Stream; 2],
    timeout: Option<Duration>,
) -> Result<Ready, Errno> {
    let awaited = |descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN);
    // In the place of a stream that has ended, the process's end is looked at twice.
    let [out, err] = [&streams[0], &streams[1]].map(|stream| stream.pipe().map(AsFd::as_fd));
    let mut list = [
        awaited(end),
        awaited(switch.descriptor()),
        awaited(out.unwrap_or(end)),
        awaited(err.unwrap_or(end)),
    ];
    match poll(&mut list, timeout.map(timespec).as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => return Ok(Ready { ended: false, switch: false, streams: [false; 2] }),
        Err(errno) => return Err(errno),
    }
    let [ended, switch, out_ready, err_ready] = list.map(|item| !item.revents().is_empty());
    Ok(Ready { ended, switch, streams: [out_ready && out.is_some(), err_ready && err.is_some()] })
}

/// Reads until both pipes end or the time has come. Returns whether the run was stopped meanwhile; it ends at once if it
/// is to be killed.
fn read_until(until: Instant, switch: &StopSignal, streams: &mut [Stream; 2], buffer: &mut [u8]) -> bool {
    let mut stopped = false;
    while streams.iter().any(|stream| stream.pipe().is_some()) {
        let rest = until.saturating_duration_since(Instant::now());
        // In the place of a stream that has ended, the switch is looked at twice.
        let Ok(ready) = wait(switch.descriptor(), switch, streams, Some(rest)) else { break };
        if ready.switch {
            let stage = switch.stage();
            stopped |= stage > StopStage::Go;
            if stage == StopStage::Kill {
                break;
            }
        }
        for (stream, readable) in streams.iter_mut().zip(ready.streams) {
            if readable {
                stream.read(buffer);
            }
        }
        if rest.is_zero() {
            break;
        }
    }
    stopped
}

/// Reads what is in the pipes, and does not wait for more.
fn drain(end: BorrowedFd<'_>, switch: &StopSignal, streams: &mut [Stream; 2], buffer: &mut [u8]) {
    let until = Instant::now() + DRAIN;
    let Ok(ready) = wait(end, switch, streams, Some(Duration::ZERO)) else { return };
    for (stream, readable) in streams.iter_mut().zip(ready.streams) {
        let mut more = readable;
        while more {
            more = stream.read(buffer) == PipeRead::Some && Instant::now() < until;
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    // A duration too long for the type is a duration without end.
    Timespec::try_from(duration).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or(SIGKILL)),
    }
}
