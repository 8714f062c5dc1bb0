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
pub enum Value {
    /// A string.
    Str(String),
    /// A whole number.
    Int(i64),
    /// `True` or `False`.
    Bool(bool),
    /// `None`.
    None,
    /// A list, tuple or set, in source order.
    List(Vec<Value>),
    /// A dictionary in source order; of equal keys the last counts, in the first one's place, as in Python 3.
    Dict(Vec<(Value, Value)>),
}

impl Value {
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
    values: BTreeMap<String, Value>,
    unread: BTreeMap<String, Diagnostic>,
}

impl Module {
    /// Reads a module: `NAME = literal` at the top level, where a literal may use `+`, names assigned before,
    /// subscripts and `set([...])`. Every other statement is passed over.
    ///
    /// # Errors
    /// Text that cannot be told apart into statements: a string that is not closed.
    pub fn read(file: &Path, text: &str) -> Result<Self, Diagnostic> {
        let tokens = tokenize(text).map_err(|problem| problem.located(file, text))?;
        let mut module = Self::default();
        let mut budget = MAX_VALUES;
        for statement in tokens.split_inclusive(|token| token.token == Token::Newline) {
            let [Spanned { token: Token::Name(name), at }, Spanned { token: Token::Op("="), .. }, rest @ ..] =
                statement
            else {
                continue;
            };
            let top_level = *at == 0 || text.as_bytes().get(*at - 1) == Some(&b'\n');
            if !top_level {
                continue;
            }
            match parse_tokens(rest).and_then(|expr| module.value(&expr, &mut budget)) {
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

    /// The value of a name: `None` if the module does not assign it.
    ///
    /// # Errors
    /// The module assigns it something that is no literal.
    pub fn get(&self, name: &str) -> Result<Option<&Value>, &Diagnostic> {
        match self.unread.get(name) {
            Some(problem) => Err(problem),
            None => Ok(self.values.get(name)),
        }
    }

    fn value(&self, expr: &Expr, budget: &mut usize) -> Result<Value, Problem> {
        let value = match &expr.kind {
            Kind::Str(text) => Value::Str(text.clone()),
            Kind::Int(n) => Value::Int(*n),
            Kind::Name(name) => match name.as_str() {
                "True" => Value::Bool(true),
                "False" => Value::Bool(false),
                "None" => Value::None,
                name => match self.values.get(name) {
                    Some(value) => {
                        spend(budget, value.size(), expr.at)?;
                        value.clone()
                    }
                    None => return Err(Problem::new(expr.at, format!("'{name}' has no value here"))),
                },
            },
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => {
                Value::List(self.all(items, budget)?)
            }
            Kind::Dict(pairs) => {
                let mut found: Vec<(Value, Value)> = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    let (key, value) = (self.value(key, budget)?, self.value(value, budget)?);
                    match found.iter_mut().find(|(have, _)| *have == key) {
                        Some((_, old)) => *old = value,
                        None => found.push((key, value)),
                    }
                }
                Value::Dict(found)
            }
            Kind::Sum(terms) => sum(expr.at, self.all(terms, budget)?)?,
            Kind::Index(of, index) => {
                let (of, index) = (self.value(of, budget)?, self.value(index, budget)?);
                let found = match (of, &index) {
                    (Value::Dict(pairs), key) => {
                        pairs.into_iter().find(|(k, _)| k == key).map(|(_, value)| value)
                    }
                    (Value::List(items), Value::Int(n)) => {
                        usize::try_from(*n).ok().and_then(|n| items.into_iter().nth(n))
                    }
                    _ => None,
                };
                found.ok_or_else(|| Problem::new(expr.at, "there is no such element"))?
            }
            Kind::Call(of, arguments) => match (&of.kind, arguments.as_slice()) {
                (Kind::Name(name), []) if is_collection(name) => Value::List(Vec::new()),
                (Kind::Name(name), [argument]) if is_collection(name) => {
                    match self.value(argument, budget)? {
                        Value::List(items) => Value::List(items),
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

    fn all(&self, items: &[Expr], budget: &mut usize) -> Result<Vec<Value>, Problem> {
        items.iter().map(|item| self.value(item, budget)).collect()
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

fn sum(at: usize, terms: Vec<Value>) -> Result<Value, Problem> {
    let mut terms = terms.into_iter();
    let mut total = terms.next().unwrap_or(Value::None);
    for term in terms {
        match (&mut total, term) {
            (Value::List(total), Value::List(more)) => total.extend(more),
            (Value::Str(total), Value::Str(more)) => total.push_str(&more),
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
