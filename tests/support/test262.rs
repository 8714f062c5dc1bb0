//! A small checkout of test262, and what its tests come to on the built-in shell.

use std::fs;

use super::Fixture;

const ASSERT: &str = "function assert(x, why) { if (x !== true) throw new Test262Error(why); }\n\
                      assert.sameValue = function (a, b) { assert(Object.is(a, b), a + ' is not ' + b); }";
const STA: &str = "function Test262Error(message) { this.message = message || ''; }\n\
                   Test262Error.prototype.toString = function () { return 'Test262Error: ' + this.message; };\n\
                   function $DONOTEVALUATE() { throw 'Test262: This statement should not be evaluated.'; }";
const DONE: &str = "function $DONE(error) {\n\
                    print(error ? 'Test262:AsyncTestFailure:' + error : 'Test262:AsyncTestComplete'); }";

/// Tests: name, frontmatter, code, and whether they pass.
const TESTS: &[(&str, &str, &str, bool)] = &[
    ("built-ins/Array/pass", "description: both halves", "assert.sameValue(1, 1);", true),
    ("built-ins/Array/fail", "", "assert.sameValue(1, 2);", false),
    (
        "built-ins/Array/only-strict",
        "flags: [onlyStrict]",
        "assert.sameValue((function () { return this; })(), undefined);",
        true,
    ),
    (
        "built-ins/Array/no-strict",
        "flags: [noStrict]",
        "assert.sameValue((function () { return this; })(), this);",
        true,
    ),
    (
        "built-ins/Array/raw",
        "flags: [raw]",
        "if (typeof assert !== 'undefined') throw new Error('a harness');",
        true,
    ),
    ("built-ins/Array/async", "flags: [async]", "Promise.resolve().then(() => $DONE(), $DONE);", true),
    ("built-ins/Array/async-fails", "flags: [async]", "$DONE(new Error('on purpose'));", false),
    ("built-ins/Array/async-silent", "flags: [async]", "", false),
    ("built-ins/Array/unhandled", "", "Promise.reject(new Error('nobody cares'));", true),
    (
        "built-ins/Array/includes",
        "includes: [more.js]\nfeatures:\n  - class",
        "assert.sameValue(more(), 3);",
        true,
    ),
    ("built-ins/Array/include-missing", "includes: [none.js]", "", false),
    ("built-ins/Array/not-yaml", "flags: [raw", "", false),
    (
        "built-ins/Array/realm",
        "features: [cross-realm]",
        "var other = $262.createRealm();\nassert(other.global !== globalThis);\n\
         other.evalScript('let hidden = 1; var seen = Array;');\nassert(other.global.seen !== Array);\n\
         assert.sameValue(other.evalScript('hidden'), 1);\nassert.sameValue(typeof hidden, 'undefined');\n\
         assert(other.createRealm().global !== other.global);\nvar b = new ArrayBuffer(8); $262.detachArrayBuffer(b);\n\
         assert.sameValue(b.byteLength, 0);\n$262.gc();",
        true,
    ),
    ("language/parse", "negative:\n  phase: parse\n  type: SyntaxError", "$DONOTEVALUATE();\nvar = 1;", true),
    ("language/parse-not", "negative:\n  phase: parse\n  type: SyntaxError", "$DONOTEVALUATE();", false),
    ("language/runtime", "negative:\n  phase: runtime\n  type: TypeError", "null.x;", true),
    ("language/runtime-other", "negative:\n  phase: runtime\n  type: RangeError", "null.x;", false),
    (
        "language/module/imports",
        "flags: [module]",
        "import { x } from './x_FIXTURE.js';\nimport * as self from './imports.js';\nexport const y = 2;\n\
         assert.sameValue(x, 1);\nassert.sameValue(self.y, 2);\n\
         assert.sameValue((function () { return this; })(), undefined);",
        true,
    ),
    (
        "language/module/resolution",
        "flags: [module]\nnegative:\n  phase: resolution\n  type: SyntaxError",
        "$DONOTEVALUATE();\nimport { nothing } from './x_FIXTURE.js';",
        true,
    ),
    (
        "language/module/parse",
        "flags: [module]\nnegative:\n  phase: parse\n  type: SyntaxError",
        "$DONOTEVALUATE();\nimport { x } from './x_FIXTURE.js';\nlet y, y;",
        true,
    ),
    (
        "language/import/dynamic",
        "flags: [async]\nfeatures: [dynamic-import]",
        "import('./y_FIXTURE.js').then((y) => assert.sameValue(y.default, 'y')).then(() => $DONE(), $DONE);",
        true,
    ),
    (
        "language/directive",
        "includes: [this.js]",
        // The directive of the strict half is the test's alone.
        "assert.sameValue(ownThis(), globalThis);",
        true,
    ),
    ("language/agent", "includes: [atomicsHelper.js]", "$262.agent.start('');", true),
    ("language/blocks", "flags: [CanBlockIsTrue]", "", true),
];

/// How many of them the built-in shell cannot run.
pub const LEFT_OUT: [&str; 2] = ["language/agent", "language/blocks"];

/// The checkout.
pub fn checkout() -> Fixture {
    let tree = Fixture::new();
    for dir in ["out", "test/mjsunit"] {
        fs::remove_dir_all(tree.path(dir)).unwrap();
    }
    tree.file("harness/assert.js", ASSERT);
    tree.file("harness/sta.js", STA);
    tree.file("harness/doneprintHandle.js", DONE);
    tree.file("harness/more.js", "function more() { return 3; }");
    tree.file("harness/this.js", "function ownThis() { return this; }");
    tree.file("features.txt", "# Proposals\nclass\ncross-realm\ndynamic-import # why\n");
    tree.file("test/language/module/x_FIXTURE.js", "export const x = 1;");
    tree.file("test/language/import/y_FIXTURE.js", "export default 'y';");
    for (name, matter, code, _) in TESTS {
        tree.file(&format!("test/{name}.js"), format!("/*---\n{matter}\n---*/\n{code}\n"));
    }
    tree
}

/// Which tests pass on the built-in shell, and which do not: names.
pub fn verdicts() -> impl Iterator<Item = (&'static str, bool)> {
    TESTS.iter().filter(|(name, ..)| !LEFT_OUT.contains(name)).map(|(name, .., passes)| (*name, *passes))
}
