//! Commands and paths with placeholders: `{file}`. Braces that are meant are doubled.

use std::path::Path;

use flotilla_messages::Arg;
use flotilla_messages::case::normalize;

use crate::syntax::python::Problem;
use flotilla_messages::nearest::{hint, nearest};

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hole {
    /// The engine.
    Shell,
    /// The suite's `program`.
    Program,
    /// The test's file.
    File,
    /// The test's name.
    Name,
    /// The flags of the run, the variant, the suite, the source and the status files, each a word.
    Flags,
    /// The files that the source names, each a word.
    Files,
    /// The run's random seed.
    Seed,
    /// The tree's root.
    Root,
    /// The directory of the `suite.toml`.
    Suite,
    /// The directory of the suite's tests.
    Dir,
    /// The build's directory.
    Build,
}

const HOLES: [(&str, Hole); 11] = [
    ("shell", Hole::Shell),
    ("program", Hole::Program),
    ("file", Hole::File),
    ("name", Hole::Name),
    ("flags", Hole::Flags),
    ("files", Hole::Files),
    ("seed", Hole::Seed),
    ("root", Hole::Root),
    ("suite", Hole::Suite),
    ("dir", Hole::Dir),
    ("build", Hole::Build),
];

impl Hole {
    /// Its name, without braces.
    pub fn name(self) -> &'static str {
        HOLES.iter().find(|(_, hole)| *hole == self).map_or("", |(name, _)| name)
    }

    /// Whether it stands for words of their own.
    fn is_list(self) -> bool {
        matches!(self, Self::Flags | Self::Files)
    }

    /// Whether it stands for a path.
    fn is_path(self) -> bool {
        !(self.is_list() || matches!(self, Self::Name | Self::Seed))
    }

    /// Whether it is another for each test.
    fn is_of_test(self) -> bool {
        self.is_list() || matches!(self, Self::File | Self::Name)
    }
}

/// The placeholders that a value may have.
pub type Allowed = &'static [Hole];

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePiece {
    Text(String),
    Hole(Hole),
}

/// Words with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Vec<TemplatePiece>>);

/// What placeholders stand for.
pub trait Values {
    /// The tree's root.
    fn root(&self) -> &Path;
    /// The words that `{flags}` or `{files}` stands for.
    fn list(&self, hole: Hole) -> Vec<Arg>;
    /// What any other stands for; nothing where there is no such thing.
    fn one(&self, hole: Hole) -> Option<Arg>;
}

impl Template {
    /// Reads words, each with where it begins in the file `source`.
    ///
    /// # Errors
    /// A brace without its partner, a placeholder that is unknown or out of place, two paths in one word; the position is
    /// that of the placeholder.
    pub fn read(source: &str, words: &[(usize, String)], allowed: Allowed) -> Result<Self, Problem> {
        let read = |(start, word): &(usize, String)| {
            pieces(word, allowed).map_err(|(part, message)| {
                let here = source.get(*start..).unwrap_or_default();
                Problem::new(start + here.find(part).unwrap_or_default(), message)
            })
        };
        words.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether it has this placeholder.
    pub fn has(&self, hole: Hole) -> bool {
        self.0.iter().flatten().any(|piece| *piece == TemplatePiece::Hole(hole))
    }

    /// The first word alone, and the others.
    pub fn split_first(mut self) -> (Self, Self) {
        let rest = self.0.split_off(self.0.len().min(1));
        (self, Self(rest))
    }

    /// The placeholder that it is, if it is nothing else.
    pub fn only(&self) -> Option<Hole> {
        match self.0.as_slice() {
            [word] => match word.as_slice() {
                [TemplatePiece::Hole(hole)] => Some(*hole),
                _ => None,
            },
            _ => None,
        }
    }

    /// The text that it is, if it has no placeholders and is one word.
    pub fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [word] => match word.as_slice() {
                [TemplatePiece::Text(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is another for each test.
    pub fn is_of_test(&self) -> bool {
        self.0.iter().flatten().any(|piece| matches!(piece, TemplatePiece::Hole(hole) if hole.is_of_test()))
    }

    /// The words for these values.
    ///
    /// # Errors
    /// The placeholder for which there is nothing.
    pub fn fill(&self, values: &impl Values) -> Result<Vec<Arg>, Hole> {
        let mut words = Vec::with_capacity(self.0.len());
        for word in &self.0 {
            match word.as_slice() {
                [TemplatePiece::Hole(hole)] if hole.is_list() => words.extend(values.list(*hole)),
                pieces => words.push(fill(pieces, values)?),
            }
        }
        Ok(words)
    }
}

/// What is wrong with a word: the part that is wrong, and how.
type Wrong<'a> = (&'a str, String);

fn pieces<'a>(word: &'a str, allowed: Allowed) -> Result<Vec<TemplatePiece>, Wrong<'a>> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = word;
    let mut paths = 0;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let here = &rest[at..];
        if let Some(after) = here.strip_prefix("{{").or_else(|| here.strip_prefix("}}")) {
            text.push_str(&here[..1]);
            rest = after;
            continue;
        }
        let end = here.find('}').filter(|_| here.starts_with('{'));
        let Some(end) = end else {
            return Err((here, "a brace without its partner; one that is meant is doubled".into()));
        };
        let (whole, name) = (&here[..=end], &here[1..end]);
        let hole = HOLES.iter().find(|(known, _)| *known == name).map(|(_, hole)| *hole);
        let hole = hole.filter(|hole| allowed.contains(hole)).ok_or_else(|| {
            let known = || allowed.iter().map(|hole| hole.name());
            let all: Vec<String> = known().map(|name| format!("{{{name}}}")).collect();
            let what = if hole.is_some() { "cannot stand here" } else { "is no placeholder" };
            let near = hint(nearest(name, known()).filter(|_| hole.is_none()));
            (whole, format!("{whole} {what}{near} (placeholders: {})", all.join(" ")))
        })?;
        if hole.is_list() && whole.len() != word.len() {
            return Err((whole, format!("{whole} must be a word of its own: it stands for several")));
        }
        paths += usize::from(hole.is_path());
        if paths > 1 {
            return Err((whole, format!("{whole} is the second path in one word: one has room for one")));
        }
        if !text.is_empty() {
            pieces.push(TemplatePiece::Text(std::mem::take(&mut text)));
        }
        pieces.push(TemplatePiece::Hole(hole));
        rest = &here[end + 1..];
    }
    text.push_str(rest);
    if !text.is_empty() || pieces.is_empty() {
        pieces.push(TemplatePiece::Text(text));
    }
    Ok(pieces)
}

/// One word. Paths stay such, so that they are right on other machines too.
fn fill(pieces: &[TemplatePiece], values: &impl Values) -> Result<Arg, Hole> {
    let mut before = String::new();
    let mut path: Option<Arg> = None;
    let mut after = String::new();
    for piece in pieces {
        let text = if path.is_some() { &mut after } else { &mut before };
        match piece {
            TemplatePiece::Text(own) => text.push_str(own),
            TemplatePiece::Hole(hole) => match values.one(*hole).ok_or(*hole)? {
                Arg::Text(own) if !hole.is_path() => text.push_str(&own),
                own => path = Some(own),
            },
        }
    }
    Ok(match path {
        None => Arg::Text(before),
        Some(Arg::Path(path)) if before.is_empty() => {
            let root = values.root();
            let whole = format!("{}{after}", root.join(&path).to_string_lossy());
            let whole = if path.is_empty() { format!("{}{after}", root.to_string_lossy()) } else { whole };
            match Arg::below(root, &normalize(Path::new(&whole))) {
                // An empty word would be no path at all.
                Arg::Path(path) if path.is_empty() => Arg::Path(".".into()),
                // What ends with a slash is meant to.
                Arg::Path(path) if after.ends_with('/') => Arg::Path(format!("{path}/")),
                other => other,
            }
        }
        Some(Arg::Path(path)) => {
            let path = if path.is_empty() { ".".into() } else { path };
            Arg::Embedded { before, path, after }
        }
        Some(other) => Arg::Text(format!("{before}{}{after}", other.relative())),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Allowed =
        &[Hole::Shell, Hole::File, Hole::Name, Hole::Flags, Hole::Dir, Hole::Root, Hole::Build];

    struct Test;

    impl Values for Test {
        fn root(&self) -> &Path {
            Path::new("/r")
        }

        fn list(&self, _: Hole) -> Vec<Arg> {
            ["--a", "--b"].map(|word| Arg::Text(word.into())).into()
        }

        fn one(&self, hole: Hole) -> Option<Arg> {
            Some(match hole {
                Hole::Shell => Arg::Text("/opt/js".into()),
                Hole::File => Arg::Path("test/s/a.js".into()),
                Hole::Name => Arg::Text("a".into()),
                Hole::Dir => Arg::Path("test/s".into()),
                Hole::Root => Arg::Path(String::new()),
                _ => return None,
            })
        }
    }

    fn read(words: &[&str]) -> Result<Template, Problem> {
        let source = words.join("\n");
        let mut start = 0;
        let mut placed = Vec::new();
        for word in words {
            placed.push((start, (*word).to_owned()));
            start += word.len() + 1;
        }
        Template::read(&source, &placed, ALL)
    }

    fn filled(words: &[&str]) -> Vec<Arg> {
        read(words).unwrap().fill(&Test).unwrap()
    }

    #[test]
    fn words_are_filled_and_paths_stay_paths() {
        let path = |text: &str| Arg::Path(text.into());
        let text = |text: &str| Arg::Text(text.into());
        assert_eq!(
            filled(&["{shell}", "{flags}", "{file}", "--name={name}", "x"]),
            [text("/opt/js"), text("--a"), text("--b"), path("test/s/a.js"), text("--name=a"), text("x")]
        );
        assert_eq!(
            filled(&[
                "{dir}/lib/{name}.out",
                "{dir}/../x",
                "{file}.expected",
                "{root}",
                "{root}/a",
                "{dir}/"
            ]),
            [
                path("test/s/lib/a.out"),
                path("test/x"),
                path("test/s/a.js.expected"),
                path("."),
                path("a"),
                path("test/s/")
            ]
        );
        let embedded = |before: &str, path: &str, after: &str| Arg::Embedded {
            before: before.into(),
            path: path.into(),
            after: after.into(),
        };
        assert_eq!(
            filled(&["-I{dir}/x", "a={root}"]),
            [embedded("-I", "test/s", "/x"), embedded("a=", ".", "")]
        );
        assert_eq!(filled(&["{root}/../x"]), [text("/x")]);
        assert_eq!(filled(&["{{{name}}}", "{{}}", ""]), [text("{a}"), text("{}"), text("")]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let wrong = |words: &[&str]| {
            let problem = read(words).unwrap_err();
            (problem.at, problem.message)
        };
        let (at, message) = wrong(&["ab", "x{fiel}"]);
        assert_eq!(at, 4);
        assert!(
            message
                .starts_with("{fiel} is no placeholder; did you mean 'file'? (placeholders: {shell} {file}")
        );
        assert!(wrong(&["{seed}"]).1.starts_with("{seed} cannot stand here (placeholders:"));
        assert_eq!(
            wrong(&["a{flags}"]),
            (1, "{flags} must be a word of its own: it stands for several".into())
        );
        assert_eq!(wrong(&["{dir}:{file}"]).0, 6);
        for word in ["{", "a}", "{}", "{name"] {
            assert!(read(&[word]).is_err(), "{word}");
        }
        assert_eq!(read(&["{build}/x"]).unwrap().fill(&Test), Err(Hole::Build));
    }

    proptest! {
        #[test]
        fn any_words_are_read_or_refused(words in prop::collection::vec("[a-z{}/ ]{0,20}", 0..5)) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if let Ok(template) = read(&words) {
                let _ = template.fill(&Test);
            }
        }

        #[test]
        fn text_comes_back_with_braces_doubled(text in any::<String>()) {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(filled(&[&doubled]), [Arg::Text(text)]);
        }
    }
}
