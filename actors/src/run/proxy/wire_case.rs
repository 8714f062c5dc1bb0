//! A case as it is sent to a peer.

use std::path::Path;

use flotilla_messages::packet::Elsewhere;
use flotilla_messages::{Arg, Checks, Judge, Part, Patterns, Program, TestCase, TestName};

/// The case as it is sent: an engine that lies outside of the root has a place of its own in the tree.
pub(super) fn relocate(case: &mut TestCase, elsewhere: &[Elsewhere]) {
    let Program::Shell(Arg::Text(path)) = &case.program else { return };
    let placed = elsewhere.iter().find_map(|Elsewhere { place, path: dir }| {
        let below = Path::new(path).strip_prefix(dir).ok()?;
        Some(Path::new(place).join(below).to_string_lossy().into_owned())
    });
    if let Some(placed) = placed {
        case.program = Program::Shell(Arg::Path(placed));
    }
}

/// About how many bytes a case has on the wire: its texts, and what names them there.
pub(super) fn size(case: &TestCase) -> usize {
    /// The names of a case's fields, and all that is of fixed size.
    const FIXED: usize = 500;
    /// What goes around one text.
    const AROUND: usize = 24;
    let arg = |arg: &Arg| match arg {
        Arg::Text(text) | Arg::Path(text) => text.len(),
        Arg::Embedded { before, path, after } => before.len() + path.len() + after.len(),
        Arg::Compiled | Arg::Harness => 0,
    };
    let program = match &case.program {
        Program::Shell(shell) => arg(shell),
        Program::Builtin => 0,
    };
    let TestName { suite, name, variant, detail } = &case.name;
    let names = [suite, name, variant, &case.id].into_iter().chain(detail).chain(&case.expectation.reason);
    let texts = names.chain(&case.variant_flags).chain(&case.prefix).chain(&case.unset_env).map(String::len);
    let patterns = match &case.judge {
        Judge::Checks(Checks { stdout, stderr, .. }) => {
            let of = |patterns: &Patterns| {
                patterns.required.iter().chain(&patterns.forbidden).map(String::len).collect::<Vec<_>>()
            };
            [of(stdout), of(stderr)].concat()
        }
        _ => Vec::new(),
    };
    let env = case.env.iter().map(|(name, value)| name.len() + value.len());
    let args = case.args.iter().chain(&case.expected_file).map(arg);
    let part = |part: &Part| match part {
        Part::Text(text) | Part::File(text) | Part::QuotedFile(text) | Part::QuotedPath(text) => text.len(),
    };
    let recipe = case.recipe.as_deref();
    let recipe = recipe
        .into_iter()
        .flat_map(|recipe| recipe.all_parts().map(part).chain(recipe.beside.iter().map(String::len)));
    FIXED
        + program
        + args.chain(texts).chain(patterns).chain(recipe).chain(env).map(|text| text + AROUND).sum::<usize>()
}
