//! What matters of a frontmatter; whatever else there is is passed over.

use super::event::{Collection, Event};
use super::{Fields, MAX_DEPTH, Negative, Quirks, Wrong};

/// Collects what matters from events.
pub struct Collector {
    quirks: Quirks,
    /// What was met so far.
    pub fields: Fields,
    /// Open collections: the top mapping, and what is within.
    open: Vec<Collection>,
    /// The keys of the open mappings whose values come next; `None` where a key does.
    keys: Vec<Option<String>>,
}

impl Collector {
    /// Nothing was met.
    pub fn new(quirks: Quirks) -> Self {
        Self { quirks, fields: Fields::default(), open: Vec::new(), keys: Vec::new() }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// A key that matters has a value of another kind.
    pub fn event(&mut self, event: Event<'_>, line: usize) -> Result<(), Wrong> {
        match event {
            Event::Text { text, null } => self.scalar(&text, null, line),
            Event::Begin(kind) => self.enter(kind, line),
            Event::End => {
                if self.open.pop() == Some(Collection::Mapping) {
                    self.keys.pop();
                }
                self.value_ends();
                Ok(())
            }
        }
    }

    /// The key at the top whose value we are within or at.
    fn top(&self) -> Option<&str> {
        self.keys.first()?.as_deref()
    }

    fn enter(&mut self, kind: Collection, line: usize) -> Result<(), Wrong> {
        match (self.open.len(), kind) {
            (0, Collection::Sequence) => return Err((line, "it is a list, not keys with values".into())),
            (MAX_DEPTH.., _) => return Err((line, format!("it is nested more than {MAX_DEPTH} deep"))),
            // A key that is itself a collection says nothing that matters.
            (_, _) if self.waits_for_key() => self.set_key(String::new()),
            _ => {}
        }
        match (self.open.len(), self.top(), kind) {
            (1, Some("negative"), Collection::Mapping) => {
                self.fields.negative = Some(Negative { line, ..Negative::default() });
            }
            (1, Some("negative"), Collection::Sequence) => return Err((line, self.no_negative())),
            (1, Some(key), Collection::Mapping) if is_list(key) => {
                return Err((line, format!("'{key}' is no list")));
            }
            (2.., Some(key), _) if is_list(key) => {
                return Err((line, format!("'{key}' has an item that is no text")));
            }
            _ => {}
        }
        self.open.push(kind);
        if kind == Collection::Mapping {
            self.keys.push(None);
        }
        Ok(())
    }

    fn waits_for_key(&self) -> bool {
        self.open.last() == Some(&Collection::Mapping) && self.keys.last() == Some(&None)
    }

    fn set_key(&mut self, key: String) {
        if let Some(last) = self.keys.last_mut() {
            *last = Some(key);
        }
    }

    /// A value of the innermost mapping is complete.
    fn value_ends(&mut self) {
        if self.open.last() == Some(&Collection::Mapping)
            && let Some(last) = self.keys.last_mut()
        {
            *last = None;
        }
    }

    fn scalar(&mut self, text: &str, null: bool, line: usize) -> Result<(), Wrong> {
        if self.open.is_empty() {
            // Nothing at all is no YAML document; a lone text is one, but no frontmatter.
            return if null { Ok(()) } else { Err((line, "it is a text, not keys with values".into())) };
        }
        if self.waits_for_key() {
            self.set_key(text.to_owned());
            return Ok(());
        }
        let taken = self.take(text, null, line);
        self.value_ends();
        taken
    }

    fn take(&mut self, text: &str, null: bool, line: usize) -> Result<(), Wrong> {
        let depth = self.open.len();
        let inner = self.keys.last().cloned().flatten();
        let Some(key) = self.keys.first().and_then(|key| key.as_deref()) else { return Ok(()) };
        let texts = match key {
            "flags" => &mut self.fields.flags,
            "features" => &mut self.fields.features,
            "includes" => &mut self.fields.includes,
            "esid" | "es5id" | "es6id" if depth == 1 && !null => {
                let id = match key {
                    "esid" => &mut self.fields.esid,
                    "es5id" => &mut self.fields.es5id,
                    _ => &mut self.fields.es6id,
                };
                *id = Some(text.to_owned());
                return Ok(());
            }
            "negative" if depth == 1 => {
                let is_type = self.quirks.bare_negative && !null;
                if is_type {
                    let kind = Some(text.to_owned());
                    self.fields.negative = Some(Negative { line, kind, phase: None });
                }
                // Only YAML has a word for nothing.
                let is_nothing = null && !self.quirks.lines;
                return if is_type || is_nothing { Ok(()) } else { Err((line, self.no_negative())) };
            }
            "negative" => {
                if let (Some(negative), 2) = (&mut self.fields.negative, depth) {
                    match inner.as_deref() {
                        Some("phase") => negative.phase = Some(text.to_owned()),
                        Some("type") => negative.kind = Some(text.to_owned()),
                        _ => {}
                    }
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        match (depth, null) {
            (1, true) => {}
            (1, false) => return Err((line, format!("'{key}' is no list"))),
            (_, true) => {}
            (_, false) => texts.push(text.to_owned()),
        }
        Ok(())
    }

    /// Why a `negative` is none.
    fn no_negative(&self) -> String {
        let why = if self.quirks.lines { "has no type" } else { "is no mapping" };
        format!("'negative' {why}")
    }
}

fn is_list(key: &str) -> bool {
    matches!(key, "flags" | "features" | "includes")
}
