//! A test's frontmatter: YAML between `/*---` and `---*/`.

use flotilla_messages::{Negative, Phase};
use memchr::{memchr_iter, memmem};
use saphyr_parser::{Event, Parser};

/// How deep values may nest. test262's own nest once.
const MAX_DEPTH: usize = 16;

/// What a test says of itself, as far as running and sorting it is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontmatter {
    /// `flags`, such as `onlyStrict`, `module`.
    pub flags: Vec<String>,
    /// `features`
    pub features: Vec<String>,
    /// `includes`
    pub includes: Vec<String>,
    /// `negative`
    pub negative: Option<Negative>,
    /// `esid`: the place in the specification.
    pub esid: Option<String>,
    /// `es5id`: the same in its fifth edition.
    pub es5id: Option<String>,
    /// `es6id`: in its sixth.
    pub es6id: Option<String>,
}

/// Why a frontmatter makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the frontmatter: {reason}")]
pub struct FrontmatterError {
    /// The line of the test's file, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl Frontmatter {
    /// Reads the frontmatter of a test's source. A source without any says nothing.
    ///
    /// # Errors
    /// [`FrontmatterError`]: it has no end, is no YAML, or a key that matters has a value of another kind.
    pub fn read(source: &[u8]) -> Result<Self, FrontmatterError> {
        const OPEN: &[u8] = b"/*---";
        let Some(open) = memmem::find(source, OPEN) else { return Ok(Self::default()) };
        let first_line = 1 + memchr_iter(b'\n', &source[..open]).count();
        let rest = &source[open + OPEN.len()..];
        let Some(end) = memmem::find(rest, b"---*/") else {
            return Err(FrontmatterError { line: first_line, reason: "it has no end (---*/)".into() });
        };
        let text = String::from_utf8_lossy(&rest[..end]);
        let at = |line: usize, reason: String| FrontmatterError {
            line: first_line + line.saturating_sub(1),
            reason,
        };
        let mut reader = Reader::default();
        // Event by event: the parser's own ways to load a document go down the stack with it.
        for event in Parser::new_from_str(&text) {
            let (event, span) = event.map_err(|error| at(error.marker().line(), error.info().to_owned()))?;
            if matches!(event, Event::DocumentEnd | Event::StreamEnd) {
                break;
            }
            reader.event(event, span.start.line()).map_err(|(line, reason)| at(line, reason))?;
        }
        reader.finish().map_err(|(line, reason)| at(line, reason))
    }

    /// Whether a flag is set.
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    /// Whether a feature is named.
    pub fn has_feature(&self, feature: &str) -> bool {
        self.features.iter().any(|own| own == feature)
    }
}

/// What is wrong, and in which line of the YAML.
type Wrong = (usize, String);

/// Collects what matters from the parser's events; whatever else there is is passed over.
#[derive(Default)]
struct Reader {
    matter: Frontmatter,
    /// `negative.phase` and `negative.type`, with the line of `negative`.
    negative: Option<(usize, Option<String>, Option<String>)>,
    /// Open collections: the top mapping, and what is within.
    open: Vec<Open>,
    /// The keys of the open mappings whose values come next; `None` where a key does.
    keys: Vec<Option<String>>,
}

/// An open collection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Mapping,
    Sequence,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, line: usize) -> Result<(), Wrong> {
        match event {
            Event::Scalar(text, style, ..) => {
                // An empty plain value is null.
                let null = style == saphyr_parser::ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                self.scalar(&text, null, line)
            }
            Event::MappingStart(..) => self.enter(Open::Mapping, line),
            Event::SequenceStart(..) => self.enter(Open::Sequence, line),
            Event::MappingEnd | Event::SequenceEnd => {
                if self.open.pop() == Some(Open::Mapping) {
                    self.keys.pop();
                }
                self.value_ends();
                Ok(())
            }
            Event::Alias(_) => Err((line, "aliases are not read".into())),
            _ => Ok(()),
        }
    }

    /// The key at the top whose value we are within or at.
    fn top(&self) -> Option<&str> {
        self.keys.first()?.as_deref()
    }

    fn enter(&mut self, kind: Open, line: usize) -> Result<(), Wrong> {
        match (self.open.len(), kind) {
            (0, Open::Sequence) => return Err((line, "it is a list, not keys with values".into())),
            (MAX_DEPTH.., _) => return Err((line, format!("it is nested more than {MAX_DEPTH} deep"))),
            // A key that is itself a collection says nothing that matters.
            (_, _) if self.waits_for_key() => self.set_key(String::new()),
            _ => {}
        }
        match (self.open.len(), self.top(), kind) {
            (1, Some("negative"), Open::Mapping) => self.negative = Some((line, None, None)),
            (1, Some("negative"), Open::Sequence) => return Err((line, "'negative' is no mapping".into())),
            (1, Some(key), Open::Mapping) if is_list(key) => {
                return Err((line, format!("'{key}' is no list")));
            }
            (2.., Some(key), _) if is_list(key) => {
                return Err((line, format!("'{key}' has an item that is no text")));
            }
            _ => {}
        }
        self.open.push(kind);
        if kind == Open::Mapping {
            self.keys.push(None);
        }
        Ok(())
    }

    fn waits_for_key(&self) -> bool {
        self.open.last() == Some(&Open::Mapping) && self.keys.last() == Some(&None)
    }

    fn set_key(&mut self, key: String) {
        if let Some(last) = self.keys.last_mut() {
            *last = Some(key);
        }
    }

    /// A value of the innermost mapping is complete.
    fn value_ends(&mut self) {
        if self.open.last() == Some(&Open::Mapping)
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
            "flags" => &mut self.matter.flags,
            "features" => &mut self.matter.features,
            "includes" => &mut self.matter.includes,
            "esid" | "es5id" | "es6id" if depth == 1 && !null => {
                let id = match key {
                    "esid" => &mut self.matter.esid,
                    "es5id" => &mut self.matter.es5id,
                    _ => &mut self.matter.es6id,
                };
                *id = Some(text.to_owned());
                return Ok(());
            }
            "negative" if depth == 1 && null => return Ok(()),
            "negative" if depth == 1 => return Err((line, "'negative' is no mapping".into())),
            "negative" => {
                if let (Some((_, phase, kind)), 2) = (&mut self.negative, depth) {
                    match inner.as_deref() {
                        Some("phase") => *phase = Some(text.to_owned()),
                        Some("type") => *kind = Some(text.to_owned()),
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

    fn finish(self) -> Result<Frontmatter, Wrong> {
        let mut matter = self.matter;
        if let Some((line, phase, kind)) = self.negative {
            let lacks = |key: &str| (line, format!("'negative' lacks the key '{key}'"));
            let phase = phase.ok_or_else(|| lacks("phase"))?;
            let kind = kind.ok_or_else(|| lacks("type"))?;
            let phase = Phase::named(&phase)
                .ok_or_else(|| (line, format!("there is no phase '{phase}' (parse, resolution, runtime)")))?;
            matter.negative = Some(Negative { phase, kind });
        }
        Ok(matter)
    }
}

fn is_list(key: &str) -> bool {
    matches!(key, "flags" | "features" | "includes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(yaml: &str) -> Frontmatter {
        Frontmatter::read(format!("// Copyright\n/*---\n{yaml}\n---*/\ncode();").as_bytes()).unwrap()
    }

    fn refused(yaml: &str) -> (usize, String) {
        let error =
            Frontmatter::read(format!("// Copyright\n/*---\n{yaml}\n---*/\n").as_bytes()).unwrap_err();
        (error.line, error.reason)
    }

    #[test]
    fn lists_of_either_kind_and_texts_are_read() {
        let found = read(
            "esid: sec-x\nes5id: 15.4_A1\ndescription: >\n    A text: with a colon\n\n    and more\ninfo: |\n  flags: [no]\n  \
             - x\nincludes: [a.js, 'b.js',\n  c.js]\nflags: [onlyStrict,module]\nfeatures:\n  - Symbol.iterator # why\n  - class\n\
             negative:\n  phase: parse\n  type: SyntaxError\nlocale: [en]\nauthor: me",
        );
        assert_eq!(found.includes, ["a.js", "b.js", "c.js"]);
        assert_eq!(found.flags, ["onlyStrict", "module"]);
        assert_eq!(found.features, ["Symbol.iterator", "class"]);
        assert_eq!(found.negative, Some(Negative { phase: Phase::Parse, kind: "SyntaxError".into() }));
        assert_eq!((found.esid.as_deref(), found.es5id.as_deref()), (Some("sec-x"), Some("15.4_A1")));
    }

    /// V8's reader takes all that follows a block that begins with a blank line for part of it.
    #[test]
    fn a_block_ends_where_yaml_says() {
        assert!(read("info: |\n\n  text\nflags: [raw]").has_flag("raw"));
        assert!(read("features:\n- a\nflags: [raw]").has_flag("raw"));
        assert!(read("info: >\n  flags: [raw]").flags.is_empty());
    }

    #[test]
    fn nothing_is_no_error() {
        assert_eq!(Frontmatter::read(b"code();").unwrap(), Frontmatter::default());
        assert_eq!(read(""), Frontmatter::default());
        assert_eq!(read("flags:\nfeatures: []\nnegative:"), Frontmatter::default());
        assert_eq!(read("flags: [generated, ]").flags, ["generated"]);
    }

    #[test]
    fn lines_may_end_in_any_way() {
        let yaml =
            "/*---\ninfo: |\n  text\nflags: [raw]\nnegative:\n  type: Test262Error\n  phase: runtime\n---*/";
        for end in ["\n", "\r\n", "\r"] {
            let found = Frontmatter::read(yaml.replace('\n', end).as_bytes()).unwrap();
            assert!(found.has_flag("raw") && found.negative.is_some(), "{end:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        assert_eq!(refused("flags: raw"), (3, "'flags' is no list".into()));
        assert_eq!(refused("esid: x\nfeatures: {a: b}"), (4, "'features' is no list".into()));
        assert_eq!(refused("flags: [[raw]]"), (3, "'flags' has an item that is no text".into()));
        assert_eq!(refused("negative: SyntaxError"), (3, "'negative' is no mapping".into()));
        assert_eq!(refused("negative:\n  type: X").1, "'negative' lacks the key 'phase'");
        assert!(refused("negative:\n  phase: late\n  type: X").1.starts_with("there is no phase 'late'"));
        assert_eq!(refused("just text").1, "it is a text, not keys with values");
        assert_eq!(refused("- a").1, "it is a list, not keys with values");
        assert_eq!(refused("esid: x\nflags: [a\nfeatures: [b]").0, 5);
        assert!(refused(&format!("info: {}", "[".repeat(50))).1.contains("nested more than"));
        let endless = Frontmatter::read(b"\n/*---\nflags: [x]").unwrap_err();
        assert_eq!((endless.line, endless.reason.as_str()), (2, "it has no end (---*/)"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(yaml in "[a-z:\\[\\]{},&*>|?!%@#\t \n'\"-]{0,120}") {
            let _ = Frontmatter::read(format!("/*---{yaml}---*/").as_bytes());
        }

        #[test]
        fn any_bytes_are_read_or_refused(source in any::<Vec<u8>>()) {
            let _ = Frontmatter::read(&source);
        }

        /// Whatever surrounds them, lists of plain words are read as they are written.
        #[test]
        fn words_come_back(flags in prop::collection::vec("[a-zA-Z][a-zA-Z0-9.-]{1,12}", 0..5), flow in any::<bool>()) {
            prop_assume!(!flags.iter().any(|flag| flag == "null"));
            let list = if flow {
                format!("[{}]", flags.join(", "))
            } else {
                flags.iter().map(|flag| format!("\n  - {flag}")).collect()
            };
            let found = read(&format!("description: x\nflags: {list}\nesid: y"));
            prop_assert_eq!(found.flags, flags);
            prop_assert_eq!(found.esid.as_deref(), Some("y"));
        }
    }
}
