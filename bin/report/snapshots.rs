//! What each reporter shows of the [`recorded`] run, whole.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flotilla_actors::Reporter;
use flotilla_messages::{CaseId, Cases, Entry, StopReason, TestCase, Unrunnable};
use indicatif::{ProgressDrawTarget, TermLike};
use insta::assert_snapshot;

use super::recorded::{self, play};
use super::*;

/// A writer whose text can be read afterwards, and a terminal of 100 columns that has the lines drawn on it one below the
/// other.
#[derive(Clone, Debug, Default)]
struct Screen {
    text: Arc<Mutex<Vec<u8>>>,
    /// What is drawn and not flushed.
    frame: Arc<Mutex<String>>,
    /// The last frame.
    last: Arc<Mutex<String>>,
}

impl Screen {
    fn text(&self) -> String {
        let text = String::from_utf8(self.text.lock().unwrap().clone()).unwrap();
        text.replace('\x1b', "<ESC>").replace('\r', "<CR>")
    }

    fn console(&self, color: bool) -> Console {
        Console::over(self.clone(), color)
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        100
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.frame.lock().unwrap().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    /// A frame that differs from the one before is written down.
    fn flush(&self) -> io::Result<()> {
        let frame = std::mem::take(&mut *self.frame.lock().unwrap());
        let mut last = self.last.lock().unwrap();
        if !frame.trim().is_empty() && frame != *last {
            writeln!(self.text.lock().unwrap(), "drawn: {}", frame.trim_end())?;
            *last = frame;
        }
        Ok(())
    }
}

fn context() -> Context {
    Context::for_tests()
}

/// What a reporter prints of the run.
fn shown<R: Reporter>(reporter: impl FnOnce(Console) -> R, stop: StopReason) -> String {
    let screen = Screen::default();
    play(&mut reporter(screen.console(false)), stop);
    screen.text()
}

/// What a reporter writes to the file at this path.
fn written<R: Reporter>(name: &str, reporter: impl FnOnce(&Path) -> R) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    play(&mut reporter(&path), StopReason::Interrupted);
    std::fs::read_to_string(path).unwrap()
}

fn file(path: &Path) -> ReportFile {
    ReportFile::check(path).unwrap()
}

/// Knows no test but those of the run.
struct Known;

impl Cases for Known {
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        Box::new(std::iter::empty())
    }

    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        Ok(recorded::case(&format!("number-{}", id.0)))
    }
}

#[test]
fn header() {
    assert_snapshot!(shown(Header::new, StopReason::Interrupted));
}

#[test]
fn plain() {
    assert_snapshot!(shown(|console| Plain::new(console, context()), StopReason::Interrupted));
}

#[test]
fn plain_at_the_failure_limit() {
    let text = shown(|console| Plain::new(console, context()), StopReason::TooManyFailures);
    // All else is as above.
    let tail: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("Too many failures")).collect();
    assert_snapshot!(tail.join("\n"));
}

#[test]
fn bar() {
    let screen = Screen::default();
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    let left = |_: &_| Duration::from_secs(3);
    play(&mut Bar::on(target, left, screen.console(false), context()), StopReason::Interrupted);
    assert_snapshot!(screen.text());
}

#[test]
fn verbose() {
    assert_snapshot!(shown(|console| Verbose::new(console, context(), false), StopReason::Interrupted));
}

#[test]
fn ci() {
    assert_snapshot!(shown(|console| Verbose::new(console, context(), true), StopReason::Interrupted));
}

#[test]
fn mono() {
    assert_snapshot!(shown(|console| Compact::new(console, context()), StopReason::Interrupted));
}

#[test]
fn color() {
    let screen = Screen::default();
    play(&mut Compact::new(screen.console(true), context()), StopReason::Interrupted);
    assert_snapshot!(screen.text());
}

#[test]
fn dots() {
    assert_snapshot!(shown(|console| Dots::new(console, context()), StopReason::Interrupted));
}

#[test]
fn stream() {
    assert_snapshot!(shown(Stream::new, StopReason::Interrupted));
}

#[test]
fn commands() {
    assert_snapshot!(shown(
        |console| Commands::new(console, context(), Arc::new(Known)),
        StopReason::Interrupted
    ));
}

#[test]
fn explain() {
    assert_snapshot!(shown(|console| Explain::new(console, Arc::new(Known)), StopReason::Interrupted));
}

#[test]
fn slowest() {
    assert_snapshot!(shown(|console| Times::new(console, context(), 3), StopReason::Interrupted));
}

#[test]
fn junit() {
    assert_snapshot!(written("r.xml", |path| Junit::new(file(path), "v8tests", context())));
}

#[test]
fn json() {
    let text = written("r.json", |path| Json::new(file(path), context(), 2));
    // One key a line; the order of keys is that of the file.
    assert_snapshot!(text.replace(",\"", ",\n\"").replace("},{", "},\n{"));
}

#[test]
fn flakiness() {
    let text = written("r.json", |path| Flakiness::new(file(path)));
    assert_snapshot!(text.replace(",\"", ",\n\""));
}

#[test]
fn expectations() {
    assert_snapshot!(written("r.txt", |path| Expectations::new(file(path))));
}

#[test]
fn completion() {
    assert_snapshot!(written("r.txt", |path| Completion::open(path).unwrap()));
}

#[test]
fn schedule() {
    assert_snapshot!(written("r.log", |path| Schedule::create(path).unwrap()));
}
