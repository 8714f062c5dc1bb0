//! Which directories are suites of one's own, and how they are opened.

use std::path::{Path, PathBuf};

use flotilla_messages::Program;
use flotilla_messages::case::normalize;

use super::config::CustomKind;
use super::find::stem;
use super::open::config;
use super::opening::{CustomOpening, FILE};
use crate::files::select::Pattern;
use crate::kind::opening::Typed;
use crate::kind::{Candidate, Loader};
use crate::kit::error::OpenError;

/// Opens suites that have a `suite.toml`.
#[derive(Clone, Debug)]
pub struct CustomLoader {
    /// The tree's root.
    pub root: PathBuf,
    /// The engine.
    pub shell: Program,
    /// The directory of the build's programs.
    pub build: Option<PathBuf>,
    /// The words before every command.
    pub prefix: Vec<String>,
    /// Whether the build is a predictable one.
    pub on_predictable_build: bool,
}

impl Loader for CustomLoader {
    fn recognizes(&self, dir: &Path, _: &str) -> bool {
        dir.join(FILE).is_file()
    }

    fn pattern(&self, dir: &Path, _: &str, Typed { path, inside, .. }: Typed<'_>) -> Option<Pattern> {
        if inside.is_empty() {
            return Some(Pattern::All);
        }
        // What is wrong with it is said where the suite is opened.
        let (config, _) = config(&self.root, dir).ok()?;
        let CustomKind::Files { keep_extensions, .. } = config.kind else { return None };
        let tests = normalize(&dir.join(&config.dir));
        let Some(name) = path.strip_prefix(&tests).ok().and_then(Path::to_str) else {
            return tests.starts_with(path).then_some(Pattern::All);
        };
        if path.is_dir() {
            return Some(Pattern::of_path(name, true));
        }
        let name = if keep_extensions { name } else { stem(name) };
        path.is_file().then(|| Pattern::Exact(name.to_owned()))
    }

    fn choose(&self, dir: PathBuf, name: &str) -> Result<Option<Candidate<'_>>, OpenError> {
        if !self.recognizes(&dir, name) {
            return Ok(None);
        }
        let read = config(&self.root, &dir)?;
        Ok(Some(Candidate {
            name: name.to_owned(),
            dir,
            needs_build: read.0.needs_build(),
            also: None,
            open: Box::new(|opening| {
                let opening = CustomOpening {
                    name: opening.name,
                    dir: &opening.dir,
                    root: &self.root,
                    shell: self.shell.clone(),
                    build: self.build.clone(),
                    prefix: &self.prefix,
                    reading: opening.reading,
                    on_predictable_build: self.on_predictable_build,
                };
                opening.open(read)
            }),
        }))
    }
}
