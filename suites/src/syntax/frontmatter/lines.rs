//! The lines that V8's reader of test262's frontmatter takes for YAML.
//!
//! Follows test262-harness-py's `parseTestRecord.py` and `_monkeyYaml.py`, on whose reading V8's expectations rest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::event::{Collection, Event};
use super::{MAX_DEPTH, Wrong};

/// Tells the events of a document with the lines of their keys. Of several values of one key the last counts.
///
/// # Errors
/// A line that is neither `key: value` nor the continuation of one, and what `take` refuses.
pub fn tell(text: &str, take: &mut dyn FnMut(Event<'_>, usize) -> Result<(), Wrong>) -> Result<(), Wrong> {
    // Lines may end in \r alone.
    let text = text.replace("\r\n", "\n");
    let before = text.len() - text.trim_start().len();
    let blank = text[..before].split(['\n', '\r']).count() - 1;
    let lines: Vec<&str> = text.trim().split(['\n', '\r']).collect();
    let entries = LineReader { lines: &lines, next: 0 }.dict("");
    let in_text = |(line, reason): Wrong| (line + blank, reason);
    mapping(&entries.map_err(in_text)?, 1, &mut |event, line| take(event, line + blank))
}

/// Tells the events of a mapping that begins in a line.
fn mapping(
    entries: &BTreeMap<String, Field>,
    line: usize,
    take: &mut dyn FnMut(Event<'_>, usize) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let text = |text: &str| Event::Text { text: Cow::Owned(text.to_owned()), null: false };
    take(Event::Begin(Collection::Mapping), line)?;
    for (key, Field { line, value }) in entries {
        take(text(key), *line)?;
        match value {
            LineValue::Text(value) => {
                take(Event::Text { text: Cow::Borrowed(value), null: value.is_empty() }, *line)?;
            }
            LineValue::List(items) => {
                take(Event::Begin(Collection::Sequence), *line)?;
                items.iter().try_for_each(|item| take(text(item), *line))?;
                take(Event::End, *line)?;
            }
            LineValue::Dict(entries) => mapping(entries, *line, take)?,
        }
    }
    take(Event::End, line)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LineValue {
    Text(String),
    List(Vec<String>),
    Dict(BTreeMap<String, Field>),
}

/// A value with the line of its key, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    line: usize,
    value: LineValue,
}

struct LineReader<'a> {
    lines: &'a [&'a str],
    next: usize,
}

impl<'a> LineReader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.next).copied()
    }

    /// `key: value` lines that all begin with this indentation.
    fn dict(&mut self, indent: &str) -> Result<BTreeMap<String, Field>, Wrong> {
        self.dict_at(indent, 0)
    }

    fn dict_at(&mut self, indent: &str, depth: usize) -> Result<BTreeMap<String, Field>, Wrong> {
        if depth > MAX_DEPTH {
            return Err((self.next, format!("it is nested more than {MAX_DEPTH} deep")));
        }
        let mut entries = BTreeMap::new();
        let mut last: Option<String> = None;
        while let Some(line) = self.peek().filter(|line| line.starts_with(indent)) {
            self.next += 1;
            if is_blank(line) {
                continue;
            }
            if let Some((key, value)) = line.split_once(':') {
                let key = key.trim().to_string();
                let line = self.next;
                let value = self.value(value.trim(), indent, depth)?;
                entries.insert(key.clone(), Field { line, value });
                last = Some(key);
            } else {
                // A line without a colon continues the text of the key before.
                match last.as_ref().and_then(|key| entries.get_mut(key)) {
                    Some(Field { value: LineValue::Text(text), .. }) => {
                        text.push(' ');
                        text.push_str(line.trim());
                    }
                    _ => return Err((self.next, format!("it cannot be understood at '{line}'"))),
                }
            }
        }
        Ok(entries)
    }

    fn value(&mut self, value: &str, indent: &str, depth: usize) -> Result<LineValue, Wrong> {
        if value == ">" || value == "|" {
            return Ok(LineValue::Text(self.block()));
        }
        if let Some(line) = self.peek().filter(|_| value.is_empty()) {
            if list_item(line).is_some() {
                return Ok(LineValue::List(self.list()?));
            }
            let deeper = line.len() - line.trim_start().len();
            if line.starts_with(indent) && deeper > indent.len() {
                return if line.contains(':') {
                    self.dict_at(&line[..deeper], depth + 1).map(LineValue::Dict)
                } else {
                    Ok(LineValue::Text(self.block()))
                };
            }
        }
        Ok(match value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(items) => LineValue::List(items.split(',').map(|item| scalar(item.trim())).collect()),
            None => LineValue::Text(scalar(value)),
        })
    }

    /// `- item` lines, up to one indented less than the first.
    fn list(&mut self) -> Result<Vec<String>, Wrong> {
        let mut items = Vec::new();
        let mut indent = None;
        while let Some(line) = self.peek() {
            let leading = leading_spaces(line);
            if is_blank(line) {
                self.next += 1;
                continue;
            }
            if indent.is_some_and(|indent| leading < indent) {
                break;
            }
            // The list may stand as far left as its key, and then the next key ends it.
            let Some(item) = list_item(line) else {
                if leading == 0 {
                    break;
                }
                return Err((self.next + 1, format!("it cannot be understood at '{line}'")));
            };
            indent.get_or_insert(leading);
            items.push(scalar(item.trim_end()));
            self.next += 1;
        }
        Ok(items)
    }

    /// Lines indented as far as the first; what they say is for people. If the first one is not indented (a blank
    /// one, say), all that follows belongs to the block, keys too: so the reader that V8 uses has it.
    fn block(&mut self) -> String {
        let mut text = String::new();
        let indent = self.peek().map_or(0, leading_spaces);
        while let Some(line) = self.peek() {
            if !is_blank(line) {
                if leading_spaces(line) < indent {
                    break;
                }
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(line.trim());
            }
            self.next += 1;
        }
        text
    }
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

fn leading_spaces(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The text behind `- `.
fn list_item(line: &str) -> Option<&str> {
    line.trim_start_matches(' ').strip_prefix("- ")
}

/// A plain or quoted value.
fn scalar(value: &str) -> String {
    for quote in ['\'', '"'] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner.into();
        }
    }
    value.into()
}
