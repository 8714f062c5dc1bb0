//! Whether the programs that tests run are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use flotilla_messages::Program;

use crate::kind::TestKey;
use crate::kit::error::EngineError;
use crate::kit::options::Shell;
use crate::plan::suite::Suite;
use crate::v8::facts::RunFacts;

/// The programs that tests of these suites run, of those that were asked for and run; `used`: these tests, by the suite's
/// index.
pub fn used(suites: &[Suite], used: impl Iterator<Item = (u16, TestKey)>) -> Vec<(&Suite, &Program)> {
    let mut programs: Vec<(usize, &Suite, &Program, bool)> = Vec::new();
    for (index, suite) in suites.iter().enumerate() {
        programs.extend(suite.kind.programs().into_iter().map(|program| (index, suite, program, false)));
    }
    let mut left: BTreeSet<usize> = (0..programs.len()).collect();
    for (index, key) in used {
        if left.is_empty() {
            break;
        }
        left.retain(|at| {
            let (of_suite, suite, program, is_used) = &mut programs[*at];
            *is_used = usize::from(index) == *of_suite && suite.kind.runs(key, program);
            !*is_used
        });
    }
    let found = programs.into_iter().filter(|(.., is_used)| *is_used);
    found.map(|(_, suite, program, _)| (suite, program)).collect()
}

/// Whether each of these programs is there, and can be executed unless `--command-prefix` names what is.
///
/// # Errors
/// The first one that is not.
pub fn check(run: &RunFacts, programs: &[(&Suite, &Program)]) -> Result<(), EngineError> {
    for (suite, program) in programs {
        let Program::Shell(shell) = program else { continue };
        let path = PathBuf::from(shell.resolve(run.root()));
        // A shell of the build has no directory where there is no build.
        let reason = if path.components().count() < 2 && suite.kind.looks_in_path() {
            "is not found in PATH".into()
        } else if path.components().count() < 2 {
            "cannot be found: the tree has no build, and the built-in shell does not stand in for it".into()
        } else {
            match fs::metadata(&path) {
                // It is an argument of another program, which knows best what to do with it.
                Ok(_) if !run.prefix.is_empty() => continue,
                Ok(found) if !found.is_file() => "is no file".into(),
                Ok(found) if !is_executable(&found) => "is not executable".into(),
                Ok(_) => continue,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                    format!("does not exist{}", run.build.how_to_make(&path, run.root()))
                }
                Err(e) => format!("cannot be used: {e}"),
            }
        };
        let needed = programs.iter().filter(|(_, other)| other == program).map(|(suite, _)| suite);
        let mut suites: Vec<String> = needed.map(|suite| suite.name.clone()).collect();
        suites.dedup();
        return Err(EngineError::Unusable { path, reason, suites });
    }
    Ok(())
}

/// Whether a tree with a runner of its own lacks a build, and nobody has said what stands in for it.
pub fn lacks_build(run: &RunFacts, programs: &[(&Suite, &Program)]) -> Option<EngineError> {
    let options = &run.options;
    let stands_in = options.shell == Shell::FromTree && options.shell_dir.is_none();
    // Another engine than the tree's runs its tests only where that was asked for.
    let lacks = run.has_runner
        && run.build.dir.is_none()
        && stands_in
        && programs.iter().any(|(_, program)| **program == Program::Builtin);
    lacks.then(|| EngineError::NoBuild { outdir: options.root.join(&options.outdir) })
}

#[cfg(unix)]
fn is_executable(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    true
}
