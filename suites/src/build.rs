//! The build under test: `v8_build_config.json`, or this host where nothing was built.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::dialect::{Dchecks, Dialect, Layout, Simulator};
use crate::error::OpenError;
use crate::mode::{Mode, classic_mode, unknown_mode};
use crate::options::{Options, Shell};
use crate::read::read;
use crate::said::{Key, config_keys};
use crate::status::{Variable, Variables};

const CONFIG_FILE: &str = "v8_build_config.json";

/// Architectures whose builds say which MIPS revision they are for.
const MIPS: [&str; 4] = ["mips", "mipsel", "mips64", "mips64el"];

/// Sanitizers, by their status variables.
const SANITIZERS: [&str; 5] = ["asan", "cfi_vptr", "msan", "tsan", "ubsan_vptr"];

/// What the configurations of classic trees do not say, by status variables: the runner's options did.
const UNCONFIGURED: [&str; 4] = ["cfi_vptr", "gcov_coverage", "predictable", "ubsan_vptr"];

/// A build's properties.
#[derive(Clone, Debug)]
pub struct Build {
    /// Where it is; `None` where the tree has none.
    pub dir: Option<PathBuf>,
    /// The architecture, as V8 calls it.
    pub arch: String,
    /// Its mode.
    pub mode: Mode,
    /// Status variables by name, with their values.
    properties: BTreeMap<String, bool>,
    /// The keys that its configuration has.
    keys: Vec<Key>,
    /// `mips_arch_variant` and whether MSA is used.
    mips: Option<(String, bool)>,
    simulator: bool,
    configured: bool,
}

impl Build {
    /// Finds and reads the build's configuration.
    ///
    /// # Errors
    /// A broken configuration, `--arch` or `--mode` at odds with it, or an `--outdir` without any.
    pub fn read(options: &Options, dialect: &Dialect) -> Result<Self, OpenError> {
        let keys = config_keys(&options.root, dialect);
        if dialect.layout == Layout::Bare {
            return Self::of_host(options, dialect, &keys);
        }
        let outdir = options.root.join(&options.outdir);
        let mut candidates = vec![outdir.clone()];
        if outdir.file_name().is_none_or(|name| name != "build") {
            candidates.push(outdir.join("build"));
        }
        // Where tools/dev/gm.py puts a build for V8's developers.
        if let (Some(arch), Some(mode)) = (&options.arch, &options.mode) {
            candidates.push(outdir.join(format!("{arch}.{mode}")));
        }
        for dir in candidates {
            if let Some(build) = Self::in_directory(dir, options, dialect, &keys)? {
                return Ok(build);
            }
        }
        // Where the programs are is known already.
        let placed = options.shell_dir.as_deref();
        if dialect.layout == Layout::PerMode
            && let Some(named) = placed.and_then(|dir| named(dir, options))
        {
            return Self::of_host(&named, dialect, &keys);
        }
        if dialect.layout == Layout::PerMode
            && placed.is_none()
            && let Some(build) = Self::of_name(&outdir, options, dialect, &keys)?
        {
            // What a build says of itself is more than its name does.
            let says = build.dir.clone().map(|dir| Self::in_directory(dir, options, dialect, &keys));
            return Ok(says.transpose()?.flatten().unwrap_or(build));
        }
        if options.outdir != Options::default().outdir && options.shell_dir.is_none() {
            return Err(OpenError::NoBuild(outdir));
        }
        Self::of_host(options, dialect, &keys)
    }

    /// The build in `dir`, if it says what it is.
    fn in_directory(
        dir: PathBuf,
        options: &Options,
        dialect: &Dialect,
        keys: &[Key],
    ) -> Result<Option<Self>, OpenError> {
        let file = dir.join(CONFIG_FILE);
        match read(&file) {
            Ok(bytes) => {
                let mut build = Self::configured(dir, &bytes, dialect, keys)
                    .map_err(|reason| OpenError::BuildConfig { file: file.clone(), reason })?;
                for variable in UNCONFIGURED.into_iter().filter(|_| dialect.layout == Layout::PerMode) {
                    let said = options.build_with.iter().any(|with| with == variable);
                    build.properties.insert(variable.into(), said);
                }
                build.agreed(options, dialect, &file).map(Some)
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(source) => Err(OpenError::Read { path: file, source }),
        }
    }

    fn configured(dir: PathBuf, bytes: &[u8], dialect: &Dialect, keys: &[Key]) -> Result<Self, String> {
        let config: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|e| format!("is no JSON object: {e}"))?;
        let text = |key: &str| match config.get(key) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(format!("the key '{key}' should be a string")),
            None => Err(format!("lacks the key '{key}'")),
        };
        let flag = |key: &str| match config.get(key) {
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(format!("the key '{key}' should be true or false")),
            None => Err(format!("lacks the key '{key}'")),
        };
        let cpu = text("v8_target_cpu")?;
        // In V8's land, GN's x86 is called ia32.
        let arch = if cpu == "x86" { "ia32".into() } else { cpu.clone() };
        let mut properties = BTreeMap::new();
        for key in keys {
            properties.insert(key.variable.clone(), flag(&key.key)? != key.inverted);
        }
        if dialect.layout == Layout::PerMode {
            for variable in UNCONFIGURED {
                properties.entry(variable.to_owned()).or_insert(false);
            }
        }
        let mips = if MIPS.contains(&arch.as_str()) {
            Some((text("mips_arch_variant")?, flag("mips_use_msa")?))
        } else {
            None
        };
        let is = |variable: &str| properties.get(variable) == Some(&true);
        let mode = match (is("is_debug"), is("dcheck_always_on"), dialect.dchecks) {
            (true, _, _) => Mode::Debug,
            (false, true, Dchecks::Mode) => Mode::ReleaseWithDchecks,
            _ => Mode::Release,
        };
        let simulator = match dialect.simulator {
            Simulator::Configured => text("target_cpu")? != cpu,
            Simulator::Foreign(_) => is_foreign(dialect, &arch),
        };
        Ok(Self {
            dir: Some(dir),
            arch,
            mode,
            properties,
            keys: keys.to_vec(),
            mips,
            simulator,
            configured: true,
        })
    }

    /// The build in `OUTDIR/ARCH.MODE` that the options choose; the only one, if they do not.
    fn of_name(
        outdir: &Path,
        options: &Options,
        dialect: &Dialect,
        keys: &[Key],
    ) -> Result<Option<Self>, OpenError> {
        let mode = options.mode.as_deref().map(classic_mode).transpose()?;
        let entries = std::fs::read_dir(outdir).into_iter().flatten().flatten();
        let mut found: Vec<String> = entries
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.split_once('.').is_some_and(|(_, mode)| classic_mode(mode).is_ok()))
            .collect();
        found.sort_unstable();
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
    fn of_host(options: &Options, dialect: &Dialect, keys: &[Key]) -> Result<Self, OpenError> {
        let mode = match options.mode.as_deref() {
            None | Some("release") => Mode::Release,
            Some("debug") => Mode::Debug,
            Some(other) if dialect.layout == Layout::PerMode => classic_mode(other)?,
            Some(other) => return Err(unknown_mode(other)),
        };
        Ok(Self::with_mode(options, dialect, keys, mode))
    }

    fn with_mode(options: &Options, dialect: &Dialect, keys: &[Key], mode: Mode) -> Self {
        let mut properties: BTreeMap<_, _> =
            keys.iter().map(|key| (key.variable.clone(), key.unbuilt)).collect();
        properties.insert("is_debug".into(), mode.has_debug_flags());
        if dialect.layout == Layout::PerMode {
            for variable in UNCONFIGURED {
                properties.entry(variable.to_owned()).or_insert(false);
            }
        }
        for (variable, value) in &mut properties {
            *value |= options.build_with.iter().any(|with| with == variable);
        }
        let arch = options.arch.clone().unwrap_or_else(|| host_arch().into());
        Self {
            dir: None,
            mode,
            properties,
            keys: keys.to_vec(),
            mips: None,
            simulator: is_foreign(dialect, &arch),
            arch,
            configured: false,
        }
    }

    /// `--arch` and `--mode` must say what the configuration says; modes of V8's own may say more.
    fn agreed(mut self, options: &Options, dialect: &Dialect, file: &Path) -> Result<Self, OpenError> {
        if let Some(arch) = options.arch.as_ref().filter(|arch| **arch != self.arch) {
            return Err(OpenError::Option {
                option: "--arch",
                value: arch.clone(),
                reason: format!("the build is for {} ({})", self.arch, file.display()),
            });
        }
        let Some(said) = options.mode.as_deref() else { return Ok(self) };
        let mode = match classic_mode(said)? {
            // What a checked release build counts as, later versions read from its configuration.
            Mode::TryRelease | Mode::SlowRelease if dialect.dchecks == Dchecks::Mode => {
                return Err(unknown_mode(said));
            }
            mode => mode,
        };
        if mode.has_debug_flags() != (self.mode == Mode::Debug) {
            return Err(OpenError::Option {
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

    /// Whether a property holds, by its status variable.
    pub fn is(&self, variable: &str) -> bool {
        self.properties.get(variable) == Some(&true)
    }

    /// Whether a configuration says what it is.
    pub fn is_configured(&self) -> bool {
        self.configured
    }

    /// Whether any sanitizer is built in.
    pub fn sanitized(&self) -> bool {
        SANITIZERS.iter().any(|sanitizer| self.is(sanitizer))
    }

    /// What V8's runner prints under "Autodetected"; nothing where nothing was built.
    pub fn detected(&self) -> Vec<String> {
        let shown = |key: &Key| key.shown.clone().filter(|_| self.is(&key.variable));
        match &self.dir {
            Some(_) => self.keys.iter().filter_map(shown).collect(),
            None => Vec::new(),
        }
    }

    /// The variables of status file conditions. `extra_flags` are those of the whole run.
    pub fn variables(&self, options: &Options, extra_flags: &[String], dialect: &Dialect) -> Variables {
        let mut variables = Variables::default();
        for (name, value) in &self.properties {
            if !matches!(name.as_str(), "is_android" | "is_debug") {
                variables.set(name, *value);
            }
        }
        // V8 11: builds whose isolates cannot share memory.
        if self.properties.contains_key("shared_ro_heap") {
            let cages = self.is("pointer_compression") && !self.is("pointer_compression_shared_cage");
            let barriers = self.properties.get("write_barriers") != Some(&false);
            variables.set("no_js_shared_memory", !self.is("shared_ro_heap") || cages || !barriers);
        }
        // V8 7.9 still names no_snap, and its builds no longer say it.
        for name in ["deopt_fuzzer", "endurance_fuzzer", "no_snap"] {
            if !self.properties.contains_key(name) {
                variables.set(name, false);
            }
        }
        variables.set("novfp3", options.novfp3);
        variables.set("gc_fuzzer", options.random_gc_stress);
        variables.set("arch", self.arch.as_str());
        variables.set("byteorder", if cfg!(target_endian = "big") { "big" } else { "little" });
        variables.set("gc_stress", options.gc_stress || options.random_gc_stress);
        variables.set("isolates", options.isolates);
        variables.set("no_harness", options.no_harness);
        let dchecks = self.is("dcheck_always_on") && dialect.dchecks != Dchecks::Ignored;
        let debug = self.mode.counts_as_debug() || dchecks;
        variables.set("mode", if debug { "debug" } else { "release" });
        variables.set("system", if self.is("is_android") { "android" } else { host_system() });
        variables.set("simulator_run", self.simulator && !options.slow_simulator_tests);
        // V8 7.0: as simulator_run, but for these architectures only.
        let simulator = ["mipsel", "arm", "arm64"].contains(&self.arch.as_str()) && self.simulator;
        variables.set("simulator", simulator);
        variables.set("optimize_for_size", extra_flags.iter().any(|flag| flag == "--optimize-for-size"));
        let (mips_variant, simd_mips) = match &self.mips {
            Some((variant, msa)) => (Variable::Text(variant.clone()), variant == "r6" && *msa),
            None => (Variable::Bool(false), false),
        };
        variables.set("mips_arch_variant", mips_variant);
        variables.set("simd_mips", simd_mips);
        // V8's list of five lacks a comma between its second and third, so that those two match nothing.
        let without_simd =
            ["--noenable-sse3", "--no-enable-ssse3", "--noenable-sse4-1", "--no-enable-sse4_1"];
        let no_simd = match self.arch.as_str() {
            "mips64el" | "mipsel" => !simd_mips,
            _ => extra_flags.iter().any(|flag| without_simd.contains(&flag.as_str())),
        };
        variables.set("no_simd_hardware", no_simd);
        // Its name in V8 9.1.
        variables.set("no_simd_sse", no_simd);
        variables
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
    matches!(dialect.simulator, Simulator::Foreign(archs) if archs.contains(&arch) && arch != host_arch())
}

/// This host's architecture, as V8 calls it.
pub fn host_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "x86" => "ia32",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// This host's system, as status files call it.
fn host_system() -> &'static str {
    std::env::consts::OS
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::dialect::{V5_4, V7_0, V8_4, V9_2};

    fn config(changes: &[(&str, Value)]) -> Vec<u8> {
        let mut config = Map::new();
        for key in V9_2.config.iter().chain(V7_0.config) {
            config.insert(key.key.into(), Value::Bool(key.inverted));
        }
        for cpu in ["target_cpu", "v8_target_cpu"] {
            config.insert(cpu.into(), "x64".into());
        }
        for (key, value) in changes {
            config.insert((*key).into(), value.clone());
        }
        serde_json::to_vec(&config).unwrap()
    }

    fn keys(dialect: &Dialect) -> Vec<Key> {
        dialect.config.iter().map(Key::from).collect()
    }

    fn build(dialect: &Dialect, changes: &[(&str, Value)]) -> Build {
        Build::configured("out".into(), &config(changes), dialect, &keys(dialect)).unwrap()
    }

    #[test]
    fn a_configuration_gives_variables() {
        let build = build(
            &V9_2,
            &[
                ("v8_target_cpu", "x86".into()),
                ("v8_enable_webassembly", true.into()),
                ("v8_enable_i18n_support", false.into()),
            ],
        );
        let variables = build.variables(&Options::default(), &["--optimize-for-size".into()], &V9_2);
        assert_eq!(variables.get("arch"), Some(&"ia32".into()));
        assert!(
            variables.is("has_webassembly") && variables.is("no_i18n") && variables.is("optimize_for_size")
        );
        assert!(variables.is("simulator_run"), "target_cpu is another one");
        assert_eq!(build.detected(), ["no_i18n", "webassembly"]);
        assert_eq!(variables.get("mips_arch_variant"), Some(&false.into()));
    }

    #[test]
    fn checks_make_a_mode_only_where_they_did() {
        let label = |dialect| {
            let build = build(dialect, &[("dcheck_always_on", true.into())]);
            (build.mode.label(), build.variables(&Options::default(), &[], dialect).get("mode").cloned())
        };
        assert_eq!(label(&V9_2), ("release+dchecks", Some("debug".into())));
        assert_eq!(label(&V8_4), ("release", Some("debug".into())));
        assert_eq!(label(&V7_0), ("release", Some("release".into())));
        assert_eq!(
            build(&V9_2, &[("is_debug", true.into()), ("dcheck_always_on", true.into())]).mode,
            Mode::Debug
        );
    }

    #[test]
    fn broken_configurations_are_refused_with_the_key() {
        let refused = |bytes: &[u8]| Build::configured("out".into(), bytes, &V9_2, &keys(&V9_2)).unwrap_err();
        assert!(refused(b"{").starts_with("is no JSON object: EOF"));
        assert_eq!(refused(b"{}"), "lacks the key 'v8_target_cpu'");
        assert_eq!(refused(&config(&[("is_asan", 1.into())])), "the key 'is_asan' should be true or false");
        assert_eq!(
            refused(&config(&[("v8_target_cpu", "mips64el".into())])),
            "lacks the key 'mips_arch_variant'"
        );
    }

    #[test]
    fn options_must_agree_with_the_build() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("out/build")).unwrap();
        fs::write(root.path().join("out/build").join(CONFIG_FILE), config(&[])).unwrap();
        let options = |arch: Option<&str>, mode: Option<&str>| Options {
            root: root.path().into(),
            arch: arch.map(String::from),
            mode: mode.map(String::from),
            ..Options::default()
        };
        let read = |arch, mode| Build::read(&options(arch, mode), &V9_2);
        assert_eq!(read(Some("x64"), Some("release")).unwrap().dir, Some(root.path().join("out/build")));
        let refused = read(Some("arm"), None).unwrap_err();
        assert!(
            refused.to_string().starts_with("the value 'arm' of --arch cannot be used: the build is for x64")
        );
        assert_eq!(refused.exit_code(), 2);
        assert!(read(None, Some("debug")).unwrap_err().to_string().contains("the build's mode is release"));
        assert!(
            read(None, Some("tryrelease")).unwrap_err().to_string().contains("neither debug nor release")
        );
        assert!(
            read(None, Some("optdebug")).unwrap_err().to_string().contains("the build's mode is release")
        );
        let older = |mode| Build::read(&options(None, Some(mode)), &V8_4).map(|build| build.mode);
        assert_eq!(older("slowrelease").unwrap(), Mode::SlowRelease);
        assert!(older("debug").is_err());
    }

    #[test]
    fn classic_builds_are_known_by_their_directory() {
        let root = tempfile::tempdir().unwrap();
        let options = |arch: Option<&str>, mode: Option<&str>| Options {
            root: root.path().into(),
            arch: arch.map(String::from),
            mode: mode.map(String::from),
            ..Options::default()
        };
        let read = |arch, mode| Build::read(&options(arch, mode), &V5_4);
        assert_eq!(read(None, None).unwrap().dir, None);
        for dir in ["x64.release", "gen", "x64.nonsense"] {
            fs::create_dir_all(root.path().join("out").join(dir)).unwrap();
        }
        let build = read(None, None).unwrap();
        assert_eq!((build.arch.as_str(), build.mode), ("x64", Mode::Release));
        assert_eq!(build.dir, Some(root.path().join("out/x64.release")));
        let build = read(Some("x64"), Some("slowrelease")).unwrap();
        assert_eq!((build.mode, build.dir), (Mode::SlowRelease, Some(root.path().join("out/x64.release"))));
        fs::create_dir_all(root.path().join("out/arm.debug")).unwrap();
        assert_eq!(read(Some("arm"), None).unwrap().mode, Mode::Debug);
        let several = read(None, None).unwrap_err().to_string();
        assert!(several.ends_with("\n    builds here: arm.debug x64.release"), "{several}");
        let none = read(Some("arm"), Some("release")).unwrap_err();
        assert!(
            none.to_string().starts_with("there is no build of this architecture and mode in "),
            "{none}"
        );
        assert!(
            read(None, Some("fast")).unwrap_err().to_string().contains("none of release, debug, optdebug")
        );
        let variables = build_variables(&read(Some("x64"), Some("tryrelease")).unwrap());
        assert_eq!(variables.get("mode"), Some(&"debug".into()));
    }

    #[test]
    fn an_engine_that_is_named_needs_no_build_of_its_kind() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("out/x64.release")).unwrap();
        let foreign = if host_arch() == "arm" { "mips" } else { "arm" };
        let options = |shell: Shell, dir: Option<&str>| Options {
            root: root.path().into(),
            arch: Some(foreign.into()),
            mode: Some("debug".into()),
            shell,
            shell_dir: dir.map(Into::into),
            ..Options::default()
        };
        let read = |options: &Options| Build::read(options, &V5_4);
        assert!(read(&options(Shell::FromTree, None)).is_err());
        for options in [options(Shell::Builtin, None), options(Shell::FromTree, Some("elsewhere"))] {
            let build = read(&options).unwrap();
            assert_eq!((build.dir.as_ref(), build.arch.as_str(), build.mode), (None, foreign, Mode::Debug));
            let simulator = |options: &Options| build.variables(options, &[], &V5_4).is("simulator_run");
            assert!(simulator(&options));
            assert!(!simulator(&Options { slow_simulator_tests: true, ..options }));
        }
        let unsaid =
            Options { arch: None, mode: None, ..options(Shell::FromTree, Some("out/arm64.optdebug")) };
        let build = read(&unsaid).unwrap();
        assert_eq!((build.arch.as_str(), build.mode), ("arm64", Mode::OptDebug));
    }

    fn build_variables(build: &Build) -> Variables {
        build.variables(&Options::default(), &[], &V5_4)
    }

    #[test]
    fn without_a_build_this_host_counts() {
        let root = tempfile::tempdir().unwrap();
        let mut options = Options { root: root.path().into(), ..Options::default() };
        let build = Build::read(&options, &V9_2).unwrap();
        assert_eq!((build.arch.as_str(), build.mode), (host_arch(), Mode::Release));
        assert!(build.is("has_webassembly") && !build.sanitized());
        options.mode = Some("debug".into());
        options.arch = Some("arm".into());
        let build = Build::read(&options, &V9_2).unwrap();
        assert_eq!((build.arch.as_str(), build.mode), ("arm", Mode::Debug));
        options.outdir = "elsewhere".into();
        assert!(matches!(Build::read(&options, &V9_2), Err(OpenError::NoBuild(_))));
    }
}
