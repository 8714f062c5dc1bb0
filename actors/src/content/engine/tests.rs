//! Engines and libraries made by the C compiler that building this project needs anyway.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flotilla_messages::for_tests::skipped;
use flotilla_messages::packet::{Native, Version};

use super::elf;
use super::version::numbered;
use super::{Host, Survey, survey};

/// A directory in which C is compiled.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    /// Compiles this text into a file of the directory.
    fn compile(&self, name: &str, text: &str, args: &[&str]) -> PathBuf {
        let (source, path) = (self.path("source.c"), self.path(name));
        fs::write(&source, text).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut command = Command::new("cc");
        command.current_dir(self.dir.path()).arg("-o").arg(&path).arg(&source).args(args);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        path
    }

    /// `libinner.so` in `inner`, which `libouter.so` in `outer` loads, which the engine loads with these arguments.
    fn engine(&self, args: &[&str]) -> PathBuf {
        self.compile("inner/libinner.so", "int inner(void) { return 1; }", &["-shared", "-fPIC"]);
        let outer = ["-shared", "-fPIC", "-Linner", "-linner", "-Wl,-rpath,$ORIGIN/../inner"];
        self.compile("outer/libouter.so", "int inner(void); int outer(void) { return inner(); }", &outer);
        let mut all = vec!["-Louter", "-louter", "-Wl,-rpath-link,inner"];
        all.extend(args);
        self.compile("bin/engine", "int outer(void); int main(void) { return outer() - 1; }", &all)
    }
}

fn names(survey: &Survey) -> Vec<&str> {
    survey.libraries.keys().map(String::as_str).collect()
}

/// Whether the engine runs where its libraries lie below one directory alone.
fn runs(engine: &Path, libraries: &Path) -> bool {
    Command::new(engine).env("LD_LIBRARY_PATH", libraries).status().unwrap().success()
}

#[test]
fn libraries_outside_of_the_system_are_found_as_the_loader_finds_them() {
    let bench = Bench::new();
    let engine = bench.engine(&["-Wl,-rpath,$ORIGIN/../outer"]);
    let found = survey(std::slice::from_ref(&engine), &[]).unwrap();
    assert_eq!(names(&found), ["libinner.so", "libouter.so"]);
    assert!(found.versions.iter().any(|version| version.library == "libc.so.6"), "{found:?}");
    assert_eq!(found.untold, None);
    // What was found is what the loader needs: with it, the engine runs where its own words lead nowhere.
    let (apart, libraries) = (bench.path("far/away/engine"), bench.path("libraries"));
    fs::create_dir_all(apart.parent().unwrap()).unwrap();
    fs::create_dir(&libraries).unwrap();
    fs::copy(&engine, &apart).unwrap();
    assert!(!runs(&apart, &libraries));
    for (name, path) in &found.libraries {
        fs::copy(path, libraries.join(name)).unwrap();
    }
    assert!(runs(&apart, &libraries));
}

#[test]
fn the_environment_leads_to_libraries_too() {
    let bench = Bench::new();
    let engine = bench.engine(&[]);
    assert_eq!(names(&survey(std::slice::from_ref(&engine), &[]).unwrap()), [""; 0]);
    let found = survey(&[engine], &[bench.path("outer")]).unwrap();
    assert_eq!(names(&found), ["libinner.so", "libouter.so"]);
}

#[test]
fn a_library_beside_the_engine_stays_there_if_the_engine_looks_there() {
    let bench = Bench::new();
    bench.compile("bin/libown.so", "int own(void) { return 0; }", &["-shared", "-fPIC"]);
    let text = "int own(void); int main(void) { return own(); }";
    let beside = ["-Lbin", "-lown", "-Wl,-rpath,$ORIGIN"];
    let engine = bench.compile("bin/engine", text, &beside);
    assert_eq!(names(&survey(&[engine], &[]).unwrap()), [""; 0]);
    // One that is found there only because the environment says so is not found there by others.
    let engine = bench.compile("bin/engine", text, &["-Lbin", "-lown"]);
    assert_eq!(names(&survey(&[engine], &[bench.path("bin")]).unwrap()), ["libown.so"]);
}

#[test]
fn an_engine_that_is_a_link_finds_what_lies_beside_what_it_leads_to() {
    let bench = Bench::new();
    bench.compile("bin/libown.so", "int own(void) { return 0; }", &["-shared", "-fPIC"]);
    let text = "int own(void); int main(void) { return own(); }";
    let engine = bench.compile("bin/engine", text, &["-Lbin", "-lown", "-Wl,-rpath,$ORIGIN"]);
    let link = bench.path("links/engine");
    fs::create_dir(bench.path("links")).unwrap();
    std::os::unix::fs::symlink(&engine, &link).unwrap();
    assert!(runs(&link, Path::new("/nowhere")));
    // On another machine it will lie where the link is.
    assert_eq!(names(&survey(&[link], &[]).unwrap()), ["libown.so"]);
}

#[test]
fn what_is_no_elf_program_is_said() {
    let bench = Bench::new();
    let script = bench.path("engine");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    let found = survey(std::slice::from_ref(&script), &[]).unwrap();
    assert_eq!(found, Survey { untold: Some(script.clone()), ..Survey::default() });
    fs::write(&script, "\x7fELF and nothing more").unwrap();
    assert!(survey(&[script], &[]).unwrap_err().to_string().contains("engine"));
    assert!(survey(&[bench.path("nothing")], &[]).is_err());
}

#[test]
fn this_machine_can_run_its_own_programs_and_none_of_a_later_one() {
    let own = std::env::current_exe().unwrap();
    let found = survey(&[own], &[]).unwrap();
    let libc = found.versions.iter().find(|version| version.library == "libc.so.6");
    let Some(libc) = libc else {
        return skipped("a program that is linked to glibc");
    };
    assert!(numbered(&libc.name).is_some_and(|(family, _)| family == "GLIBC"), "{libc:?}");
    let host = Host::look();
    let native = Native { versions: found.versions.clone(), level: found.level, ..Native::here() };
    assert_eq!(host.lacks(&native), None);
    let later = Version { library: "libc.so.6".into(), name: "GLIBC_2.999".into() };
    let lack = host.lacks(&Native { versions: vec![later], ..Native::here() }).unwrap();
    assert!(lack.starts_with("the engine needs GLIBC_2.999, this machine has GLIBC_2."), "{lack}");
    let unnumbered = Version { library: "libc.so.6".into(), name: "GLIBC_ABI_NEVER".into() };
    let lack = host.lacks(&Native { versions: vec![unnumbered], ..Native::here() }).unwrap();
    assert!(lack.contains("GLIBC_ABI_NEVER"), "{lack}");
}

#[test]
fn only_the_highest_version_of_a_family_is_asked_for() {
    let own = std::env::current_exe().unwrap();
    let all = elf::read(&own).unwrap().unwrap().versions;
    let found = survey(&[own], &[]).unwrap().versions;
    let of_libc = |versions: &[Version]| {
        versions.iter().filter(|version| version.library == "libc.so.6").cloned().collect::<Vec<_>>()
    };
    let family = |version: &&Version| numbered(&version.name).is_some();
    let asked: Vec<_> = of_libc(&found).into_iter().filter(|version| family(&version)).collect();
    let highest = of_libc(&all).into_iter().filter_map(|version| Some(numbered(&version.name)?.1)).max();
    assert_eq!(asked.iter().map(|version| numbered(&version.name).unwrap().1).max(), highest);
    assert!(asked.len() <= 1 && of_libc(&all).len() > 1, "{asked:?}");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_program_that_names_its_processor_is_believed() {
    let bench = Bench::new();
    let text = "int main(void) { return 0; }";
    let plain = bench.compile("plain", text, &[]);
    assert!(survey(&[plain], &[]).unwrap().level <= 1);
    let program = bench.compile("third", text, &["-Wl,-z,x86-64-v3"]);
    assert_eq!(survey(&[program], &[]).unwrap().level, 3);
}
