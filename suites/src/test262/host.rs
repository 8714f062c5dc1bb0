//! Hosts: what an engine's shell is told, and what it can do. Data: `conf/hosts/KIND.toml` with `KIND.js`.

use std::io;
use std::path::{Path, PathBuf};

use flotilla_messages::case::HARNESS;
use flotilla_messages::{Arg, Phase, Uncaught};
use serde::Deserialize;

use super::frontmatter::Frontmatter;
use super::template::{Filling, Piece, argument, filled, pieces};
use crate::kit::error::HostError;
use crate::syntax::read::read;

macro_rules! kind {
    ($kind:literal) => {
        (
            $kind,
            include_str!(concat!("../../../conf/hosts/", $kind, ".toml")),
            include_str!(concat!("../../../conf/hosts/", $kind, ".js")),
        )
    };
}

/// The kinds that are built in: name, host file, prelude.
const KINDS: &[(&str, &str, &str)] = &[
    kind!("boa"),
    (BUILTIN, include_str!("../../../conf/hosts/builtin.toml"), ""),
    kind!("d8"),
    kind!("hermes"),
    kind!("jsc"),
    kind!("node"),
    kind!("qjs"),
    kind!("sm"),
];

/// The kind of the built-in shell.
const BUILTIN: &str = "builtin";

/// What an engine's shell is told, and what it can do.
#[derive(Clone, Debug)]
pub struct Host {
    /// The kind's name, or the host file's.
    pub kind: String,
    prelude: String,
    script: Goal,
    raw: Goal,
    module: Option<Goal>,
    uncaught: Uncaught,
    can_block: bool,
    left_out: Vec<HostSkipReason>,
}

/// How tests of one kind are run.
#[derive(Clone, Debug)]
pub struct Goal {
    args: Vec<Arg>,
    harness: Option<Vec<Piece>>,
    file: Vec<Piece>,
    /// Whether imports of the test are looked for beside the compiled file.
    pub imports_beside: bool,
}

/// A host file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct HostFile {
    #[serde(default)]
    shells: Vec<String>,
    #[serde(default)]
    prelude: Option<PathBuf>,
    script: GoalFile,
    #[serde(default)]
    raw: Option<GoalFile>,
    #[serde(default)]
    module: Option<GoalFile>,
    error: String,
    can_block: bool,
    #[serde(default)]
    left_out: Vec<HostSkipReason>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoalFile {
    args: Vec<String>,
    #[serde(default)]
    harness: Option<String>,
    file: String,
}

/// Tests that cannot be run by a host: they have any of these words, or are below one of these directories.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostSkipReason {
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    includes: Vec<String>,
    /// Texts in the source.
    #[serde(default)]
    mentions: Vec<String>,
    /// Directories below `test`, such as `intl402`.
    #[serde(default)]
    below: Vec<String>,
    reason: String,
}

fn kinds() -> String {
    KINDS.iter().map(|(kind, ..)| *kind).collect::<Vec<_>>().join(" ")
}

impl Host {
    /// The host of this kind, or of this file (`--host`).
    ///
    /// # Errors
    /// [`HostError`]
    pub fn named(name: &str) -> Result<Self, HostError> {
        if let Some((kind, text, prelude)) = KINDS.iter().find(|(kind, ..)| *kind == name) {
            return Self::parse(kind, text, |_| Ok((*prelude).to_owned()));
        }
        let path = Path::new(name);
        match read(path) {
            Ok(bytes) => Self::parse(name, &String::from_utf8_lossy(&bytes), |prelude| {
                let path = path.with_file_name(prelude);
                let bytes = read(&path).map_err(|source| HostError::Read { path, source })?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(HostError::Unknown { kinds: kinds(), name: name.to_owned() })
            }
            Err(source) => Err(HostError::Read { path: path.to_owned(), source }),
        }
    }

    /// The host of the built-in shell.
    ///
    /// # Errors
    /// None but by a mistake in this program.
    pub fn builtin() -> Result<Self, HostError> {
        Self::named(BUILTIN)
    }

    /// The host that a shell's name tells: `node`, `node20`, `qjs-debug` and `qjs.exe` are known by their beginnings.
    ///
    /// # Errors
    /// [`HostError::Shell`]
    pub fn of_shell(shell: &Path) -> Result<Self, HostError> {
        let name = shell.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (kind, text, prelude) in KINDS {
            let file: HostFile = toml::from_str(text).map_err(|error| content(kind, &error.to_string()))?;
            let is = |known: &String| {
                let rest = name.strip_prefix(known.as_str());
                rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphabetic()))
            };
            if file.shells.iter().any(is) {
                return Self::parse(kind, text, |_| Ok((*prelude).to_owned()));
            }
        }
        Err(HostError::Shell { kinds: kinds(), shell: name })
    }

    /// Reads a host file. `prelude` reads the file that it names.
    ///
    /// # Errors
    /// [`HostError::Content`], and those of `prelude`.
    pub fn parse(
        name: &str,
        text: &str,
        prelude: impl FnOnce(&Path) -> Result<String, HostError>,
    ) -> Result<Self, HostError> {
        let file: HostFile =
            toml::from_str(text).map_err(|error| content(name, error.to_string().trim_end()))?;
        let wrong = |detail: String| content(name, &detail);
        let uncaught = Uncaught { pattern: file.error };
        uncaught.check().map_err(wrong)?;
        let script = Goal::read(&file.script).map_err(wrong)?;
        let raw = match &file.raw {
            Some(raw) => Goal::read(raw).map_err(wrong)?,
            None => Goal { file: vec![Piece::Test], imports_beside: true, ..script.clone() },
        };
        Ok(Self {
            kind: name.to_owned(),
            prelude: file.prelude.as_deref().map(prelude).transpose()?.unwrap_or_default(),
            raw,
            module: file.module.as_ref().map(Goal::read).transpose().map_err(wrong)?,
            script,
            uncaught,
            can_block: file.can_block,
            left_out: file.left_out,
        })
    }

    /// How a test is run, if this host can run such tests at all.
    pub fn goal(&self, matter: &Frontmatter) -> Option<&Goal> {
        match (matter.has_flag("module"), matter.has_flag("raw")) {
            (true, _) => self.module.as_ref(),
            (false, true) => Some(&self.raw),
            (false, false) => Some(&self.script),
        }
    }

    /// Why this host cannot run a test, whatever its engine can do.
    pub fn refuses(&self, name: &str, matter: &Frontmatter, source: &[u8]) -> Option<&str> {
        if matter.has_flag("module") && self.module.is_none() {
            return Some("the host runs no modules");
        }
        if matter.has_flag("CanBlockIsFalse") && self.can_block {
            return Some("its agents may block (CanBlockIsFalse)");
        }
        if matter.has_flag("CanBlockIsTrue") && !self.can_block {
            return Some("its main agent may not block (CanBlockIsTrue)");
        }
        let any = |wanted: &[String], own: &[String]| wanted.iter().any(|word| own.contains(word));
        let mentions = |text: &String| memchr::memmem::find(source, text.as_bytes()).is_some();
        let below = |dir: &String| name.strip_prefix(dir.as_str()).is_some_and(|rest| rest.starts_with('/'));
        // A test that must not even be parsed uses nothing of the host's.
        let runs = matter.negative.as_ref().is_none_or(|negative| negative.phase != Phase::Parse);
        let rule = self.left_out.iter().find(|rule| {
            runs && (any(&rule.features, &matter.features) || rule.mentions.iter().any(mentions))
                || any(&rule.flags, &matter.flags)
                || any(&rule.includes, &matter.includes)
                || rule.below.iter().any(below)
        });
        rule.map(|rule| rule.reason.as_str())
    }

    /// How its shell tells of an uncaught error.
    pub fn uncaught(&self) -> &Uncaught {
        &self.uncaught
    }

    /// What fills the places of its files.
    pub fn filling<'a>(&'a self, strict: bool, harness: &'a [String], test: &'a str) -> Filling<'a> {
        Filling { prelude: &self.prelude, strict, harness, test }
    }
}

fn content(file: &str, detail: &str) -> HostError {
    HostError::Content { file: file.to_owned(), detail: detail.to_owned() }
}

impl Goal {
    fn read(file: &GoalFile) -> Result<Self, String> {
        let pieces = pieces(&file.file)?;
        // A test whose text is in another file is somewhere else, unless that file says where it belongs.
        let imports_beside = pieces.contains(&Piece::Test) && !pieces.contains(&Piece::Path);
        let args: Vec<Arg> = file.args.iter().map(|word| argument(word)).collect::<Result<_, _>>()?;
        match (file.harness.is_none(), args.contains(&Arg::Harness)) {
            (true, true) => {
                return Err(format!(
                    "the arguments name {HARNESS}, but no 'harness' says what it is made of"
                ));
            }
            (false, false) => return Err(format!("there is a 'harness', but no argument is {HARNESS}")),
            _ => {}
        }
        Ok(Self {
            args,
            harness: file.harness.as_deref().map(self::pieces).transpose()?,
            file: pieces,
            imports_beside,
        })
    }

    /// The arguments for a test's file.
    pub fn args(&self, test: &str) -> Vec<Arg> {
        self.args.iter().map(|arg| filled(arg, test)).collect()
    }

    /// What its compiled file is made of.
    pub fn file(&self) -> &[Piece] {
        &self.file
    }

    /// What the file is made of that is read before it, if there is one.
    pub fn harness(&self) -> Option<&[Piece]> {
        self.harness.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flotilla_messages::{Captured, Exit, Judge, Memory, Negative, Output, judge};

    use super::*;

    fn parse(text: &str) -> Result<Host, HostError> {
        Host::parse("x.toml", text, |_| Ok("p".into()))
    }

    const SMALL: &str = "can-block = true\nerror = '(?P<type>\\w+)'\n[script]\nargs = [\"%{compiled}\"]\nfile = \"%{harness}%{test}\"\n";

    #[test]
    fn every_kind_can_be_used() {
        for (kind, ..) in KINDS {
            let host = Host::named(kind).unwrap();
            assert_eq!(host.kind, *kind);
            assert!(host.goal(&Frontmatter::default()).is_some());
        }
    }

    /// What the shells themselves have printed: versions as in docs/test262.md.
    #[test]
    fn errors_are_read_from_what_shells_print() {
        let told = |kind: &str, stderr: &str, phase: Phase, name: &str| {
            let output = Output {
                exit: Exit::Code(1),
                timed_out: false,
                stdout: Captured::default(),
                stderr: Captured::whole(stderr),
                duration: Duration::ZERO,
                memory: Memory::default(),
                started: None,
            };
            let judge_ = Judge::Test262 {
                negative: Some(Negative { phase, kind: name.into() }),
                asynchronous: false,
                uncaught: Host::named(kind).unwrap().uncaught().clone(),
            };
            let judgement = judge(&judge_, &output, None);
            assert_eq!(judgement.why, None, "{kind}: {stderr}");
        };
        let (parse, runtime) = (Phase::Parse, Phase::Runtime);
        told("qjs", "SyntaxError: variable name expected\n    at s.js:2:5\n", parse, "SyntaxError");
        told("qjs", "{ message: \"\" }\n", runtime, "Test262Error");
        told("jsc", "Exception: SyntaxError: Unexpected token '='.\nat s.js:2\n", parse, "SyntaxError");
        told("jsc", "Locale not supported by C library.\nException: RangeError: m\n", runtime, "RangeError");
        told("sm", "s.js:2:4 SyntaxError: missing variable name:\ns.js:2:4 var = 1;\n", parse, "SyntaxError");
        told("sm", "/t/v.js:1:7 RangeError: m\nStack:\n  @/t/v.js:1:7\n", runtime, "RangeError");
        told("hermes", "s.js:2:5: error: 'identifier' expected\nvar = 1;\n", parse, "SyntaxError");
        told("hermes", "Uncaught RangeError: m\n    at global (v.js:1:21)\n", runtime, "RangeError");
        let boa = "Error: \n   0: \u{1b}[91mSyntaxError: expected token 'identifier'\u{1b}[0m\n";
        told("boa", boa, parse, "SyntaxError");
        told("boa", "Uncaught Error: TypeError: cannot convert (r.js:1:6)\n", runtime, "TypeError");
        told("boa", "Uncaught Error: Test262Error {\n    message: \"a\"\n}\n", runtime, "Test262Error");
    }

    #[test]
    fn shells_are_known_by_the_beginning_of_their_names() {
        let kind = |shell: &str| Host::of_shell(Path::new(shell)).map(|host| host.kind);
        for (shell, expected) in [
            ("/usr/bin/node", "node"),
            ("node20", "node"),
            ("/x/d8", "d8"),
            ("qjs-ng", "qjs"),
            ("js128", "sm"),
            ("jsc", "jsc"),
            ("hermes", "hermes"),
            ("boa.exe", "boa"),
        ] {
            assert_eq!(kind(shell).unwrap(), expected, "{shell}");
        }
        let error = kind("/opt/nodelike").unwrap_err().to_string();
        assert!(
            error.contains("nodelike") && error.contains("--host") && error.contains("hermes"),
            "{error}"
        );
    }

    #[test]
    fn what_a_host_file_should_not_have_is_refused_with_its_place() {
        let refused = |text: &str| parse(text).unwrap_err().to_string();
        assert!(parse(SMALL).is_ok());
        let error = refused(&SMALL.replace("can-block", "can-blok"));
        assert!(error.starts_with("cannot use the host x.toml: ") && error.contains("line 1"), "{error}");
        assert!(refused(&SMALL.replace("P<type>", "P<kind>")).contains("group 'type'"));
        assert!(refused(&SMALL.replace("\\w+)", "\\w+")).contains("regex parse error"));
        assert!(refused(&SMALL.replace("%{harness}", "%{x}")).contains("nothing fills '%{x}'"));
        let apart = SMALL.replace("[\"%{compiled}\"]", "[\"%{compiled-harness}\", \"%{compiled}\"]");
        assert!(refused(&apart).contains("no 'harness' says"));
        assert!(parse(&format!("{apart}harness = \"%{{harness}}\"\n")).is_ok());
        assert!(refused(&format!("{SMALL}harness = \"%{{harness}}\"\n")).contains("no argument is"));
        let unknown = Host::named("no-such-kind").unwrap_err().to_string();
        assert!(
            unknown.starts_with("there is no host 'no-such-kind'\n    kinds: boa builtin d8"),
            "{unknown}"
        );
    }

    #[test]
    fn a_host_says_what_it_cannot_run() {
        let text = format!(
            "{SMALL}[[left-out]]\nfeatures = [\"x\"]\nmentions = [\"$262.agent\"]\nreason = \"no\"\n"
        );
        let host = parse(&text).unwrap();
        let refuses = |flags: &[&str], features: &[&str], source: &str| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            let matter =
                Frontmatter { flags: owned(flags), features: owned(features), ..Frontmatter::default() };
            host.refuses("a/b", &matter, source.as_bytes()).map(str::to_owned)
        };
        assert_eq!(refuses(&["raw"], &["y"], ""), None);
        let builtin = Host::builtin().unwrap();
        let intl = |name: &str| builtin.refuses(name, &Frontmatter::default(), b"").is_some();
        assert!(intl("intl402/Locale/a") && intl("staging/intl402/a") && !intl("built-ins/intl402/a"));
        assert_eq!(refuses(&[], &["x"], "").as_deref(), Some("no"));
        assert_eq!(refuses(&[], &[], "$262.agent.start()").as_deref(), Some("no"));
        let negative = |phase| Frontmatter {
            features: vec!["x".into()],
            negative: Some(Negative { phase, kind: "SyntaxError".into() }),
            ..Frontmatter::default()
        };
        assert!(host.refuses("a/b", &negative(Phase::Parse), b"").is_none(), "it never runs");
        assert!(host.refuses("a/b", &negative(Phase::Runtime), b"").is_some());
        assert_eq!(refuses(&["module"], &[], "").as_deref(), Some("the host runs no modules"));
        assert!(
            refuses(&["CanBlockIsFalse"], &[], "").is_some()
                && refuses(&["CanBlockIsTrue"], &[], "").is_none()
        );
    }

    #[test]
    fn a_test_within_another_file_has_its_imports_beside_it() {
        let host = parse(SMALL).unwrap();
        assert!(host.script.imports_beside && host.raw.imports_beside);
        let apart = parse(&SMALL.replace("%{test}", "%{quoted-test}%{quoted-path}")).unwrap();
        assert!(!apart.script.imports_beside);
    }
}
