//! Trees made for tests. Their engine is a shell script that runs each test's file as a shell script, so a test
//! can crash, hang, flood and leave children behind as it likes.

#![allow(dead_code, reason = "each integration test uses its own part of this")]

pub mod test262;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The real binary.
pub const RUNNER: &str = env!("CARGO_BIN_EXE_runner");

/// The engine: the last argument that ends in .js is the test. Without one it does nothing, as engines do.
const ENGINE: &str = r#"#!/bin/sh
for arg; do case $arg in *.js) test=$arg;; esac; done
[ -n "$test" ] || exit 0
exec /bin/sh "$test" "$@"
"#;

/// A build configuration with all the keys V8 9.2 writes.
pub const BUILD_CONFIG: &str = r#"{
  "dcheck_always_on": false, "is_android": false, "is_asan": false, "is_cfi": false, "is_clang": true,
  "is_debug": false, "is_full_debug": false, "is_gcov_coverage": false, "is_ubsan_vptr": false, "is_msan": false,
  "is_tsan": false, "target_cpu": "x64", "v8_target_cpu": "x64", "v8_enable_i18n_support": true,
  "v8_enable_verify_predictable": false, "v8_enable_concurrent_marking": true, "v8_enable_verify_csa": false,
  "v8_enable_lite_mode": false, "v8_enable_pointer_compression": true,
  "v8_enable_pointer_compression_shared_cage": true, "v8_control_flow_integrity": false,
  "v8_enable_single_generation": false, "v8_enable_third_party_heap": false, "v8_enable_webassembly": true
}
"#;

/// The keys of a build configuration that are false in an ordinary release build, from V8 11.5 on.
const OFF: [&str; 17] = [
    "asan",
    "cfi",
    "ubsan",
    "msan",
    "tsan",
    "component_build",
    "dcheck_always_on",
    "debugging_features",
    "verify_heap",
    "slow_dchecks",
    "is_android",
    "is_ios",
    "simulator_run",
    "verify_predictable",
    "full_debug",
    "lite_mode",
    "use_sanitizer",
];

/// A tree in a directory of its own, gone when dropped.
pub struct Fixture {
    dir: tempfile::TempDir,
}

impl Fixture {
    /// A tree with a build and an empty mjsunit.
    pub fn new() -> Self {
        let fixture = Self { dir: tempfile::tempdir().unwrap() };
        fixture.file("out/v8_build_config.json", BUILD_CONFIG);
        fixture.file("out/d8", ENGINE);
        fs::set_permissions(fixture.path("out/d8"), fs::Permissions::from_mode(0o755)).unwrap();
        fixture.file("test/mjsunit/mjsunit.js", "");
        fixture.status("[\n]\n");
        fixture
    }

    /// A tree with these mjsunit tests: name and script.
    pub fn with(tests: &[(&str, &str)]) -> Self {
        let fixture = Self::new();
        for (name, script) in tests {
            fixture.test(name, script);
        }
        fixture
    }

    /// A tree of V8 11.5 or later with these mjsunit tests.
    pub fn of_version((major, minor): (u32, u32), tests: &[(&str, &str)]) -> Self {
        let fixture = Self::with(tests);
        let header = format!("#define V8_MAJOR_VERSION {major}\n#define V8_MINOR_VERSION {minor}\n");
        fixture.file("include/v8-version.h", header);
        let off: String = OFF.iter().map(|key| format!("\"{key}\": false, ")).collect();
        fixture.file("out/v8_build_config.json", format!("{{{off}\"arch\": \"x64\", \"i18n\": true}}"));
        fixture
    }

    /// The root, as the runner sees it.
    pub fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    /// A path below the root.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// Writes a file below the root.
    pub fn file(&self, relative: &str, text: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Copies a directory of this repository, with all that is below it, to a place below the root.
    pub fn copy(&self, from: &str, to: &str) {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(from), &self.path(to));
    }

    /// Adds a mjsunit test.
    pub fn test(&self, name: &str, script: &str) {
        self.file(&format!("test/mjsunit/{name}.js"), format!("{script}\n"));
    }

    /// Replaces mjsunit's status file.
    pub fn status(&self, text: &str) {
        self.file("test/mjsunit/mjsunit.status", text);
    }

    /// The runner on this tree, not started yet. Its environment names the tree, so that whatever it leaves
    /// behind can be found.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(RUNNER);
        command
            .arg("--root")
            .arg(self.dir.path())
            .arg("--no-config")
            .args(args)
            .env("FIXTURE", self.dir.path())
            .env("FLOTILLA_HOME", self.dir.path().join("no-home"))
            .stdin(Stdio::null());
        command
    }

    /// Runs the runner to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran(self.command(args).output().unwrap())
    }

    /// Starts the runner.
    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The processes that still carry this tree in their environment.
    pub fn processes(&self) -> Vec<u32> {
        let wanted = format!("FIXTURE={}", self.dir.path().display());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
            if environ.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes()) {
                found.push(pid);
            }
        }
        found
    }
}

/// Copies a directory.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a command printed and how it ended.
pub struct Ran(pub Output);

impl Ran {
    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// Both streams, for messages of assertions.
    pub fn all(&self) -> String {
        format!("{:?}\n{}\n{}", self.0.status, self.stdout(), self.stderr())
    }
}

/// Waits until `condition` holds; panics with `what` after half a minute.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited too long until {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The JSON value in a file.
pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
