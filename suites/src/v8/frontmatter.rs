//! test262's frontmatter: the part of YAML that its tests use.
//!
//! Follows test262-harness-py's `parseTestRecord.py` and `_monkeyYaml.py`, on whose reading V8's expectations rest.

use std::collections::BTreeMap;

use memchr::memmem;

/// What a test's frontmatter says, as far as running it is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct V8Frontmatter {
    /// `flags`, such as `onlyStrict`, `module`.
    pub flags: Vec<String>,
    /// `features`
    pub features: Vec<String>,
    /// `includes`
    pub includes: Vec<String>,
    /// Whether there is a `negative` at all.
    pub negative: bool,
    /// `negative.type`
    pub negative_type: Option<String>,
}

impl V8Frontmatter {
    /// Reads the frontmatter of a test's source. A source without any says nothing.
    ///
    /// # Errors
    /// A line that is neither `key: value` nor the continuation of one.
    pub fn read(source: &[u8]) -> Result<Self, String> {
        Self::read_as(source, false)
    }

    /// The same for the test262 of classic trees, whose `negative` was the error's type alone until late 2016.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_classic(source: &[u8]) -> Result<Self, String> {
        Self::read_as(source, true)
    }

    fn read_as(source: &[u8], bare_negative: bool) -> Result<Self, String> {
        let Some(text) = block(source) else { return Ok(Self::default()) };
        let text = String::from_utf8_lossy(text);
        // Lines may end in \r alone.
        let text = text.replace("\r\n", "\n");
        let lines: Vec<&str> = text.trim().split(['\n', '\r']).collect();
        let mut reader = Reader { lines: &lines, next: 0 };
        let entries = reader.dict("")?;
        let list = |key: &str| match entries.get(key) {
            Some(Value::List(items)) => Ok(items.clone()),
            Some(Value::Text(text)) if text.is_empty() => Ok(Vec::new()),
            None => Ok(Vec::new()),
            Some(_) => Err(format!("its frontmatter's '{key}' is no list")),
        };
        Ok(Self {
            flags: list("flags")?,
            features: list("features")?,
            includes: list("includes")?,
            negative: entries.contains_key("negative"),
            negative_type: match entries.get("negative") {
                None => None,
                Some(Value::Dict(negative)) => match negative.get("type") {
                    Some(Value::Text(text)) => Some(text.clone()),
                    _ => None,
                },
                Some(Value::Text(text)) if bare_negative && !text.is_empty() => Some(text.clone()),
                Some(_) => return Err("its frontmatter's 'negative' has no type".into()),
            },
        })
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

/// The text between the first `/*---` and the last `---*/` behind it.
fn block(source: &[u8]) -> Option<&[u8]> {
    const OPEN: &[u8] = b"/*---";
    let start = memmem::find(source, OPEN)? + OPEN.len();
    let end = memmem::rfind(&source[start..], b"---*/")?;
    Some(&source[start..start + end])
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    List(Vec<String>),
    Dict(BTreeMap<String, Value>),
}

struct Reader<'a> {
    lines: &'a [&'a str],
    next: usize,
}

/// How deep dictionaries may nest. test262's own nest once.
const MAX_DEPTH: usize = 16;

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.next).copied()
    }

    /// `key: value` lines that all begin with this indentation.
    fn dict(&mut self, indent: &str) -> Result<BTreeMap<String, Value>, String> {
        self.dict_at(indent, 0)
    }

    fn dict_at(&mut self, indent: &str, depth: usize) -> Result<BTreeMap<String, Value>, String> {
        if depth > MAX_DEPTH {
            return Err(format!("its frontmatter is nested more than {MAX_DEPTH} deep"));
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
                let value = self.value(value.trim(), indent, depth)?;
                entries.insert(key.clone(), value);
                last = Some(key);
            } else {
                // A line without a colon continues the text of the key before.
                match last.as_ref().and_then(|key| entries.get_mut(key)) {
                    Some(Value::Text(text)) => {
                        text.push(' ');
                        text.push_str(line.trim());
                    }
                    _ => return Err(format!("its frontmatter cannot be understood at '{line}'")),
                }
            }
        }
        Ok(entries)
    }

    fn value(&mut self, value: &str, indent: &str, depth: usize) -> Result<Value, String> {
        if value == ">" || value == "|" {
            return Ok(Value::Text(self.block()));
        }
        if let Some(line) = self.peek().filter(|_| value.is_empty()) {
            if list_item(line).is_some() {
                return Ok(Value::List(self.list()?));
            }
            let deeper = line.len() - line.trim_start().len();
            if line.starts_with(indent) && deeper > indent.len() {
                return if line.contains(':') {
                    self.dict_at(&line[..deeper], depth + 1).map(Value::Dict)
                } else {
                    Ok(Value::Text(self.block()))
                };
            }
        }
        Ok(match value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(items) => Value::List(items.split(',').map(|item| scalar(item.trim())).collect()),
            None => Value::Text(scalar(value)),
        })
    }

    /// `- item` lines, up to one indented less than the first.
    fn list(&mut self) -> Result<Vec<String>, String> {
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
                return Err(format!("its frontmatter cannot be understood at '{line}'"));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(yaml: &str) -> V8Frontmatter {
        V8Frontmatter::read(format!("// Copyright\n/*---\n{yaml}\n---*/\ncode();").as_bytes()).unwrap()
    }

    #[test]
    fn the_type_alone_is_how_2016_said_negative() {
        let found = V8Frontmatter::read_classic(b"/*---\nnegative: SyntaxError\n---*/\n").unwrap();
        assert_eq!((found.negative, found.negative_type.as_deref()), (true, Some("SyntaxError")));
        assert!(V8Frontmatter::read_classic(b"/*---\nnegative: [a]\n---*/\n").is_err());
    }

    #[test]
    fn keys_lists_and_blocks_are_read() {
        let found = read(
            "esid: sec-x\ndescription: >\n    A text: with a colon\n\n    and more\ninfo: |\n  flags: [no]\n    deeper\n\
             includes: [a.js, 'b.js']\nflags: [onlyStrict,module]\nfeatures:\n  - Symbol.iterator\n  - class\n\
             negative:\n  phase: parse\n  type: SyntaxError\nauthor: me",
        );
        assert_eq!(found.includes, ["a.js", "b.js"]);
        assert!(found.has_flag("onlyStrict") && found.has_flag("module") && !found.has_flag("no"));
        assert!(found.has_feature("class") && found.has_feature("Symbol.iterator"));
        assert_eq!((found.negative, found.negative_type.as_deref()), (true, Some("SyntaxError")));
    }

    #[test]
    fn lists_may_stand_as_far_left_as_their_key() {
        let found = read("features:\n- a\n- b\nflags: [noStrict]");
        assert_eq!(found.features, ["a", "b"]);
        assert!(found.has_flag("noStrict"));
    }

    #[test]
    fn texts_continue_without_colons() {
        let found = read("description: one\n  two\n\n  three\nflags: []");
        assert_eq!(found.flags, [""]);
        let wrapped = read("description:\n  one\n  two\nflags: [raw]");
        assert!(wrapped.has_flag("raw"));
    }

    #[test]
    fn a_source_without_frontmatter_says_nothing() {
        assert_eq!(V8Frontmatter::read(b"code();").unwrap(), V8Frontmatter::default());
        assert_eq!(V8Frontmatter::read(b"/*---\nflags: [x]").unwrap(), V8Frontmatter::default());
    }

    #[test]
    fn line_ends_may_be_of_any_kind() {
        let yaml = "/*---\ninfo: |\n  text\nflags: [raw]\nnegative:\n  type: Test\n---*/";
        for end in ["\n", "\r\n", "\r"] {
            let found = V8Frontmatter::read(yaml.replace('\n', end).as_bytes()).unwrap();
            assert!(found.has_flag("raw"), "{end:?}");
            assert_eq!(found.negative_type.as_deref(), Some("Test"), "{end:?}");
        }
    }

    #[test]
    fn a_block_that_begins_with_a_blank_line_takes_all_that_follows() {
        assert!(read("info: |\n  text\nflags: [raw]").has_flag("raw"));
        assert!(!read("info: |\n\n  text\nflags: [raw]").has_flag("raw"));
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        let refused =
            |yaml: &str| V8Frontmatter::read(format!("/*---\n{yaml}\n---*/").as_bytes()).unwrap_err();
        assert_eq!(refused("nonsense"), "its frontmatter cannot be understood at 'nonsense'");
        assert_eq!(refused("flags: raw"), "its frontmatter's 'flags' is no list");
        assert_eq!(refused("negative: SyntaxError"), "its frontmatter's 'negative' has no type");
        let deep: String = (0..100).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        assert!(refused(&deep).contains("nested more than"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(yaml in "[a-z:\\[\\],>| \n'-]{0,120}") {
            let _ = V8Frontmatter::read(format!("/*---{yaml}---*/").as_bytes());
        }

        #[test]
        fn any_bytes_are_read_or_refused(source in any::<Vec<u8>>()) {
            let _ = V8Frontmatter::read(&source);
        }
    }
}
