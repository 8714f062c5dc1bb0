//! The events of YAML.

use saphyr_parser::{Event as Parsed, Parser, ScalarStyle};

use super::Wrong;
use super::event::{Collection, Event};

/// Tells the events of a document with their lines.
///
/// # Errors
/// What is no YAML, aliases, and what `take` refuses.
pub fn tell(text: &str, take: &mut dyn FnMut(Event<'_>, usize) -> Result<(), Wrong>) -> Result<(), Wrong> {
    // Event by event: the parser's own ways to load a document go down the stack with it.
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| (error.marker().line(), error.info().to_owned()))?;
        let line = span.start.line();
        match event {
            Parsed::DocumentEnd | Parsed::StreamEnd => break,
            Parsed::Scalar(text, style, ..) => {
                // An empty plain value is null.
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                take(Event::Text { text, null }, line)?;
            }
            Parsed::MappingStart(..) => take(Event::Begin(Collection::Mapping), line)?,
            Parsed::SequenceStart(..) => take(Event::Begin(Collection::Sequence), line)?,
            Parsed::MappingEnd | Parsed::SequenceEnd => take(Event::End, line)?,
            Parsed::Alias(_) => return Err((line, "aliases are not read".into())),
            _ => {}
        }
    }
    Ok(())
}
