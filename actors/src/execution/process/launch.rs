//! What to start, and why it did not start.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::Errno;

use crate::execution::marker;

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// Program and arguments. A program without `/` is looked up in the environment's PATH, one with a relative path below
    /// the root.
    pub argv: &'a [OsString],
    /// Variables on top of the run's environment.
    pub env: &'a BTreeMap<String, String>,
    /// Variables of the run's environment to leave out.
    pub unset: &'a [String],
    /// The value of the marker variable.
    pub marker: &'a str,
}

/// Why a command has no result.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no program to start.
    #[error("the command is empty")]
    Empty,
    /// A program named without `/` is nowhere in PATH.
    #[error("cannot start `{0}`: no such program in PATH")]
    NotInPath(String),
    /// The system refused to start it.
    #[error("cannot start {}: {source}{hint}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why, as the system has it.
        source: io::Error,
        /// What that probably means; empty, or begins with a space.
        hint: &'static str,
    },
    /// It was started, but could not be followed to its end; it has been killed.
    #[error("cannot follow the process {}: {source}", program.display())]
    Follow {
        /// The program.
        program: PathBuf,
        /// What the system reports.
        source: io::Error,
    },
}

/// Builds commands for one run.
#[derive(Clone, Debug)]
pub struct Launcher {
    root: PathBuf,
    env: Vec<(OsString, OsString)>,
    path: Option<OsString>,
}

impl Launcher {
    /// Commands run in `root`, which is absolute, with all of `env` and nothing else of this process's environment.
    pub fn new(root: PathBuf, mut env: Vec<(OsString, OsString)>) -> Self {
        // A runner that is itself somebody's test has a marker of its own.
        env.retain(|(name, _)| name != marker::VARIABLE);
        let path = env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        Self { root, env, path }
    }

    /// The directory that commands run in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The command, ready but for its standard streams.
    ///
    /// # Errors
    /// [`ProcessError::Empty`], [`ProcessError::NotInPath`].
    pub fn command(&self, launch: Launch<'_>) -> Result<Command, ProcessError> {
        let (word, args) = launch.argv.split_first().ok_or(ProcessError::Empty)?;
        let mut command = Command::new(self.program(word)?);
        command.arg0(word).args(args).current_dir(&self.root).process_group(0).env_clear();
        for (name, value) in &self.env {
            if launch.unset.is_empty() || !launch.unset.iter().any(|unset| name == unset.as_str()) {
                command.env(name, value);
            }
        }
        command.envs(launch.env).env(marker::VARIABLE, launch.marker);
        Ok(command)
    }

    /// An absolute path: with a bare name, std would have to fork.
    fn program(&self, word: &OsStr) -> Result<PathBuf, ProcessError> {
        let path = Path::new(word);
        if path.is_absolute() {
            return Ok(path.to_owned());
        }
        if word.as_encoded_bytes().contains(&b'/') {
            return Ok(self.root.join(path));
        }
        let found = self.path.as_deref().and_then(|dirs| which::which_in(path, Some(dirs), &self.root).ok());
        found.ok_or_else(|| ProcessError::NotInPath(word.to_string_lossy().into_owned()))
    }

    /// The error with what can be found out about it.
    pub(super) fn explain(&self, program: &Path, source: io::Error) -> ProcessError {
        let exists = program.exists();
        let hint = match Errno::from_io_error(&source) {
            Some(Errno::NOENT) if !self.root.is_dir() => " (the working directory does not exist)",
            Some(Errno::NOENT) if exists => " (the file exists: its interpreter or loader does not)",
            Some(Errno::NOEXEC) => " (neither a program of this machine nor a script with a `#!` line)",
            Some(Errno::ACCESS) if exists => " (not executable)",
            Some(Errno::TOOBIG) => " (arguments and environment are too long)",
            _ => "",
        };
        ProcessError::Spawn { program: program.to_owned(), source, hint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> Vec<(OsString, OsString)> {
        command.get_envs().filter_map(|(name, value)| Some((name.into(), value?.into()))).collect()
    }

    fn launcher() -> Launcher {
        let env = [("PATH", "/nowhere:/bin"), ("A", "1"), ("FLOTILLA_RUN", "outer")];
        Launcher::new("/".into(), env.iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    #[test]
    fn the_environment_is_the_runs_less_the_unset_plus_the_tests_and_the_marker() {
        let env = BTreeMap::from([("B".to_owned(), "2".to_owned())]);
        let launch = Launch { argv: &["sh".into()], env: &env, unset: &["A".into()], marker: "m" };
        let command = launcher().command(launch).unwrap();
        let expected = [("B", "2"), ("FLOTILLA_RUN", "m"), ("PATH", "/nowhere:/bin")];
        assert_eq!(words(&command), expected.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(command.get_program(), "/bin/sh");
    }

    #[test]
    fn programs_become_absolute_or_an_error_that_names_them() {
        let launcher = launcher();
        assert_eq!(launcher.program("/x/d8".as_ref()).unwrap(), Path::new("/x/d8"));
        assert_eq!(launcher.program("./d8".as_ref()).unwrap(), Path::new("/./d8"));
        let error = launcher.program("no-such-program".as_ref()).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program`: no such program in PATH");
    }

    #[test]
    fn a_file_in_path_that_may_not_be_executed_is_passed_over() {
        use std::os::unix::fs::PermissionsExt;

        let root = tempfile::tempdir().unwrap();
        let file = |place: &str, mode| {
            let path = root.path().join(place);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        file("first/d8", 0o644);
        std::fs::create_dir_all(root.path().join("directory/d8")).unwrap();
        let second = file("second/d8", 0o755);
        // A relative directory of PATH is below the root, where tests run.
        let env = [("PATH".into(), "first:directory:second".into())];
        let launcher = Launcher::new(root.path().into(), env.into_iter().collect());
        assert_eq!(launcher.program("d8".as_ref()).unwrap(), second);
    }
}
