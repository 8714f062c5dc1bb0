//! A test's frontmatter: YAML between `/*---` and `---*/`.

use flotilla_messages::{Negative, Phase};

use crate::syntax::frontmatter::{self, Fields, FrontmatterError, Quirks};

/// What a test says of itself, with the error that it must end with as its judge has it.
pub type Frontmatter = Fields<Negative>;

impl Frontmatter {
    /// Reads the frontmatter of a test's source. A source without any says nothing.
    ///
    /// # Errors
    /// [`FrontmatterError`]: it has no end, is no YAML, or a key that matters has a value of another kind.
    pub fn read(source: &[u8]) -> Result<Self, FrontmatterError> {
        let Fields { flags, features, includes, negative, esid, es5id, es6id } =
            frontmatter::read(source, Quirks::NONE)?;
        let negative = negative.map(of_a_phase).transpose()?;
        Ok(Self { flags, features, includes, negative, esid, es5id, es6id })
    }
}

/// The error that a test must end with, where it says of which phase it is.
fn of_a_phase(negative: frontmatter::Negative) -> Result<Negative, FrontmatterError> {
    let wrong = |reason: String| FrontmatterError { line: negative.line, reason };
    let lacks = |key: &str| wrong(format!("'negative' lacks the key '{key}'"));
    let phase = negative.phase.ok_or_else(|| lacks("phase"))?;
    let kind = negative.kind.ok_or_else(|| lacks("type"))?;
    let phase = Phase::named(&phase)
        .ok_or_else(|| wrong(format!("there is no phase '{phase}' (parse, resolution, runtime)")))?;
    Ok(Negative { phase, kind })
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
