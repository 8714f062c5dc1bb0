//! The built-in shell, through the real binary: what d8 does, as far as tests rely on it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What one run of the shell gave.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.arg("shell").current_dir(directory);
    command
}

fn finish(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A directory with these files.
fn files(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

/// Runs the shell in a directory with these files; the words are separated by blanks.
fn run(content: &[(&str, &str)], words: &str) -> Run {
    let directory = files(content);
    let mut command = command(directory.path());
    command.args(words.split_whitespace());
    finish(command)
}

/// Runs one script, `a.js`.
fn script(text: &str) -> Run {
    run(&[("a.js", text)], "a.js")
}

#[track_caller]
fn prints(run: &Run, stdout: &str) {
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), stdout, ""));
}

#[test]
fn files_share_one_realm_and_run_in_order() {
    let content =
        [("a.js", "var x = 1; let y = 2; function f() { return 3; }"), ("b.js", "print(x, y, f())")];
    prints(&run(&content, "a.js b.js"), "1 2 3\n");
    let reversed = run(&content, "b.js a.js");
    assert_eq!(reversed.code, Some(1));
    assert!(reversed.stdout.starts_with("b.js:1: ReferenceError: x is not defined\n"), "{reversed:?}");
}

#[test]
fn scripts_are_sloppy_unless_a_flag_says_otherwise() {
    let content = [("a.js", "undeclared = 1; print(this === globalThis)")];
    prints(&run(&content, "a.js"), "true\n");
    let strict = run(&content, "a.js --use-strict");
    assert_eq!(strict.code, Some(1));
    assert!(strict.stdout.contains("ReferenceError: undeclared is not defined"), "{strict:?}");
}

#[test]
fn flags_of_v8_are_ignored_wherever_they_stand() {
    let content = [("a.js", "print('a')"), ("b.js", "print('b')")];
    let words =
        "--test a.js --random-seed=42 --stress-opt b.js --nohard-abort --allow-natives-syntax --ticks 7";
    prints(&run(&content, words), "a\nb\n");
}

#[test]
fn arguments_follow_two_dashes_and_can_be_taken_away() {
    let content = [("a.js", "print(typeof arguments, Array.isArray(arguments) ? arguments.join('|') : '')")];
    prints(&run(&content, "a.js -- 1 --throws -- b"), "object 1|--throws|--|b\n");
    prints(&run(&content, "a.js"), "object \n");
    let absent = [("a.js", "print(typeof arguments)")];
    prints(&run(&absent, "a.js --no-arguments"), "undefined\n");
}

#[test]
fn code_from_the_command_line_takes_its_turn() {
    let directory = files(&[("a.js", "print(x++)")]);
    let mut command = command(directory.path());
    command.args(["-e", "var x = 'y'.length;", "a.js", "-e", "print(x)"]);
    prints(&finish(command), "1\n2\n");
}

#[test]
fn an_uncaught_error_is_reported_as_d8_does() {
    let run =
        script("print('before');\nfunction f() {\n  throw new TypeError('bad');\n}\n\tf();\nprint('after');");
    let expected = "before\n\
                    a.js:3: TypeError: bad\n  throw new TypeError('bad');\n            ^\n\
                    TypeError: bad\n    at f (a.js:3:13)\n    at a.js:5:2\n\n";
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(1), expected, ""));
}

#[test]
fn what_is_no_error_is_reported_with_its_place() {
    let primitive = script("\n\nif (true) throw 'text';");
    assert_eq!(primitive.stdout, "a.js:3: text\nif (true) throw 'text';\n                ^\n\n");
    assert_eq!(primitive.code, Some(1));

    let object = script("function f() { throw {toString: () => 'Odd: thing'}; }\n\nf();");
    assert!(object.stdout.starts_with("a.js:1: Odd: thing\n"), "{object:?}");
    assert!(object.stdout.ends_with("    at a.js:3:1\n\n"), "{object:?}");

    let later = script("try { throw 1 } catch {}\nthrow 2");
    assert!(later.stdout.starts_with("a.js:2: 2\n"), "{later:?}");
}

#[test]
fn exceptions_that_resist_being_shown_are_reported_all_the_same() {
    for text in [
        "throw {toString() { throw 1; }}",
        "throw Object.create(null)",
        "throw {get stack() { throw 2; }, toString: () => 'x'}",
        "const e = new Error('x'); Object.defineProperty(e, 'name', {get() { throw 3; }}); throw e",
        "throw undefined",
        "throw Symbol('s')",
        "Error.prepareStackTrace = () => { throw 4; }; throw new Error('x')",
        "Error.prepareStackTrace = undefined; throw new Error('x')",
        "const e = new Error('x'); e.stack = 5; throw e",
    ] {
        let run = script(text);
        assert_eq!(run.code, Some(1), "{text}: {run:?}");
        assert!(run.stdout.starts_with("a.js:1: "), "{text}: {run:?}");
    }
}

#[test]
fn syntax_errors_carry_their_place() {
    let run = script("var fine = 1;\nlet x = = 2;");
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.starts_with("a.js:2: SyntaxError: "), "{run:?}");
    assert!(run.stdout.contains("\nlet x = = 2;\n        ^\n"), "{run:?}");
}

#[test]
fn throws_inverts_the_exit_code() {
    let content = [("good.js", ""), ("bad.js", "throw new Error('x')"), ("rejected.js", "Promise.reject(1)")];
    assert_eq!(run(&content, "--throws bad.js").code, Some(0));
    assert_eq!(run(&content, "good.js bad.js --throws").code, Some(0));
    assert_eq!(run(&content, "rejected.js --throws").code, Some(0));
    assert_eq!(run(&content, "good.js --throws").code, Some(1));
    assert_eq!(run(&content, "missing.js --throws").code, Some(1), "an unreadable file is no exception");
}

#[test]
fn nothing_runs_after_an_uncaught_exception() {
    let content = [("a.js", "setTimeout(() => print('timer')); throw 1"), ("b.js", "print('b')")];
    let run = run(&content, "a.js b.js");
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stdout.matches('b').count(), 0, "{run:?}");
    assert!(!run.stdout.contains("\ntimer"), "{run:?}");
}

#[test]
fn promise_jobs_run_after_each_file_and_timers_after_all() {
    let content = [
        (
            "a.js",
            "setTimeout(() => print('timer'), 0); Promise.resolve().then(() => print('job')); print('a')",
        ),
        ("b.js", "print('b')"),
    ];
    prints(&run(&content, "a.js b.js"), "a\njob\nb\ntimer\n");
}

#[test]
fn unhandled_rejections_fail_unless_ignored() {
    let content = [("a.js", "Promise.reject(new Error('lost'));\nsetTimeout(() => print('still'));")];
    let failed = run(&content, "a.js");
    assert_eq!(failed.code, Some(1));
    assert!(failed.stdout.starts_with("still\na.js:1: Error: lost\n"), "{failed:?}");
    prints(&run(&content, "a.js --ignore-unhandled-promises"), "still\n");
    prints(&script("const p = Promise.reject(1); setTimeout(() => p.catch(() => print('late')))"), "late\n");
    assert_eq!(script("(async () => { throw 1; })()").code, Some(1));
}

#[test]
fn an_exception_in_a_microtask_or_timer_fails() {
    for text in
        ["queueMicrotask(() => { throw new Error('x'); })", "setTimeout(() => { throw new Error('x'); })"]
    {
        let run = script(text);
        assert_eq!(run.code, Some(1), "{text}");
        assert!(run.stdout.starts_with("a.js:1: Error: x\n"), "{text}: {run:?}");
    }
}

#[test]
fn quit_ends_at_once_with_its_code() {
    let run = script("print('x'); quit(7); print('y')");
    assert_eq!((run.code, run.stdout.as_str()), (Some(7), "x\n"));
    assert_eq!(script("try { quit() } finally { print('y') }").code, Some(0));
    assert_eq!(script("Promise.resolve().then(() => quit(3))").code, Some(3));
}

#[test]
fn modules_import_relative_to_themselves() {
    let content = [
        (
            "main.mjs",
            "import {x} from './lib/a.mjs'; print(x, typeof this, import.meta.url.endsWith('/main.mjs'))",
        ),
        ("lib/a.mjs", "import {y} from './b.js'; import '../lib/b.js'; export const x = y + 1;"),
        ("lib/b.js", "print('once'); export const y = 1;"),
        ("script.js", "import('./lib/a.mjs').then(m => print('dynamic', m.x))"),
    ];
    prints(&run(&content, "main.mjs"), "once\n2 undefined true\n");
    prints(&run(&content, "--module lib/b.js main.mjs"), "once\n2 undefined true\n");
    prints(&run(&content, "script.js"), "once\ndynamic 2\n");
}

#[test]
fn modules_may_await() {
    let text = "print(await new Promise(done => setTimeout(() => done('waited')))); print('end')";
    prints(&run(&[("a.mjs", text)], "a.mjs"), "waited\nend\n");
    prints(&run(&[("a.mjs", "await new Promise(() => {}); print('never')")], "a.mjs"), "");
    let failing =
        run(&[("a.mjs", "await 0;\nthrow new RangeError('x');")], "a.mjs --ignore-unhandled-promises");
    assert_eq!(failing.code, Some(1));
    assert!(failing.stdout.contains("/a.mjs:2: RangeError: x\n"), "{failing:?}");
}

#[test]
fn a_module_that_is_not_there_is_an_error_of_the_importer() {
    let run_ = run(&[("a.mjs", "import './nowhere.mjs'; print('x')")], "a.mjs");
    assert_eq!(run_.code, Some(1));
    assert!(run_.stdout.contains("/a.mjs:1: Error: Error reading module from "), "{run_:?}");
    assert!(run_.stdout.contains("/nowhere.mjs: "), "{run_:?}");
    let caught = [("a.js", "import('./nowhere.mjs').catch(error => print(error instanceof Error))")];
    prints(&run(&caught, "a.js"), "true\n");
}

#[test]
fn an_unreadable_file_is_said_on_stderr() {
    let run = run(&[("a.js", "print('a')")], "a.js missing.js");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "a\n"));
    assert!(run.stderr.starts_with("Error reading 'missing.js'"), "{run:?}");
}

#[test]
fn print_and_write_convert_like_d8() {
    prints(
        &script(
            "print(1, [1, [2]], {}, null, undefined, Symbol('s'), 10n); write('a', 'b'); write(1); print()",
        ),
        "1 1,2 [object Object] null undefined s 10\na b1\n",
    );
    prints(&script("print('\\ud800x', 'a\\0b', '\\u{1F600}')"), "\u{fffd}x a\0b \u{1F600}\n");
    let quiet = script("printErr('to', 'stderr'); console.log('out')");
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("out\n", "to stderr\n"));
    assert_eq!(script("print({toString() { throw 1; }})").code, Some(1));
}

#[test]
fn files_can_be_read_and_loaded() {
    let content = [
        (
            "a.js",
            "load('b.js', 'b.js'); print(b, read('b.js').length, readbuffer('b.js').byteLength, \
             read('b.js', 'binary') instanceof ArrayBuffer); \
             for (const f of [load, read, readbuffer]) try { f('nowhere') } catch (e) { print(e instanceof Error) }",
        ),
        ("b.js", "var b = (globalThis.b || 0) + 1;"),
    ];
    prints(&run(&content, "a.js"), "2 32 32 true\ntrue\ntrue\ntrue\n");
    let failing = run(&[("a.js", "\nload('b.js')"), ("b.js", "\n\nmissing()")], "a.js");
    assert!(failing.stdout.starts_with("b.js:3: ReferenceError: "), "{failing:?}");
}

#[test]
fn readline_reads_lines_and_then_nothing() {
    let directory =
        files(&[("a.js", "print('ready'); let l; while ((l = readline()) !== undefined) print(`[${l}]`)")]);
    let mut command = command(directory.path());
    command.arg("a.js").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 6];
    stdout.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"ready\n", "what was printed is there before the shell waits");
    child.stdin.take().unwrap().write_all(b"one\n\nlast").unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "[one]\n[]\n[last]\n");
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_was_printed_is_seen_while_a_script_computes() {
    let text = "print('started'); const end = Date.now() + 2000; while (Date.now() < end); print('finished')";
    let directory = files(&[("a.js", text)]);
    let mut command = command(directory.path());
    command.arg("a.js").stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 64];
    let length = child.stdout.take().unwrap().read(&mut first).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(String::from_utf8_lossy(&first[..length]), "started\n");
}

#[test]
fn endless_recursion_is_an_exception() {
    let caught = "let n = 0; function f() { n++; f(); } try { f() } catch (e) { print(e instanceof RangeError, n > 1000) }";
    prints(&script(caught), "true true\n");
    let uncaught = script("(function f() { f(); })()");
    assert_eq!(uncaught.code, Some(1));
    assert!(uncaught.stdout.starts_with("a.js:1: RangeError: "), "{uncaught:?}");
    for text in [
        "JSON.parse('['.repeat(1e6))",
        "eval('('.repeat(1e6))",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; String(a)",
        "(function f(x) { return [1].map(() => f(x)); })()",
        "const p = new Proxy({}, {get: (t, k, r) => r[k]}); p.x",
        "/(?:a|b)*$/.test('ab'.repeat(1e6)); throw 1",
    ] {
        assert_eq!(script(text).code, Some(1), "{text}");
    }
}

#[test]
fn gc_is_there_when_asked_for() {
    let content = [("a.js", "print(typeof gc, typeof v8GC)")];
    prints(&run(&content, "a.js"), "undefined undefined\n");
    prints(&run(&content, "a.js --expose-gc"), "function undefined\n");
    prints(&run(&content, "a.js --expose_gc"), "function undefined\n");
    prints(&run(&content, "a.js --expose-gc-as=v8GC"), "undefined function\n");
    let collected = "let r = new WeakRef({}); setTimeout(() => { gc(); print(r.deref()); });";
    prints(&run(&[("a.js", collected)], "a.js --expose-gc"), "undefined\n");
}

#[test]
fn isolates_share_nothing() {
    let content = [("a.js", "globalThis.n = (globalThis.n || 0) + 1; print(n)"), ("bad.js", "throw 1")];
    prints(&run(&content, "a.js a.js --isolate a.js"), "1\n2\n1\n");
    let failing = run(&content, "bad.js --isolate a.js");
    assert_eq!(failing.code, Some(1));
    assert!(failing.stdout.ends_with("\n1\n"), "{failing:?}");
}

#[test]
fn sources_need_not_be_utf8_and_nul_is_refused_with_words() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("latin.js"), b"// \xfc\nprint('\xe9'.length)").unwrap();
    fs::write(directory.path().join("nul.js"), b"print('\0')").unwrap();
    let mut latin = command(directory.path());
    latin.arg("latin.js");
    prints(&finish(latin), "1\n");
    let mut nul = command(directory.path());
    nul.arg("nul.js");
    let nul = finish(nul);
    assert_eq!(nul.code, Some(1));
    assert!(
        nul.stdout.starts_with("nul.js:1: SyntaxError: the source contains a NUL character\n"),
        "{nul:?}"
    );
}

#[test]
fn memory_has_a_limit() {
    let run = script("const a = []; for (;;) a.push(new ArrayBuffer(1 << 28))");
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.starts_with("a.js:1: "), "{run:?}");
}

#[test]
fn a_line_that_makes_no_sense_is_refused() {
    for words in ["", "--throws", "-e", "--module"] {
        let run = run(&[], words);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{words}");
        assert!(run.stderr.starts_with("runner shell: cannot run: "), "{words}: {run:?}");
    }
}

#[test]
fn help_is_the_shells_own() {
    for words in ["-h", "--help", "a.js --help"] {
        let run = run(&[], words);
        assert_eq!(run.code, Some(0));
        assert!(run.stdout.contains("Usage: runner shell"), "{run:?}");
    }
}
