//! Reports an uncaught exception on stdout, as d8 does.
//!
//! ```text
//! a.js:3: TypeError: not a function
//!   missing();
//!   ^
//! TypeError: not a function
//!     at f (a.js:3:3)
//!     at a.js:5:1
//!
//! ```

use std::path::Path;

use rquickjs::{Coerced, Ctx, Value};

use super::host::{self, Host};
use super::test262;

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Position {
    file: String,
    line: usize,
    column: usize,
}

/// Prints the report of an uncaught exception. `running` names the source that ran, for exceptions without a position.
pub(super) fn uncaught<'js>(ctx: &Ctx<'js>, host: &Host, exception: &Value<'js>, running: &str) {
    if host.options.test262 {
        test262::print_uncaught(ctx, &host.output, host.phase.get(), exception);
    }
    let text = host::display(ctx, exception).unwrap_or_else(|_| {
        ctx.catch();
        "<the exception cannot be converted to a string>".into()
    });
    let own = stack(ctx, exception);
    let noted = host.last_thrown.frames_of(ctx, exception);
    let position = own.as_deref().and_then(first_position).or(noted.as_deref().and_then(first_position));
    // As in d8, a primitive has no stack.
    let stack = own.or(noted.filter(|_| exception.is_object()));
    let source = position.as_ref().and_then(|position| source_line(host, position));
    host.output.write(&rendered(&text, position.as_ref(), running, source.as_deref(), stack.as_deref()));
    host.output.flush();
}

/// The exception's own `stack`, if it is a string.
fn stack<'js>(ctx: &Ctx<'js>, exception: &Value<'js>) -> Option<String> {
    let stack = exception.as_object()?.get::<_, Value<'js>>("stack");
    let stack = stack.unwrap_or_else(|_| ctx.catch());
    stack.is_string().then(|| stack.get::<Coerced<String>>().ok()).flatten().map(|stack| stack.0)
}

fn rendered(
    text: &str,
    position: Option<&Position>,
    running: &str,
    source: Option<&str>,
    stack: Option<&str>,
) -> String {
    let mut report = match position {
        Some(Position { file, line, .. }) => format!("{file}:{line}: {text}\n"),
        None => format!("{running}:1: {text}\n"),
    };
    if let (Some(source), Some(position)) = (source, position) {
        // Tabs stay tabs, so that the caret is below its column whatever the width of a tab.
        let before = source.chars().take(position.column.saturating_sub(1));
        let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        report.push_str(&format!("{source}\n{indent}^\n"));
    }
    if let Some(stack) = stack.map(str::trim_end).filter(|stack| !stack.is_empty()) {
        report.push_str(stack);
        report.push('\n');
    }
    report.push('\n');
    report
}

/// The source line at this position, if the source can be read.
fn source_line(host: &Host, position: &Position) -> Option<String> {
    let source = match position.file.as_str() {
        host::UNNAMED => host.code.borrow().clone(),
        file => host::read_source(Path::new(file)).ok()?,
    };
    source.lines().nth(position.line.checked_sub(1)?).map(str::to_owned)
}

/// The position of the topmost frame that has one.
fn first_position(stack: &str) -> Option<Position> {
    stack.lines().filter_map(|line| line.strip_prefix("    at ")).find_map(frame_position)
}

/// Parses the position in `f (file:line:column)` or `file:line:column`.
fn frame_position(frame: &str) -> Option<Position> {
    let place = match frame.strip_suffix(')') {
        Some(inner) => inner.split_once(" (")?.1,
        None => frame,
    };
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some(Position { file: file.to_owned(), line: line.parse().ok()?, column: column.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(file: &str, line: usize, column: usize) -> Position {
        Position { file: file.into(), line, column }
    }

    #[test]
    fn the_topmost_frame_with_a_place_counts() {
        let stack = "TypeError: x\n    at map (native)\n    at f (/a b/c.js:3:12)\n    at /d.js:1:2";
        assert_eq!(first_position(stack), Some(position("/a b/c.js", 3, 12)));
        assert_eq!(first_position("    at /d:e.js:1:2"), Some(position("/d:e.js", 1, 2)));
        assert_eq!(first_position("Error: at x (y.js:1:2)"), None);
        assert_eq!(first_position("    at f (native)"), None);
    }

    #[test]
    fn a_report_shows_place_source_caret_and_stack() {
        let report = rendered(
            "Error: no",
            Some(&position("a.js", 2, 3)),
            "b.js",
            Some("\t\tthrow x"),
            Some("Error: no\n    at a.js:2:3\n"),
        );
        assert_eq!(report, "a.js:2: Error: no\n\t\tthrow x\n\t\t^\nError: no\n    at a.js:2:3\n\n");
    }

    #[test]
    fn without_a_place_the_running_source_is_named() {
        assert_eq!(rendered("3", None, "b.js", None, None), "b.js:1: 3\n\n");
    }
}
