//! What sanitizers are told through the environment (`_setup_env` of V8 7 to 9, `SetupEnvironment` of V8 5).
//!
//! Paths are as seen from the root, in which tests run here and on peers.

use std::collections::BTreeMap;
use std::path::Path;

use crate::kit::options::Options;
use crate::v8::build::{Build, host_arch};
use crate::v8::dialect::{Dialect, Layout, Property};

/// What makes addresses names, where the tree has it: told of one that is not there, sanitizers would not look for
/// another.
pub const SYMBOLIZER: &str = "third_party/llvm-build/Release+Asserts/bin/llvm-symbolizer";
/// Races that V8 knows of.
const TSAN_SUPPRESSIONS: &str = "tools/sanitizers/tsan_suppressions.txt";

/// The variables of a build's tests. What the caller's own environment says of the same variable comes last, where
/// sanitizers let it win.
pub fn environment(build: &Build, options: &Options, dialect: &Dialect) -> BTreeMap<String, String> {
    let classic = dialect.layout == Layout::PerMode;
    let symbolizer = || -> Vec<String> {
        let native_arm64 = cfg!(target_os = "linux") && build.arch == "arm64" && host_arch() == "arm64";
        let path = dialect.arm64_symbolizer.filter(|_| native_arm64).unwrap_or(SYMBOLIZER);
        let there = options.root.join(path).is_file();
        there.then(|| format!("external_symbolizer_path={path}")).into_iter().collect()
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut told: Vec<(&str, Vec<String>, &str)> = Vec::new();
    if build.has(Property::Asan) {
        let more: &[&str] = if classic {
            &[]
        } else if cfg!(target_os = "linux") {
            &["allow_user_segv_handler=1", "allocator_may_return_null=1", "detect_leaks=1"]
        } else {
            &["allow_user_segv_handler=1", "allocator_may_return_null=1", "detect_leaks=0"]
        };
        let (first, leaks) = more.split_at(more.len().saturating_sub(1));
        let components = match build.has(Property::ComponentBuild) {
            true => words(dialect.asan_options_of_components),
            false => Vec::new(),
        };
        told.push(("ASAN_OPTIONS", [symbolizer(), words(first), components, words(leaks)].concat(), ":"));
    }
    if build.has(Property::Ubsan) {
        told.push(("UBSAN_OPTIONS", [words(&["print_stacktrace=1"]), symbolizer()].concat(), ":"));
    } else if build.has(Property::Cfi) {
        let all = [words(&["print_stacktrace=1", "print_summary=1", "symbolize=1"]), symbolizer()].concat();
        told.push(("UBSAN_OPTIONS", all, ":"));
    }
    if build.has(Property::Msan) {
        told.push(("MSAN_OPTIONS", symbolizer(), ":"));
    }
    if build.has(Property::Tsan) {
        let known = options.root.join(TSAN_SUPPRESSIONS).is_file();
        let known = known.then(|| format!("suppressions={TSAN_SUPPRESSIONS}")).into_iter().collect();
        let rest =
            words(&["exit_code=0", "report_thread_leaks=0", "history_size=7", "report_destroy_locked=0"]);
        told.push(("TSAN_OPTIONS", [symbolizer(), known, rest].concat(), " "));
    }
    // V8 lets this replace what it has told AddressSanitizer before.
    if let Some(dir) = &options.coverage_dir {
        told.retain(|(name, ..)| *name != "ASAN_OPTIONS");
        let dir = format!("coverage_dir={}", quoted(dir));
        let more: &[&str] = if classic { &[] } else { &["allow_user_segv_handler=1"] };
        told.push((
            "ASAN_OPTIONS",
            [words(&["coverage=1"]), vec![dir], symbolizer(), words(more)].concat(),
            ":",
        ));
    }
    let mut environment = BTreeMap::new();
    for (name, mut words, between) in told {
        words.extend(options.sanitizer_options.get(name).cloned());
        // V8 sets a variable without anything to say as well.
        environment.insert(name.to_owned(), words.join(between));
    }
    environment
}

/// A path as sanitizers read it: what separates options is quoted.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.contains([':', ' ', ',']) { format!("\"{text}\"") } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::v8::dialect::{V5_4, V7_0, V9_2};

    /// What the tests of a build with these properties are told.
    fn told(dialect: &Dialect, with: &[&str], change: impl FnOnce(&mut Options)) -> BTreeMap<String, String> {
        let root = tempfile::tempdir().unwrap();
        for file in [SYMBOLIZER, TSAN_SUPPRESSIONS] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let build_with = with.iter().map(|word| (*word).into()).collect();
        let mut options = Options { root: root.path().into(), build_with, ..Options::default() };
        change(&mut options);
        let build = Build::read(&options, dialect, false).unwrap();
        environment(&build, &options, dialect)
    }

    fn one<'a>(told: &'a BTreeMap<String, String>, name: &str) -> &'a str {
        assert_eq!(told.len(), 1, "{told:?}");
        &told[name]
    }

    #[test]
    fn a_plain_build_is_told_nothing() {
        assert!(told(&V9_2, &[], |_| ()).is_empty());
        let own = |options: &mut Options| {
            options.sanitizer_options.insert("ASAN_OPTIONS".into(), "x=1".into());
        };
        assert!(told(&V9_2, &[], own).is_empty(), "it keeps what it inherits");
    }

    #[test]
    fn each_sanitizer_is_told_what_v8_tells_it() {
        let symbolizer = format!("external_symbolizer_path={SYMBOLIZER}");
        let asan = told(&V9_2, &["asan"], |_| ());
        let leaks = if cfg!(target_os = "linux") { 1 } else { 0 };
        assert_eq!(
            one(&asan, "ASAN_OPTIONS"),
            format!(
                "{symbolizer}:allow_user_segv_handler=1:allocator_may_return_null=1:detect_leaks={leaks}"
            )
        );
        assert_eq!(one(&told(&V5_4, &["asan"], |_| ()), "ASAN_OPTIONS"), symbolizer);
        assert_eq!(one(&told(&V7_0, &["msan"], |_| ()), "MSAN_OPTIONS"), symbolizer);
        assert_eq!(
            one(&told(&V9_2, &["tsan"], |_| ()), "TSAN_OPTIONS"),
            format!(
                "{symbolizer} suppressions={TSAN_SUPPRESSIONS} exit_code=0 report_thread_leaks=0 history_size=7 \
                 report_destroy_locked=0"
            )
        );
        assert_eq!(
            one(&told(&V9_2, &["ubsan_vptr"], |_| ()), "UBSAN_OPTIONS"),
            format!("print_stacktrace=1:{symbolizer}")
        );
        assert_eq!(
            one(&told(&V9_2, &["cfi_vptr"], |_| ()), "UBSAN_OPTIONS"),
            format!("print_stacktrace=1:print_summary=1:symbolize=1:{symbolizer}")
        );
    }

    #[test]
    fn what_the_caller_says_comes_last() {
        let own = |options: &mut Options| {
            options.sanitizer_options.insert("ASAN_OPTIONS".into(), "detect_leaks=0".into());
        };
        assert!(one(&told(&V9_2, &["asan"], own), "ASAN_OPTIONS").ends_with(":detect_leaks=0"));
    }

    #[test]
    fn coverage_goes_to_its_directory_in_any_build() {
        let dir = |options: &mut Options| options.coverage_dir = Some("/tmp/a b".into());
        let symbolizer = format!("external_symbolizer_path={SYMBOLIZER}");
        let expected = format!("coverage=1:coverage_dir=\"/tmp/a b\":{symbolizer}");
        assert_eq!(one(&told(&V5_4, &["asan"], dir), "ASAN_OPTIONS"), expected);
        let expected = format!("{expected}:allow_user_segv_handler=1");
        assert_eq!(one(&told(&V9_2, &[], dir), "ASAN_OPTIONS"), expected);
    }

    #[test]
    fn a_symbolizer_that_is_not_there_is_not_named() {
        let gone = |options: &mut Options| fs::remove_file(options.root.join(SYMBOLIZER)).unwrap();
        assert_eq!(one(&told(&V9_2, &["msan"], gone), "MSAN_OPTIONS"), "");
    }
}
