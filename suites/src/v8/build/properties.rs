//! A build: its properties, from its configuration or from options.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::config;
use super::host::host_arch;
use super::locate::{self, LocatedBuild};
use super::stated::Mips;
use crate::expectations::Variable;
use crate::kit::error::OpenError;
use crate::kit::options::{Options, Shell};
use crate::v8::dialect::{Dchecks, Dialect, Layout, Property, SANITIZED, Simulator};
use crate::v8::mode::{Mode, classic_mode, unknown_mode};
use crate::v8::runner_source::{Key, Keys, build_keys};

/// What the configurations of classic trees do not say, by status variables: the runner's options did.
const UNCONFIGURED: [&str; 4] = ["cfi_vptr", "gcov_coverage", "predictable", "ubsan_vptr"];

/// Names under which options say what a build was made with, and the properties they mean.
const MADE_WITH: [(&str, Property); 8] = [
    ("asan", Property::Asan),
    ("cfi_vptr", Property::Cfi),
    ("dcheck_always_on", Property::Dchecks),
    ("msan", Property::Msan),
    ("no_i18n", Property::NoI18n),
    ("predictable", Property::Predictable),
    ("tsan", Property::Tsan),
    ("ubsan_vptr", Property::Ubsan),
];

/// A build's properties.
#[derive(Clone, Debug)]
pub struct Build {
    /// Where it is; `None` where the tree has none.
    pub dir: Option<PathBuf>,
    /// The architecture, as V8 calls it.
    pub arch: String,
    /// Its mode.
    pub mode: Mode,
    /// Its configuration, if it has one.
    pub config: Option<PathBuf>,
    /// Keys that its configuration should have and has not; only in trees newer than what is known.
    pub missing: Vec<String>,
    /// Status variables by name, with their values.
    pub(super) variables: BTreeMap<String, Variable>,
    /// How the runner's own properties are called among them.
    properties: &'static [(Property, &'static str)],
    /// The keys that its configuration has, where they are known by name.
    keys: Vec<Key>,
    pub(super) mips: Option<Mips>,
    pub(super) simulator: bool,
}

impl Build {
    /// ` (ninja -C out/x64.release d8)` for a program of this build's directory; empty for one that lies elsewhere.
    pub fn how_to_make(&self, program: &Path, root: &Path) -> String {
        let inside = self.dir.as_deref().and_then(|dir| Some((dir, program.strip_prefix(dir).ok()?)));
        let Some((dir, target)) = inside else { return String::new() };
        let dir = dir.strip_prefix(root).unwrap_or(dir);
        format!(" (ninja -C {} {})", dir.display(), target.display())
    }

    /// Finds and reads the build's configuration. `lenient`: as in [`config::read`].
    ///
    /// # Errors
    /// A broken configuration, `--arch` or `--mode` at odds with it, an `--outdir` without any, or several builds of which
    /// none is chosen.
    pub fn read(options: &Options, dialect: &Dialect, lenient: bool) -> Result<Self, OpenError> {
        let keys = build_keys(&options.root, dialect);
        if dialect.layout == Layout::Bare {
            return Self::of_host(options, dialect, &keys);
        }
        if let Some(found) = locate::find(options)? {
            return Self::configured(found, options, dialect, &keys, lenient);
        }
        // Where the programs are is known already.
        let placed = options.shell_dir.as_deref();
        if dialect.layout == Layout::PerMode
            && let Some(named) = placed.and_then(|dir| named(dir, options))
        {
            return Self::of_host(&named, dialect, &keys);
        }
        let outdir = options.root.join(&options.outdir);
        if dialect.layout == Layout::PerMode
            && placed.is_none()
            && let Some(build) = Self::of_name(&outdir, options, dialect, &keys)?
        {
            // What a build says of itself is more than its name does.
            let says = build.dir.clone().map(locate::in_directory).transpose()?.flatten();
            return match says {
                Some(found) => Self::configured(found, options, dialect, &keys, lenient),
                None => Ok(build),
            };
        }
        if options.outdir != Options::default().outdir && options.shell_dir.is_none() {
            return Err(OpenError::NoBuild { dir: outdir, found: locate::builds(&options.root) });
        }
        Self::of_host(options, dialect, &keys)
    }

    /// The build that says what it is.
    fn configured(
        found: LocatedBuild,
        options: &Options,
        dialect: &Dialect,
        keys: &Keys,
        lenient: bool,
    ) -> Result<Self, OpenError> {
        let LocatedBuild { dir, file, bytes } = found;
        let said = config::read(&bytes, dialect, keys, lenient)
            .map_err(|reason| OpenError::BuildConfig { file: file.clone(), reason })?;
        let mut variables = said.variables;
        for variable in UNCONFIGURED.into_iter().filter(|_| dialect.layout == Layout::PerMode) {
            let said = options.build_with.iter().any(|with| with == variable);
            variables.insert(variable.into(), said.into());
        }
        let simulator = said.simulator.unwrap_or_else(|| is_foreign(dialect, &said.arch));
        let mut build = Self {
            dir: Some(dir),
            arch: said.arch,
            mode: Mode::Release,
            config: Some(file.clone()),
            missing: said.missing,
            variables,
            properties: dialect.build.properties,
            keys: by_name(keys),
            mips: said.mips,
            simulator,
        };
        build.mode = match (build.has(Property::Debug), build.has(Property::Dchecks), dialect.build.dchecks) {
            (true, _, _) => Mode::Debug,
            (false, true, Dchecks::Mode) => Mode::ReleaseWithDchecks,
            _ => Mode::Release,
        };
        build.agreed(options, dialect, &file)
    }

    /// The build in `OUTDIR/ARCH.MODE` that the options choose; the only one, if they do not.
    fn of_name(
        outdir: &Path,
        options: &Options,
        dialect: &Dialect,
        keys: &Keys,
    ) -> Result<Option<Self>, OpenError> {
        let mode = options.mode.as_deref().map(classic_mode).transpose()?;
        let found = locate::classic(outdir);
        if found.is_empty() {
            return Ok(None);
        }
        let fits = |name: &&String| {
            let (arch, folder) = name.split_once('.').unwrap_or_default();
            options.arch.as_deref().is_none_or(|wanted| wanted == arch)
                && mode.is_none_or(|mode| mode.folder() == folder)
        };
        let fitting: Vec<&String> = found.iter().filter(fits).collect();
        let refuse = |reason: &str, found: Vec<String>| {
            Err(OpenError::NoBuildOf { reason: reason.into(), outdir: outdir.into(), found })
        };
        let [name] = fitting.as_slice() else {
            let reason = match fitting.as_slice() {
                // An engine that was named needs no build.
                [] if options.shell != Shell::FromTree => return Ok(None),
                [] => "there is no build of this architecture and mode",
                _ => "there are several builds, of which --arch and --mode must choose one,",
            };
            return refuse(reason, found);
        };
        let (arch, folder) = name.split_once('.').unwrap_or_default();
        let mode = match mode {
            Some(mode) => mode,
            None => classic_mode(folder)?,
        };
        let options = Options { arch: Some(arch.into()), ..options.clone() };
        let mut build = Self::with_mode(&options, dialect, keys, mode);
        build.dir = Some(outdir.join(name));
        Ok(Some(build))
    }

    /// What holds where nothing was built: this host's architecture, an ordinary release.
    fn of_host(options: &Options, dialect: &Dialect, keys: &Keys) -> Result<Self, OpenError> {
        let mode = match options.mode.as_deref() {
            None | Some("release") => Mode::Release,
            Some("debug") => Mode::Debug,
            Some(other) if dialect.layout == Layout::PerMode => classic_mode(other)?,
            Some(other) => return Err(unknown_mode(other)),
        };
        Ok(Self::with_mode(options, dialect, keys, mode))
    }

    fn with_mode(options: &Options, dialect: &Dialect, keys: &Keys, mode: Mode) -> Self {
        let arch = options.arch.clone().unwrap_or_else(|| host_arch().into());
        let mut variables: BTreeMap<String, Variable> = match keys {
            Keys::Named(keys) => keys.iter().map(|key| (key.variable.clone(), key.unbuilt.into())).collect(),
            Keys::Every { unbuilt, .. } => {
                let cpus = ["arch", "current_cpu", "target_cpu", "v8_current_cpu", "v8_target_cpu"];
                let texts = cpus.into_iter().map(|name| (name.to_owned(), arch.as_str().into()));
                let flags = unbuilt.iter().map(|(name, value)| (name.clone(), (*value).into()));
                texts.chain([("mips_arch_variant".to_owned(), "".into())]).chain(flags).collect()
            }
        };
        if dialect.layout == Layout::PerMode {
            for variable in UNCONFIGURED {
                variables.entry(variable.to_owned()).or_insert(false.into());
            }
        }
        let mut build = Self {
            dir: None,
            mode,
            config: None,
            missing: Vec::new(),
            variables,
            properties: dialect.build.properties,
            keys: by_name(keys),
            mips: None,
            simulator: is_foreign(dialect, &arch),
            arch,
        };
        build.set(Property::Debug, mode.has_debug_flags());
        for with in &options.build_with {
            match MADE_WITH.iter().find(|(name, _)| name == with) {
                Some((_, property)) => build.set(*property, true),
                None => {
                    build.variables.entry(with.clone()).and_modify(|value| *value = true.into());
                }
            }
        }
        build
    }

    /// `--arch` and `--mode` must say what the configuration says; modes of V8's own may say more.
    fn agreed(mut self, options: &Options, dialect: &Dialect, file: &Path) -> Result<Self, OpenError> {
        if let Some(arch) = options.arch.as_ref().filter(|arch| **arch != self.arch) {
            return Err(OpenError::OtherBuild {
                option: "--arch",
                value: arch.clone(),
                reason: format!("the build is for {} ({})", self.arch, file.display()),
            });
        }
        let Some(said) = options.mode.as_deref() else { return Ok(self) };
        let mode = match classic_mode(said)? {
            // What a checked release build counts as, later versions read from its configuration.
            Mode::TryRelease | Mode::SlowRelease if dialect.build.dchecks == Dchecks::Mode => {
                return Err(unknown_mode(said));
            }
            mode => mode,
        };
        if mode.has_debug_flags() != (self.mode == Mode::Debug) {
            return Err(OpenError::OtherBuild {
                option: "--mode",
                value: said.into(),
                reason: format!("the build's mode is {} ({})", self.mode.label(), file.display()),
            });
        }
        if !matches!(mode, Mode::Release | Mode::Debug) {
            self.mode = mode;
        }
        Ok(self)
    }

    /// Whether a status variable of the build is true. [`SANITIZED`] is of any build with a sanitizer.
    pub fn is(&self, variable: &str) -> bool {
        match self.variables.get(variable) {
            None if variable == SANITIZED => Property::SANITIZERS.iter().any(|property| self.has(*property)),
            value => value.is_some_and(Variable::is_true),
        }
    }

    /// Whether the build has a property.
    pub fn has(&self, property: Property) -> bool {
        self.properties.iter().any(|(known, variable)| *known == property && self.holds(variable))
    }

    /// Whether a condition that [`BuildRules::renamed`] or [`BuildRules::properties`] give holds.
    ///
    /// [`BuildRules::renamed`]: crate::v8::dialect::BuildRules::renamed
    /// [`BuildRules::properties`]: crate::v8::dialect::BuildRules::properties
    pub(super) fn holds(&self, variable: &str) -> bool {
        match variable.strip_prefix('!') {
            Some(opposite) => self.variables.get(opposite).is_some_and(|value| !value.is_true()),
            None => self.is(variable),
        }
    }

    fn set(&mut self, property: Property, holds: bool) {
        let Some((_, variable)) = self.properties.iter().find(|(known, _)| *known == property) else {
            return;
        };
        match variable.strip_prefix('!') {
            Some(opposite) => self.variables.insert(opposite.into(), (!holds).into()),
            None => self.variables.insert((*variable).into(), holds.into()),
        };
    }

    /// Whether it was made with what an option says.
    pub fn was_made_with(&self, option: &str) -> bool {
        match MADE_WITH.iter().find(|(name, _)| *name == option) {
            Some((_, property)) => self.has(*property),
            None => self.is(option),
        }
    }

    /// Whether a configuration says what it is.
    pub fn is_configured(&self) -> bool {
        self.config.is_some()
    }

    /// Whether the keys of its configuration are known by name.
    pub(super) fn has_named_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The status variables that its configuration gives.
    pub fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// What V8's runner prints under "Autodetected", and what from V8 11.5 on it calls the build's own options; nothing
    /// where nothing was built.
    pub fn detected(&self) -> Vec<String> {
        if self.dir.is_none() {
            return Vec::new();
        }
        if !self.keys.is_empty() {
            let shown = |key: &Key| key.shown.clone().filter(|_| self.is(&key.variable));
            return self.keys.iter().filter_map(shown).collect();
        }
        let shown = |(name, value): (&String, &Variable)| match value {
            Variable::Bool(true) => Some(name.clone()),
            Variable::Text(text) if !text.is_empty() => Some(format!("{name}=\"{text}\"")),
            _ => None,
        };
        self.variables.iter().filter_map(shown).collect()
    }
}

/// The keys, where they are known by name.
fn by_name(keys: &Keys) -> Vec<Key> {
    match keys {
        Keys::Named(keys) => keys.clone(),
        Keys::Every { .. } => Vec::new(),
    }
}

/// The options with the architecture and mode that a directory's name says, where they say none.
fn named(dir: &Path, options: &Options) -> Option<Options> {
    let name = dir.file_name()?.to_str()?;
    let (arch, mode) = name.split_once('.').filter(|(_, mode)| classic_mode(mode).is_ok()).unzip();
    let own = |said: &Option<String>, name: Option<&str>| said.clone().or_else(|| name.map(String::from));
    Some(Options { arch: own(&options.arch, arch), mode: own(&options.mode, mode), ..options.clone() })
}

/// Whether a version tells a simulator by its architecture, and this is one that only a simulator runs here.
fn is_foreign(dialect: &Dialect, arch: &str) -> bool {
    matches!(dialect.build.simulator, Simulator::Foreign(archs) if archs.contains(&arch) && arch != host_arch())
}
