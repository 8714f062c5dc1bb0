//! `-v`: each command before it runs, as V8 prints it.

use std::sync::Arc;

use flotilla_actors::Reporter;
use flotilla_messages::{Cases, Event, EventKind};

use crate::report::shared::console::Console;
use crate::report::shared::context::Context;

/// Prints commands.
pub struct Commands {
    console: Console,
    context: Context,
    cases: Arc<dyn Cases>,
}

impl Commands {
    /// Writes to `console`; asks `cases` for what is started.
    pub fn new(console: Console, context: Context, cases: Arc<dyn Cases>) -> Self {
        Self { console, context, cases }
    }
}

impl Reporter for Commands {
    fn event(&mut self, event: &Event) {
        if let EventKind::Started { test, .. } = &event.kind
            && let Ok(case) = self.cases.case(*test)
        {
            let mut line = b"# ".to_vec();
            line.extend(self.context.command(&case));
            line.push(b'\n');
            self.console.write(&line);
        }
    }
}
