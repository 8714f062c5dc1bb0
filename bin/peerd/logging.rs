//! Writes the log to its file, and in the foreground also to standard error.
//!
//! A line looks like `2026-11-22T21:03:35.123Z warn  link: ...`. Control characters are escaped, because much of the
//! text comes from other machines. The daemon survives lines that cannot be written: they are counted, and the next
//! line that can be written reports how many were lost.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flotilla_messages::untrusted_text;
use log::{LevelFilter, Record};

use crate::peerd::config;

/// The crate whose modules are the parts of the daemon.
const ACTORS: &str = "flotilla_actors";
/// The modules within wings that are separate parts; any other module belongs to the part named after its wing.
const PARTS: [&str; 20] = [
    "content::blobs",
    "content::engine",
    "content::inputs",
    "content::workspace",
    "daemon::local",
    "daemon::registry",
    "daemon::status",
    "daemon::work",
    "execution::confine",
    "execution::orphans",
    "execution::pool",
    "execution::process",
    "execution::reaper",
    "net::discovery",
    "net::link",
    "net::membership",
    "run::aggregator",
    "run::proxy",
    "run::scheduler",
    "trust::identity",
];
/// The module of this program.
const PEERD: &str = "flotilla::peerd";
/// The log file's mode: other users may not read fingerprints and addresses.
const MODE: u32 = 0o640;

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be written.
    #[error("cannot write the log {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A logger is installed already.
    #[error("cannot start logging: {0}")]
    Started(#[from] log::SetLoggerError),
}

/// The log lines that standard error gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// The lines of the file, or those of the level in FLOTILLA_LOG.
    All,
    /// Warnings and worse, for `peerd start`, until [`Logs::detach`].
    Warnings,
}

/// The running log.
#[derive(Debug)]
pub struct Logs {
    file: Arc<LogFile>,
    terminal: Arc<AtomicBool>,
}

impl Logs {
    /// Opens the file, makes its directory if that is missing, and starts logging.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn start(path: PathBuf, settings: &config::Log, terminal: Terminal) -> Result<Self, LogError> {
        let file = Arc::new(LogFile::open(path)?);
        let on = Arc::new(AtomicBool::new(true));
        let mut to_file = dispatch(settings);
        let fixed_level = match terminal {
            Terminal::All => level_from_environment(),
            Terminal::Warnings => Some(LevelFilter::Warn),
        };
        let mut to_terminal =
            fixed_level.map_or_else(|| dispatch(settings), |level| fern::Dispatch::new().level(level));
        to_file = to_file.chain({
            let file = Arc::clone(&file);
            fern::Output::call(move |record| file.write(&record.args().to_string()))
        });
        to_terminal = to_terminal.chain({
            let on = Arc::clone(&on);
            fern::Output::call(move |record| {
                if on.load(Ordering::Relaxed) {
                    // An error is ignored: the file has the line.
                    let _ = io::stderr().write_all(record.args().to_string().as_bytes());
                }
            })
        });
        fern::Dispatch::new()
            .format(|out, _, record| out.finish(format_args!("{}", line(record))))
            .chain(to_file)
            .chain(to_terminal)
            .apply()?;
        std::panic::set_hook(Box::new(|panic| log::error!("panic: {panic}")));
        Ok(Self { file, terminal: on })
    }

    /// Opens the file again by its name, after it was renamed. Keeps the old one if that fails.
    pub fn reopen(&self) {
        match self.file.reopen() {
            Ok(()) => log::info!("the log goes on in this file"),
            Err(error) => log::error!("{error}; the log goes on in the old file"),
        }
    }

    /// Stops writing to standard error.
    pub fn detach(&self) {
        self.terminal.store(false, Ordering::Relaxed);
    }
}

/// A file that lines are appended to.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Lines that could not be written since the last one that could.
    lost: u64,
    /// Whether the last line was written only in part.
    torn: bool,
}

impl LogFile {
    fn open(path: PathBuf) -> Result<Self, LogError> {
        let file = append(&path)?;
        Ok(Self { path, state: Mutex::new(State { file, lost: 0, torn: false }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reopen(&self) -> Result<(), LogError> {
        let file = append(&self.path)?;
        let mut state = self.state();
        state.file = file;
        state.torn = false;
        Ok(())
    }

    fn write(&self, line: &str) {
        self.state().write(line);
    }
}

impl State {
    fn write(&mut self, line: &str) {
        let mut text = String::new();
        if self.torn {
            text.push('\n');
        }
        if self.lost > 0 {
            let _ = writeln!(text, "{} error peerd: {} lines before this one are lost", now(), self.lost);
        }
        text.push_str(line);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => break,
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // For example a full disk. There is no other place to report it.
                Err(_) => break,
            }
        }
        if rest.is_empty() {
            (self.lost, self.torn) = (0, false);
        } else {
            self.torn |= rest.len() < text.len();
            self.lost += 1;
        }
    }
}

fn append(path: &Path) -> Result<File, LogError> {
    let opened = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| OpenOptions::new().append(true).create(true).mode(MODE).open(path));
    opened.map_err(|source| LogError::File { path: path.to_owned(), source })
}

/// The level in FLOTILLA_LOG, as for `runner`; warns of an invalid one.
fn level_from_environment() -> Option<LevelFilter> {
    let level = std::env::var("FLOTILLA_LOG").ok()?.parse();
    if level.is_err() {
        notice!("peerd: warning: FLOTILLA_LOG is none of off, error, warn, info, debug, trace");
    }
    level.ok()
}

/// A dispatch that filters by the configured levels.
fn dispatch(settings: &config::Log) -> fern::Dispatch {
    let all = fern::Dispatch::new().level(settings.level.filter());
    // The level of a wing does not apply to the separate parts in it.
    let others = PARTS.iter().filter(|path| !settings.levels.contains_key(last(path)));
    let all = others
        .fold(all, |dispatch, path| dispatch.level_for(format!("{ACTORS}::{path}"), settings.level.filter()));
    settings.levels.iter().fold(all, |dispatch, (name, level)| {
        let level = level.filter();
        let module = match PARTS.iter().find(|path| last(path) == name.as_str()) {
            Some(path) => format!("{ACTORS}::{path}"),
            None if name == last(PEERD) => PEERD.to_owned(),
            None => format!("{ACTORS}::{name}"),
        };
        // A library's target begins with its own name.
        dispatch.level_for(name.clone(), level).level_for(module, level)
    })
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// The name of the part of the daemon, or of the library, that logs with this target.
fn part(target: &str) -> &str {
    let below = |path: &str, module: &str| {
        path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    if below(target, PEERD) {
        return last(PEERD);
    }
    let path = target.strip_prefix(ACTORS).and_then(|rest| rest.strip_prefix("::")).unwrap_or(target);
    match PARTS.iter().find(|part| below(path, part)) {
        Some(part) => last(part),
        None => path.split("::").next().unwrap_or(path),
    }
}

/// The time in UTC, with milliseconds.
fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn line(record: &Record<'_>) -> String {
    let level = record.level().as_str().to_ascii_lowercase();
    let mut line = format!("{} {level:5} {}: ", now(), part(record.target()));
    // A second net: a name of a file in an error may have come from a peer.
    line.push_str(&untrusted_text(record.args().to_string(), usize::MAX));
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(target: &str, text: &str) -> String {
        line(&Record::builder().level(log::Level::Warn).target(target).args(format_args!("{text}")).build())
    }

    #[test]
    fn a_line_has_time_level_and_part_and_is_one_line() {
        let line = line_of("flotilla_actors::net::link::gate", "a\nb\u{1b}[31mc é");
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && time.len() == "2026-11-22T21:03:35.123Z".len(), "{time}");
        assert_eq!(rest, "warn  link: a\\nb\\u{1b}[31mc é\n");
        assert!(line_of("rustls::server", "x").contains(" rustls: x"));
        for (target, part) in [
            ("flotilla::peerd::serve", "peerd"),
            ("flotilla_actors::daemon::start", "daemon"),
            ("flotilla_actors::daemon::work::session", "work"),
            ("flotilla_actors::trust::store", "trust"),
            ("flotilla_actors::trust::identity", "identity"),
        ] {
            assert!(line_of(target, "x").contains(&format!(" {part}: x")), "{target}");
        }
    }

    #[test]
    fn a_full_disk_loses_lines_and_the_log_says_so_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut state = State { file: full, lost: 0, torn: false };
        state.write("one\n");
        state.write("two\n");
        state.file = append(&path).unwrap();
        state.write("three\n");
        state.write("four\n");
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("error peerd: 2 lines before this one are lost"), "{text}");
        assert_eq!(lines[1..], ["three", "four"]);
    }

    #[test]
    fn a_renamed_file_is_left_when_it_is_reopened() {
        let dir = tempfile::tempdir().unwrap();
        let (path, old) = (dir.path().join("log/peerd.log"), dir.path().join("log/peerd.log.1"));
        let file = LogFile::open(path.clone()).unwrap();
        file.write("one\n");
        std::fs::rename(&path, &old).unwrap();
        file.write("two\n");
        file.reopen().unwrap();
        file.write("three\n");
        assert_eq!(std::fs::read_to_string(old).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "three\n");
    }

    proptest::proptest! {
        #[test]
        fn any_message_is_one_line(text in "(?s).*") {
            let line = line_of("flotilla_actors::net::link", &text);
            proptest::prop_assert_eq!(line.lines().count(), 1);
            proptest::prop_assert!(!line.trim_end_matches('\n').contains(char::is_control));
        }
    }
}
