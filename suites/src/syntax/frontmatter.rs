//! The frontmatter of test262's tests: keys and values between `/*---` and `---*/`.
//!
//! | file | holds |
//! |---|---|
//! | `event` | what a reader of texts tells: the events of YAML |
//! | `yaml` | the events of YAML |
//! | `lines` | those of the lines that V8's reader takes for YAML |
//! | `collect` | what matters of all events |

mod collect;
mod event;
mod lines;
mod yaml;

use memchr::{memchr_iter, memmem};

use collect::Collector;
use event::Event;

/// How deep values may nest. test262's own nest once.
const MAX_DEPTH: usize = 16;

/// What a test says of itself, as far as running and sorting it is concerned. `N`: what a reader makes of `negative`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields<N = Negative> {
    /// `flags`, such as `onlyStrict`, `module`.
    pub flags: Vec<String>,
    /// `features`
    pub features: Vec<String>,
    /// `includes`
    pub includes: Vec<String>,
    /// `negative`
    pub negative: Option<N>,
    /// `esid`: the place in the specification.
    pub esid: Option<String>,
    /// `es5id`: the same in its fifth edition.
    pub es5id: Option<String>,
    /// `es6id`: in its sixth.
    pub es6id: Option<String>,
}

// Derived, it would ask for a default of `N`.
impl<N> Default for Fields<N> {
    fn default() -> Self {
        Self {
            flags: Vec::new(),
            features: Vec::new(),
            includes: Vec::new(),
            negative: None,
            esid: None,
            es5id: None,
            es6id: None,
        }
    }
}

impl<N> Fields<N> {
    /// Whether a flag is set.
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    /// Whether a feature is named.
    pub fn has_feature(&self, feature: &str) -> bool {
        self.features.iter().any(|own| own == feature)
    }
}

/// The error that a test must end with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negative {
    /// The line of `negative` in the test's file, from 1.
    pub line: usize,
    /// `phase`
    pub phase: Option<String>,
    /// `type`
    pub kind: Option<String>,
}

/// How a frontmatter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// Whether it is no YAML, but the lines that test262-harness-py's `_monkeyYaml.py` reads, on whose reading V8's
    /// expectations rest. It then ends with the last `---*/` of the file, and one without an end says nothing.
    pub lines: bool,
    /// Whether `negative` may be the error's type alone, as it was until late 2016.
    pub bare_negative: bool,
}

impl Quirks {
    /// None: YAML, as test262 has it.
    pub const NONE: Self = Self { lines: false, bare_negative: false };
    /// Those of V8's own reader.
    pub const V8: Self = Self { lines: true, bare_negative: false };
    /// Those of classic trees.
    pub const V8_CLASSIC: Self = Self { lines: true, bare_negative: true };
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

impl FrontmatterError {
    /// The same as V8's reader has it: `its frontmatter's 'flags' is no list`.
    pub fn sentence(&self) -> String {
        match self.reason.strip_prefix("it ") {
            Some(rest) => format!("its frontmatter {rest}"),
            None => format!("its frontmatter's {}", self.reason),
        }
    }
}

/// What is wrong, and in which line of the frontmatter, from 1.
type Wrong = (usize, String);

/// Reads the frontmatter of a test's source. A source without any says nothing.
///
/// # Errors
/// [`FrontmatterError`]: it has no end, cannot be read, or a key that matters has a value of another kind.
pub fn read(source: &[u8], quirks: Quirks) -> Result<Fields, FrontmatterError> {
    const OPEN: &[u8] = b"/*---";
    const CLOSE: &[u8] = b"---*/";
    let Some(open) = memmem::find(source, OPEN) else { return Ok(Fields::default()) };
    let first_line = 1 + memchr_iter(b'\n', &source[..open]).count();
    let rest = &source[open + OPEN.len()..];
    let end = if quirks.lines { memmem::rfind(rest, CLOSE) } else { memmem::find(rest, CLOSE) };
    let Some(end) = end else {
        return match quirks.lines {
            true => Ok(Fields::default()),
            false => Err(FrontmatterError { line: first_line, reason: "it has no end (---*/)".into() }),
        };
    };
    let text = String::from_utf8_lossy(&rest[..end]);
    let in_file = |line: usize| first_line + line.saturating_sub(1);
    let mut collector = Collector::new(quirks);
    let mut take = |event: Event<'_>, line: usize| collector.event(event, line);
    let told = if quirks.lines { lines::tell(&text, &mut take) } else { yaml::tell(&text, &mut take) };
    told.map_err(|(line, reason)| FrontmatterError { line: in_file(line), reason })?;
    let mut fields = collector.fields;
    if let Some(negative) = &mut fields.negative {
        negative.line = in_file(negative.line);
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(yaml: &str, quirks: Quirks) -> Result<Fields, (usize, String)> {
        let source = format!("// Copyright\n/*---\n{yaml}\n---*/\ncode();");
        read(source.as_bytes(), quirks).map_err(|error| (error.line, error.reason))
    }

    #[test]
    fn what_has_no_quirks_is_the_same_for_every_reader() {
        let yaml = "esid: sec-x\nflags: [raw, async]\nfeatures:\n  - class\nincludes: ['a.js']\nnegative:\n  phase: parse\n  \
                    type: SyntaxError\ninfo: |\n  flags: [no]\n";
        let mut found = of(yaml, Quirks::NONE).unwrap();
        let mut of_v8 = of(yaml, Quirks::V8).unwrap();
        assert_eq!(of(yaml, Quirks::V8_CLASSIC).unwrap(), of_v8);
        // YAML tells where a value begins, V8's lines where its key does.
        let lines = [&mut found, &mut of_v8]
            .map(|fields| std::mem::take(&mut fields.negative.as_mut().unwrap().line));
        assert_eq!(lines, [9, 8]);
        assert_eq!(found, of_v8);
    }

    #[test]
    fn each_reader_says_where_something_is_wrong() {
        assert_eq!(of("esid: x\n\nflags: raw", Quirks::V8), Err((5, "'flags' is no list".into())));
        assert_eq!(of("esid: x\n\nflags: raw", Quirks::NONE), Err((5, "'flags' is no list".into())));
        assert_eq!(of("flags: [a]\nnonsense", Quirks::V8).unwrap_err().0, 4);
        assert_eq!(of("features:\n  - a\n  nonsense", Quirks::V8).unwrap_err().0, 5);
    }

    #[test]
    fn for_v8_a_frontmatter_ends_with_the_last_end() {
        let source = b"/*---\nflags: [raw]\n---*/ a\nfeatures: [class]\n---*/\n";
        assert!(read(source, Quirks::NONE).unwrap().features.is_empty());
        // A line without a colon continues a text, and a list is none.
        let error = read(source, Quirks::V8).unwrap_err();
        assert_eq!((error.line, error.reason.as_str()), (3, "it cannot be understood at '---*/ a'"));
    }

    #[test]
    fn an_error_is_a_sentence_about_its_test() {
        let sentence = |reason: &str| FrontmatterError { line: 1, reason: reason.into() }.sentence();
        assert_eq!(sentence("'flags' is no list"), "its frontmatter's 'flags' is no list");
        assert_eq!(sentence("it has no end (---*/)"), "its frontmatter has no end (---*/)");
    }
}
