//! A Python module's literal assignments: `variants.py`, the runners' tables, test262's FEATURE_FLAGS.

use std::collections::BTreeMap;
use std::path::Path;

use super::diagnostic::{Diagnostic, Problem};
use super::expr::{Expr, Kind, parse_tokens};
use super::token::{Spanned, Token, tokenize};

/// How many values one module's assignments may come to. Sums of sums can double with every line; V8's tables
/// have some hundreds.
const MAX_VALUES: usize = 100_000;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleValue {
    /// A string.
    Str(String),
    /// A whole number.
    Int(i64),
    /// `True` or `False`.
    Bool(bool),
    /// `None`.
    None,
    /// A list, tuple or set, in source order.
    List(Vec<ModuleValue>),
    /// A dictionary in source order; of equal keys the last counts, in the first one's place, as in Python 3.
    Dict(Vec<(ModuleValue, ModuleValue)>),
}

impl ModuleValue {
    /// The strings of a list of strings.
    pub fn strings(&self) -> Option<Vec<String>> {
        let Self::List(items) = self else { return None };
        items
            .iter()
            .map(|item| match item {
                Self::Str(text) => Some(text.clone()),
                _ => None,
            })
            .collect()
    }

    /// How many values this is, itself included.
    fn size(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Self::Dict(pairs) => 1 + pairs.iter().map(|(k, v)| k.size() + v.size()).sum::<usize>(),
            _ => 1,
        }
    }
}

/// The values that a module's top level assigns to names, as far as they are literal.
#[derive(Clone, Debug, Default)]
pub struct Module {
    values: BTreeMap<String, ModuleValue>,
    unread: BTreeMap<String, Diagnostic>,
}

impl Module {
    /// Reads a module: `NAME = literal` and `NAME: TYPE = literal` at the top level, where a literal may use `+`, names
    /// assigned before, subscripts and `set([...])`; and what changes such a value there: `NAME += literal`, `|=`,
    /// `NAME[literal] = literal`, `append`, `extend`, `add` and `update`. A name that is changed in another way, or under
    /// a condition, has no value that is known. Every other statement is passed over.
    ///
    /// # Errors
    /// Text that cannot be told apart into statements: a string that is not closed.
    pub fn read(file: &Path, text: &str) -> Result<Self, Diagnostic> {
        let tokens = tokenize(text).map_err(|problem| problem.located(file, text))?;
        let mut module = Self::default();
        let mut budget = MAX_VALUES;
        // Whether the last statement of the top level began a block that belongs to it, as `if` does and `def` does not.
        let mut in_block = false;
        for statement in tokens.split_inclusive(|token| token.token == Token::Newline) {
            let [Spanned { token: Token::Name(name), at }, rest @ ..] = statement else { continue };
            let top_level = *at == 0 || text.as_bytes().get(*at - 1) == Some(&b'\n');
            if top_level {
                in_block = BLOCKS.contains(name);
            } else if !in_block {
                continue;
            }
            let Some(change) = Change::of(rest) else { continue };
            let known = module.values.contains_key(*name) || module.unread.contains_key(*name);
            let begins = top_level && matches!(change, Change::Assign(_));
            if !known && !begins {
                continue;
            }
            let value = match top_level {
                true => module.changed(name, &change, *at, &mut budget),
                false => Err(Problem::new(*at, format!("'{name}' depends on a condition"))),
            };
            match value {
                // What is added to something unknown is unknown.
                Ok(_) if module.unread.contains_key(*name) && !matches!(change, Change::Assign(_)) => {}
                Ok(value) => {
                    module.unread.remove(*name);
                    module.values.insert((*name).into(), value);
                }
                Err(problem) => {
                    module.values.remove(*name);
                    module.unread.insert((*name).into(), problem.located(file, text));
                }
            }
        }
        Ok(module)
    }

    /// The value that a name has after a statement.
    fn changed(
        &self,
        name: &str,
        change: &Change<'_, '_>,
        at: usize,
        budget: &mut usize,
    ) -> Result<ModuleValue, Problem> {
        let mut argument = |tokens| parse_tokens(tokens).and_then(|expr| self.value(&expr, budget));
        let old = || self.values.get(name).cloned().unwrap_or(ModuleValue::None);
        let unknown = || Problem::new(at, format!("'{name}' is changed in a way that is not understood"));
        match change {
            Change::Assign(value) => argument(value),
            Change::Add(value) => sum(at, vec![old(), argument(value)?]),
            Change::Merge(value) => merged(old(), argument(value)?).ok_or_else(unknown),
            Change::Element(key, value) => {
                let pair = ModuleValue::Dict(vec![(argument(key)?, argument(value)?)]);
                merged(old(), pair).ok_or_else(unknown)
            }
            Change::Call("append" | "add", item) => {
                sum(at, vec![old(), ModuleValue::List(vec![argument(item)?])])
            }
            Change::Call("extend", items) => sum(at, vec![old(), argument(items)?]),
            Change::Call("update", more) => merged(old(), argument(more)?).ok_or_else(unknown),
            Change::Call(..) => Err(unknown()),
            Change::Unknown => Err(unknown()),
        }
    }

    /// The value of a name: `None` if the module does not assign it.
    ///
    /// # Errors
    /// The module assigns it something that is no literal.
    pub fn get(&self, name: &str) -> Result<Option<&ModuleValue>, &Diagnostic> {
        match self.unread.get(name) {
            Some(problem) => Err(problem),
            None => Ok(self.values.get(name)),
        }
    }

    fn value(&self, expr: &Expr, budget: &mut usize) -> Result<ModuleValue, Problem> {
        let value = match &expr.kind {
            Kind::Str(text) => ModuleValue::Str(text.clone()),
            Kind::Int(n) => ModuleValue::Int(*n),
            Kind::Name(name) => match name.as_str() {
                "True" => ModuleValue::Bool(true),
                "False" => ModuleValue::Bool(false),
                "None" => ModuleValue::None,
                name => match self.values.get(name) {
                    Some(value) => {
                        spend(budget, value.size(), expr.at)?;
                        value.clone()
                    }
                    None => return Err(Problem::new(expr.at, format!("'{name}' has no value here"))),
                },
            },
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => {
                ModuleValue::List(self.all(items, budget)?)
            }
            Kind::Dict(pairs) => {
                let mut found: Vec<(ModuleValue, ModuleValue)> = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    let (key, value) = (self.value(key, budget)?, self.value(value, budget)?);
                    enter(&mut found, key, value);
                }
                ModuleValue::Dict(found)
            }
            Kind::Sum(terms) => sum(expr.at, self.all(terms, budget)?)?,
            Kind::Index(of, index) => {
                let (of, index) = (self.value(of, budget)?, self.value(index, budget)?);
                let found = match (of, &index) {
                    (ModuleValue::Dict(pairs), key) => {
                        pairs.into_iter().find(|(k, _)| k == key).map(|(_, value)| value)
                    }
                    (ModuleValue::List(items), ModuleValue::Int(n)) => {
                        usize::try_from(*n).ok().and_then(|n| items.into_iter().nth(n))
                    }
                    _ => None,
                };
                found.ok_or_else(|| Problem::new(expr.at, "there is no such element"))?
            }
            Kind::Call(of, arguments) => match (&of.kind, arguments.as_slice()) {
                (Kind::Name(name), []) if is_collection(name) => ModuleValue::List(Vec::new()),
                (Kind::Name(name), [argument]) if is_collection(name) => {
                    match self.value(argument, budget)? {
                        ModuleValue::List(items) => ModuleValue::List(items),
                        _ => return Err(Problem::new(argument.at, "expected a list")),
                    }
                }
                _ => return Err(Problem::new(expr.at, "calls are not evaluated")),
            },
            Kind::Attribute(..) | Kind::Named(..) => {
                return Err(Problem::new(expr.at, "attributes are not read here"));
            }
            Kind::Not(_) | Kind::And(_) | Kind::Or(_) | Kind::Compare(..) => {
                return Err(Problem::new(expr.at, "conditions are not evaluated here"));
            }
        };
        spend(budget, 1, expr.at)?;
        Ok(value)
    }

    fn all(&self, items: &[Expr], budget: &mut usize) -> Result<Vec<ModuleValue>, Problem> {
        items.iter().map(|item| self.value(item, budget)).collect()
    }
}

/// Statements of which the blocks run where they stand.
const BLOCKS: [&str; 9] = ["if", "elif", "else", "for", "while", "with", "try", "except", "finally"];

/// What a statement that begins with a name does to it.
enum Change<'t, 'a> {
    /// `= VALUE` and `: TYPE = VALUE`
    Assign(&'t [Spanned<'a>]),
    /// `+= VALUE`
    Add(&'t [Spanned<'a>]),
    /// `|= VALUE`
    Merge(&'t [Spanned<'a>]),
    /// `[KEY] = VALUE`
    Element(&'t [Spanned<'a>], &'t [Spanned<'a>]),
    /// `.METHOD(VALUE)`
    Call(&'a str, &'t [Spanned<'a>]),
    /// Something that is not understood.
    Unknown,
}

impl<'t, 'a> Change<'t, 'a> {
    /// Of what stands behind the name; `None` where it is not changed.
    fn of(rest: &'t [Spanned<'a>]) -> Option<Self> {
        let outside = |wanted: &str| outside_brackets(rest, wanted);
        match rest.first()?.token {
            Token::Op("=") => Some(Self::Assign(&rest[1..])),
            Token::Op("+=") => Some(Self::Add(&rest[1..])),
            Token::Op("|=") => Some(Self::Merge(&rest[1..])),
            Token::Op(":") => outside("=").map(|at| Self::Assign(&rest[at + 1..])),
            Token::Op("[") => match outside("=") {
                Some(at) => {
                    let close = rest[..at].iter().rposition(|token| token.token == Token::Op("]"))?;
                    let is_one = outside_brackets(&rest[1..close], "[").is_none() && close + 1 == at;
                    Some(if is_one { Self::Element(&rest[1..close], &rest[at + 1..]) } else { Self::Unknown })
                }
                None => Some(Self::Unknown),
            },
            Token::Op(".") => match rest {
                [
                    _,
                    Spanned { token: Token::Name(method), .. },
                    Spanned { token: Token::Op("("), .. },
                    ..,
                ] => {
                    let close = rest.iter().rposition(|token| token.token == Token::Op(")"))?;
                    Some(Self::Call(method, &rest[3..close.max(3)]))
                }
                _ => Some(Self::Unknown),
            },
            Token::Op("-=" | "*=" | "&=") => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// The first token of this kind that stands in no brackets.
fn outside_brackets(tokens: &[Spanned<'_>], wanted: &str) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|token| {
        let Token::Op(op) = token.token else { return false };
        let found = depth == 0 && op == wanted;
        match op {
            "[" | "(" | "{" => depth += 1,
            "]" | ")" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        found
    })
}

/// Gives a key of a dictionary its value, in the place that the key has already.
fn enter(pairs: &mut Vec<(ModuleValue, ModuleValue)>, key: ModuleValue, value: ModuleValue) {
    match pairs.iter_mut().find(|(have, _)| *have == key) {
        Some((_, old)) => *old = value,
        None => pairs.push((key, value)),
    }
}

/// A dictionary with the entries of another, or a set with its elements.
fn merged(old: ModuleValue, more: ModuleValue) -> Option<ModuleValue> {
    match (old, more) {
        (ModuleValue::Dict(mut pairs), ModuleValue::Dict(more)) => {
            for (key, value) in more {
                enter(&mut pairs, key, value);
            }
            Some(ModuleValue::Dict(pairs))
        }
        (ModuleValue::List(mut items), ModuleValue::List(more)) => {
            items.extend(more);
            Some(ModuleValue::List(items))
        }
        _ => None,
    }
}

/// The calls that only change the kind of a collection.
fn is_collection(name: &str) -> bool {
    matches!(name, "set" | "frozenset" | "list" | "tuple")
}

fn spend(budget: &mut usize, values: usize, at: usize) -> Result<(), Problem> {
    *budget =
        budget.checked_sub(values).ok_or_else(|| Problem::new(at, "the module's values are too many"))?;
    Ok(())
}

fn sum(at: usize, terms: Vec<ModuleValue>) -> Result<ModuleValue, Problem> {
    let mut terms = terms.into_iter();
    let mut total = terms.next().unwrap_or(ModuleValue::None);
    for term in terms {
        match (&mut total, term) {
            (ModuleValue::List(total), ModuleValue::List(more)) => total.extend(more),
            (ModuleValue::Str(total), ModuleValue::Str(more)) => total.push_str(&more),
            _ => return Err(Problem::new(at, "only lists and strings can be added")),
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn module(text: &str) -> Module {
        Module::read(Path::new("m.py"), text).unwrap()
    }

    fn strings(module: &Module, name: &str) -> Vec<String> {
        module.get(name).unwrap().unwrap().strings().unwrap()
    }

    #[test]
    fn assignments_may_use_what_came_before() {
        let module = module(
            "import os\nA = ['a']\nD = {\n  'k': ['b'],\n  'k': ['c'],\n}\n\nS = set([\n  'x',\n])\n\
             B = A + D[\"k\"] \\\n  + ['d']\n",
        );
        assert_eq!(strings(&module, "B"), ["a", "c", "d"]);
        assert_eq!(strings(&module, "S"), ["x"]);
        assert_eq!(module.get("C"), Ok(None));
    }

    #[test]
    fn what_is_no_literal_is_passed_over_but_remembered() {
        let module = module(
            "'''A = [1]'''\nX = sorted(A.keys(), key=f)\ndef f(v):\n  Y = ['no']\n  return 0\nZ = ['z']\nfor v in Z:\n  assert v\n",
        );
        assert_eq!(strings(&module, "Z"), ["z"]);
        assert_eq!(module.get("A"), Ok(None));
        assert_eq!(module.get("Y"), Ok(None));
        let problem = module.get("X").unwrap_err();
        assert_eq!((problem.line, problem.column), (2, 5), "{problem}");
    }

    #[test]
    fn a_value_may_be_annotated_and_changed() {
        let module = module(
            "A: list[str] = ['a']\nA += ['b']\nA.append('c')\nA.extend(['d', 'e'])\nD: dict[str, list] = {\n  'x': ['1'],\n}\n\
             D['y'] = ['2']\nD.update({'x': ['3']})\nD |= {'z': []}\nS = set(['s'])\nS.add('t')\nB: int\n",
        );
        assert_eq!(strings(&module, "A"), ["a", "b", "c", "d", "e"]);
        assert_eq!(strings(&module, "S"), ["s", "t"]);
        let Some(ModuleValue::Dict(pairs)) = module.get("D").unwrap() else { panic!() };
        let shown: Vec<_> = pairs
            .iter()
            .map(|(key, value)| match key {
                ModuleValue::Str(key) => (key.as_str(), value.strings().unwrap().join(" ")),
                _ => panic!(),
            })
            .collect();
        assert_eq!(shown, [("x", "3".into()), ("y", "2".into()), ("z", String::new())]);
        assert_eq!(module.get("B"), Ok(None));
    }

    #[test]
    fn a_value_that_is_changed_otherwise_is_not_known() {
        let changes = [
            "A.clear()",
            "A[0]['x'] = 1",
            "A -= ['a']",
            "A += f()",
            "if x:\n  A += ['b']",
            "for b in c:\n  A.append(b)",
        ];
        for change in changes {
            let module = module(&format!("A = ['a']\n{change}\nB = ['b']\n"));
            let problem = module.get("A").unwrap_err();
            assert!(problem.line > 1, "{change}: {problem}");
            assert_eq!(strings(&module, "B"), ["b"], "{change}");
        }
        let known = module("A = ['a']\ndef f():\n  A = ['b']\nassert A\nprint(A)\nA == 3\n");
        assert_eq!(strings(&known, "A"), ["a"]);
        assert!(module("A = f()\nA += ['b']\n").get("A").is_err());
        assert_eq!(strings(&module("A = f()\nA = ['b']\n"), "A"), ["b"]);
    }

    #[test]
    fn sums_that_double_come_to_an_end() {
        let mut text = String::from("A = ['a', 'b']\n");
        for _ in 0..60 {
            text.push_str("A = A + A\n");
        }
        assert!(module(&text).get("A").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = Module::read(Path::new("m.py"), &text);
        }
    }
}
