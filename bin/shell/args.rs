//! The command line of the shell, read as d8 does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The text of `runner shell --help`.
pub(super) const HELP: &str = "\
Runs JavaScript files on the built-in engine (QuickJS), with d8's command line and functions.

Usage: runner shell [FLAGS] FILES... [-- ARGUMENTS...]

Files run in order in one realm: *.mjs as modules, all others as sloppy classic scripts.

  -e CODE                        runs CODE, in its turn among the files
  --module FILE                  runs FILE as a module, whatever its name
  --throws                       exit code 0 if and only if an exception is uncaught
  --ignore-unhandled-promises    rejected promises without a handler are no errors
  --use-strict                   runs scripts in strict mode
  --expose-gc[-as=NAME]          defines gc(), or NAME()
  --no-arguments                 does not define the global `arguments`
  --test262                      defines $262, and says of uncaught errors what test262's judge reads
  --isolate                      what follows runs in a realm of its own
  -- ARGUMENTS...                become the global `arguments`
  -h, --help                     prints this

Other flags, such as V8's, are accepted and ignored.

Functions: print write printErr console.log load read readbuffer readline quit version setTimeout
performance.now, and gc where exposed.

Exit codes: 0, 1 for an uncaught error or an unreadable file, n after quit(n), 2 for a bad command line.
";

/// One piece of code to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The text after `-e`.
    Code(String),
    /// A classic script.
    Script(PathBuf),
    /// A module.
    Module(PathBuf),
}

/// What to run, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The sources in groups, each of which gets its own realm (`--isolate` begins one). Never empty.
    pub(super) groups: Vec<Vec<Source>>,
    /// The words after `--`.
    pub(super) arguments: Vec<String>,
    /// Whether to leave the global `arguments` undefined.
    pub(super) no_arguments: bool,
    /// Whether the exit code is 0 if and only if an exception is uncaught (`--throws`).
    pub(super) throws: bool,
    /// Whether rejected promises without a handler are ignored.
    pub(super) ignore_unhandled_promises: bool,
    /// Whether to define `$262`.
    pub(super) test262: bool,
    /// Whether scripts always run in strict mode.
    pub(super) use_strict: bool,
    /// The name of the function that collects garbage, if one is exposed.
    pub(super) gc: Option<String>,
}

/// The action that the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ShellCommand {
    /// Run files.
    Run(Options),
    /// Print [`HELP`].
    Help,
}

/// Why the command line is invalid; the text follows "cannot run: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArgsError {
    /// The last word is an option that needs a value.
    #[error("{0} needs a value")]
    MissingValue(&'static str),
    /// There is no file to run.
    #[error("no file is given (see runner shell --help)")]
    NoFiles,
}

/// Reads the words after `shell`.
pub(super) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<ShellCommand, ArgsError> {
    let mut words = words.into_iter().peekable();
    let mut options = Options { groups: vec![Vec::new()], ..Options::default() };
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        let source = match &*text {
            "--" => {
                options.arguments.extend(words.by_ref().map(|word| word.to_string_lossy().into_owned()));
                continue;
            }
            "-e" => {
                let code = words.next().ok_or(ArgsError::MissingValue("-e"))?;
                Source::Code(code.to_string_lossy().into_owned())
            }
            "--module" => Source::Module(words.next().ok_or(ArgsError::MissingValue("--module"))?.into()),
            "--isolate" => {
                options.groups.push(Vec::new());
                continue;
            }
            "-h" | "--help" => return Ok(ShellCommand::Help),
            flag if flag.len() > 1 && flag.starts_with('-') => {
                set_flag(&mut options, flag);
                // V8 takes an integer flag's value from the next word if there is no '='.
                words.next_if(|next| !flag.contains('=') && is_value(next));
                continue;
            }
            _ if is_module(Path::new(&word)) => Source::Module(word.into()),
            _ => Source::Script(word.into()),
        };
        if let Some(group) = options.groups.last_mut() {
            group.push(source);
        }
    }
    options.groups.retain(|group| !group.is_empty());
    if options.groups.is_empty() {
        return Err(ArgsError::NoFiles);
    }
    Ok(ShellCommand::Run(options))
}

/// Sets the option for `flag`, spelled with '-' or '_' as V8 allows. Unknown flags are ignored.
fn set_flag(options: &mut Options, flag: &str) {
    let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
    match name.trim_start_matches('-').replace('_', "-").as_str() {
        "throws" => options.throws = true,
        "ignore-unhandled-promises" => options.ignore_unhandled_promises = true,
        "use-strict" => options.use_strict = true,
        "expose-gc" => options.gc = Some("gc".into()),
        "expose-gc-as" if !value.is_empty() => options.gc = Some(value.into()),
        "no-arguments" => options.no_arguments = true,
        "test262" => {
            (options.test262, options.ignore_unhandled_promises, options.no_arguments) = (true, true, true);
        }
        _ => {}
    }
}

/// Whether a word after an unknown flag is that flag's value: a number that is not the name of a file.
fn is_value(word: &OsString) -> bool {
    let text = word.to_string_lossy();
    text.strip_prefix('-').unwrap_or(&text).bytes().all(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && !Path::new(word).exists()
}

fn is_module(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "mjs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<ShellCommand, ArgsError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn options(line: &str) -> Options {
        match parsed(line) {
            Ok(ShellCommand::Run(options)) => options,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn script(path: &str) -> Source {
        Source::Script(path.into())
    }

    #[test]
    fn flags_come_before_between_and_after_files() {
        let options = options("--test a.js --random-seed=42 b.js --stress-opt --nohard-abort --throws");
        assert_eq!(options.groups, [[script("a.js"), script("b.js")]]);
        assert!(options.throws);
        assert!(options.arguments.is_empty());
    }

    #[test]
    fn code_and_modules_keep_their_place() {
        let options = options("-e x=1 a.js --module b.js c.mjs");
        let expected = [
            Source::Code("x=1".into()),
            script("a.js"),
            Source::Module("b.js".into()),
            Source::Module("c.mjs".into()),
        ];
        assert_eq!(options.groups, [expected]);
    }

    #[test]
    fn everything_after_two_dashes_is_arguments() {
        let options = options("a.js -- b.js --throws -- 1");
        assert_eq!(options.groups, [[script("a.js")]]);
        assert_eq!(options.arguments, ["b.js", "--throws", "--", "1"]);
        assert!(!options.throws);
    }

    #[test]
    fn underscores_and_single_dashes_are_v8_spelling_too() {
        let spelled = options("a.js --use_strict -expose_gc --no_arguments --ignore_unhandled-promises");
        assert!(spelled.use_strict && spelled.ignore_unhandled_promises && spelled.no_arguments);
        assert_eq!(spelled.gc.as_deref(), Some("gc"));
        assert_eq!(options("a.js --expose-gc-as=v8GC").gc.as_deref(), Some("v8GC"));
    }

    #[test]
    fn test262_defines_no_arguments_and_ignores_rejected_promises() {
        let options = options("--test262 a.js --module b.js");
        assert!(options.test262 && options.ignore_unhandled_promises && options.no_arguments);
    }

    #[test]
    fn a_number_after_an_unknown_flag_is_its_value() {
        let options = options("--regexp-tier-up-ticks 1 a.js --stack-size=2 7");
        assert_eq!(options.groups, [[script("a.js"), script("7")]]);
    }

    #[test]
    fn isolates_make_groups_and_empty_groups_are_dropped() {
        let options = options("--isolate a.js --isolate b.js");
        assert_eq!(options.groups, [[script("a.js")], [script("b.js")]]);
    }

    #[test]
    fn an_invalid_command_line_is_refused() {
        assert_eq!(parsed("a.js -e"), Err(ArgsError::MissingValue("-e")));
        assert_eq!(parsed("--module"), Err(ArgsError::MissingValue("--module")));
        assert_eq!(parsed("--throws"), Err(ArgsError::NoFiles));
        assert_eq!(parsed(""), Err(ArgsError::NoFiles));
    }

    #[test]
    fn help_overrides_other_flags() {
        assert_eq!(parsed("--throws -h"), Ok(ShellCommand::Help));
    }
}
