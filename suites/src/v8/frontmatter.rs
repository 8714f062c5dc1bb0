//! test262's frontmatter as V8's own suites read it.

use crate::syntax::frontmatter::{Fields, Quirks, read};

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
        Self::read_as(source, Quirks::V8)
    }

    /// The same for the test262 of classic trees, whose `negative` was the error's type alone until late 2016.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_classic(source: &[u8]) -> Result<Self, String> {
        Self::read_as(source, Quirks::V8_CLASSIC)
    }

    fn read_as(source: &[u8], quirks: Quirks) -> Result<Self, String> {
        let Fields { flags, features, includes, negative, .. } =
            read(source, quirks).map_err(|error| error.sentence())?;
        let is_negative = negative.is_some();
        let negative_type = negative.and_then(|negative| negative.kind);
        Ok(Self { flags, features, includes, negative: is_negative, negative_type })
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
