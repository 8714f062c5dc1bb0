//! The small programs that generate tests: the preparser suite's `.pyt` files.
//!
//! They call `Test(name, source, expectation, extra_flags)` and `Template(name, source)(replacements, expectation)`
//! from loops and functions of their own (V8 5.4 `test/preparser/testcfg.py`, which executes them). What they need of
//! Python is here and nothing else: strings, lists, dictionaries, `+`, comparisons, `for`, `if`, functions with
//! closures. A program is bounded in steps, depth and text; it can reach nothing outside of itself.

use std::path::Path;
use std::rc::Rc;

use super::diagnostic::{Diagnostic, Problem};
use super::expr::{Comparison, Expr, Kind};
use super::object::{Native, ObjectValue, Scope};
use super::statement::{Statement, parse};

/// Statements and expressions that are evaluated at most. V8's largest file takes some 60,000.
const MAX_STEPS: usize = 5_000_000;
/// How deep calls may nest.
const MAX_CALLS: usize = 50;
/// How deep values may lie within values.
const MAX_DEPTH: usize = 16;
/// The most bytes of all strings that are made.
const MAX_TEXT: usize = 64 << 20;

/// A test that a program asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Its name within the file. Names may repeat.
    pub name: String,
    /// Its source, as written.
    pub source: String,
    /// The error that is expected; `None` if the source is right.
    pub expectation: Option<String>,
    /// More flags for the shell.
    pub extra_flags: Vec<String>,
}

/// Runs a program for the tests it asks for, in the order in which it does.
///
/// # Errors
/// Text that is no program of this kind, or one that goes wrong or does not end; with the position.
pub fn generate(file: &Path, text: &str) -> Result<Vec<Generated>, Diagnostic> {
    let mut run = Run { steps: 0, calls: 0, text: 0, scopes: Vec::new(), tests: Vec::new() };
    let globals = run.scope(None);
    for native in [Native::Test, Native::Template] {
        globals.set(native.name(), ObjectValue::Native(native));
    }
    let result = parse(text).and_then(|program| run.block(&program, &globals));
    // Functions hold the scopes that hold them.
    for scope in &run.scopes {
        scope.clear();
    }
    match result {
        Ok(_) => Ok(run.tests),
        Err(problem) => Err(problem.located(file, text)),
    }
}

struct Run {
    steps: usize,
    calls: usize,
    text: usize,
    /// All there were.
    scopes: Vec<Rc<Scope>>,
    tests: Vec<Generated>,
}

/// A call's arguments: those by position, those by name.
struct Arguments {
    positional: Vec<ObjectValue>,
    named: Vec<(String, ObjectValue)>,
}

impl Arguments {
    /// The argument at a position or of a name.
    fn take(&mut self, position: usize, name: &str) -> Option<ObjectValue> {
        if let Some(value) = self.positional.get(position) {
            return Some(value.clone());
        }
        let at = self.named.iter().position(|(have, _)| have == name)?;
        Some(self.named.swap_remove(at).1)
    }
}

impl Run {
    fn step(&mut self, at: usize) -> Result<(), Problem> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(Problem::new(at, format!("the program takes more than {MAX_STEPS} steps")));
        }
        Ok(())
    }

    fn scope(&mut self, outer: Option<Rc<Scope>>) -> Rc<Scope> {
        let scope = Rc::new(Scope::new(outer));
        self.scopes.push(Rc::clone(&scope));
        scope
    }

    /// The value, if it does not nest too deep: comparing and dropping one recurses.
    fn shallow(&mut self, at: usize, value: ObjectValue) -> Result<ObjectValue, Problem> {
        match self.depth(at, &value)? {
            depth if depth > MAX_DEPTH => {
                Err(Problem::new(at, format!("values lie more than {MAX_DEPTH} deep within values")))
            }
            _ => Ok(value),
        }
    }

    fn depth(&mut self, at: usize, value: &ObjectValue) -> Result<usize, Problem> {
        let mut deepest = 0;
        let mut look = |run: &mut Self, inner: &ObjectValue| -> Result<(), Problem> {
            run.step(at)?;
            deepest = deepest.max(run.depth(at, inner)?);
            Ok(())
        };
        match value {
            ObjectValue::List(items) => items.iter().try_for_each(|item| look(self, item))?,
            ObjectValue::Dict(pairs) | ObjectValue::Method(pairs, _) => {
                pairs.iter().try_for_each(|(key, value)| look(self, key).and_then(|()| look(self, value)))?;
            }
            ObjectValue::Function(_, defaults, _) => {
                defaults.iter().flatten().try_for_each(|default| look(self, default))?;
            }
            _ => return Ok(0),
        }
        Ok(deepest + 1)
    }

    fn string(&mut self, at: usize, text: String) -> Result<Rc<str>, Problem> {
        self.text += text.len();
        if self.text > MAX_TEXT {
            return Err(Problem::new(at, "the program makes too much text"));
        }
        Ok(text.into())
    }

    /// Runs statements; gives what was returned, if anything was.
    fn block(&mut self, block: &[Statement], scope: &Rc<Scope>) -> Result<Option<ObjectValue>, Problem> {
        for statement in block {
            let returned = match statement {
                Statement::Pass => None,
                Statement::Expr(expr) => {
                    self.value(expr, scope)?;
                    None
                }
                Statement::Assign(name, expr) => {
                    let value = self.value(expr, scope)?;
                    scope.set(name, value);
                    None
                }
                Statement::Define(function) => {
                    // Python evaluates them once, where the function is defined.
                    let defaults = function.parameters.iter().map(|(_, default)| {
                        default.as_ref().map(|default| self.value(default, scope)).transpose()
                    });
                    let defaults = Rc::new(defaults.collect::<Result<Vec<_>, _>>()?);
                    let value = ObjectValue::Function(Rc::clone(function), defaults, Rc::clone(scope));
                    let value = self.shallow(0, value)?;
                    scope.set(&function.name, value);
                    None
                }
                Statement::Return(None) => Some(ObjectValue::None),
                Statement::Return(Some(expr)) => Some(self.value(expr, scope)?),
                Statement::For(name, values, body) => {
                    let items = match self.value(values, scope)? {
                        ObjectValue::List(items) => items,
                        ObjectValue::Dict(pairs) => {
                            Rc::new(pairs.iter().map(|(key, _)| key.clone()).collect())
                        }
                        _ => return Err(Problem::new(values.at, "expected a list or a dictionary")),
                    };
                    let mut returned = None;
                    for item in items.iter() {
                        self.step(values.at)?;
                        scope.set(name, item.clone());
                        returned = self.block(body, scope)?;
                        if returned.is_some() {
                            break;
                        }
                    }
                    returned
                }
                Statement::If(branches, otherwise) => {
                    let mut chosen = otherwise;
                    for (condition, body) in branches {
                        if self.value(condition, scope)?.truthy() {
                            chosen = body;
                            break;
                        }
                    }
                    self.block(chosen, scope)?
                }
            };
            if returned.is_some() {
                return Ok(returned);
            }
        }
        Ok(None)
    }

    fn value(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Result<ObjectValue, Problem> {
        self.step(expr.at)?;
        Ok(match &expr.kind {
            Kind::Str(text) => ObjectValue::Str(self.string(expr.at, text.clone())?),
            Kind::Int(n) => ObjectValue::Int(*n),
            Kind::Name(name) => match name.as_str() {
                "None" => ObjectValue::None,
                "True" => ObjectValue::Bool(true),
                "False" => ObjectValue::Bool(false),
                name => scope
                    .get(name)
                    .ok_or_else(|| Problem::new(expr.at, format!("'{name}' has no value here")))?,
            },
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => {
                let items = items.iter().map(|item| self.value(item, scope)).collect::<Result<_, _>>()?;
                self.shallow(expr.at, ObjectValue::List(Rc::new(items)))?
            }
            Kind::Dict(pairs) => {
                let mut found: Vec<(ObjectValue, ObjectValue)> = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    let (key, value) = (self.value(key, scope)?, self.value(value, scope)?);
                    match found.iter_mut().find(|(have, _)| have.equals(&key)) {
                        Some((_, old)) => *old = value,
                        None => found.push((key, value)),
                    }
                }
                self.shallow(expr.at, ObjectValue::Dict(Rc::new(found)))?
            }
            Kind::Sum(terms) => {
                let mut terms = terms.iter();
                let mut total = match terms.next() {
                    Some(first) => self.value(first, scope)?,
                    None => ObjectValue::None,
                };
                for term in terms {
                    let more = self.value(term, scope)?;
                    total = match (&total, &more) {
                        (ObjectValue::Str(a), ObjectValue::Str(b)) => {
                            ObjectValue::Str(self.string(term.at, format!("{a}{b}"))?)
                        }
                        (ObjectValue::List(a), ObjectValue::List(b)) => {
                            self.steps += a.len() + b.len();
                            self.step(term.at)?;
                            ObjectValue::List(Rc::new(a.iter().chain(b.iter()).cloned().collect()))
                        }
                        _ => return Err(Problem::new(term.at, "only lists and strings can be added")),
                    };
                }
                total
            }
            Kind::Index(of, index) => {
                let (of, key) = (self.value(of, scope)?, self.value(index, scope)?);
                let found = match (&of, &key) {
                    (ObjectValue::Dict(pairs), key) => {
                        pairs.iter().find(|(have, _)| have.equals(key)).map(|(_, value)| value.clone())
                    }
                    (ObjectValue::List(items), ObjectValue::Int(n)) => {
                        usize::try_from(*n).ok().and_then(|n| items.get(n)).cloned()
                    }
                    _ => None,
                };
                found.ok_or_else(|| Problem::new(index.at, "there is no such element"))?
            }
            Kind::Attribute(of, name) => match (self.value(of, scope)?, name.as_str()) {
                (ObjectValue::Dict(pairs), "keys") => ObjectValue::Method(pairs, true),
                (ObjectValue::Dict(pairs), "values") => ObjectValue::Method(pairs, false),
                _ => return Err(Problem::new(expr.at, format!("'.{name}' is not read here"))),
            },
            Kind::Call(of, arguments) => {
                let function = self.value(of, scope)?;
                let mut given = Arguments { positional: Vec::new(), named: Vec::new() };
                for argument in arguments {
                    match &argument.kind {
                        Kind::Named(name, value) => {
                            given.named.push((name.clone(), self.value(value, scope)?));
                        }
                        _ => given.positional.push(self.value(argument, scope)?),
                    }
                }
                self.call(expr.at, function, given)?
            }
            Kind::Not(of) => ObjectValue::Bool(!self.value(of, scope)?.truthy()),
            Kind::And(operands) => self.first(operands, scope, false)?,
            Kind::Or(operands) => self.first(operands, scope, true)?,
            Kind::Compare(first, rest) => {
                let mut left = self.value(first, scope)?;
                for (comparison, operand) in rest {
                    let right = self.value(operand, scope)?;
                    if !self.compare(&left, *comparison, &right, operand.at)? {
                        return Ok(ObjectValue::Bool(false));
                    }
                    left = right;
                }
                ObjectValue::Bool(true)
            }
            Kind::Named(..) => return Err(Problem::new(expr.at, "expected a value")),
        })
    }

    /// `and` and `or`: the first operand that decides, else the last.
    fn first(&mut self, operands: &[Expr], scope: &Rc<Scope>, decides: bool) -> Result<ObjectValue, Problem> {
        let mut last = ObjectValue::Bool(!decides);
        for operand in operands {
            last = self.value(operand, scope)?;
            if last.truthy() == decides {
                break;
            }
        }
        Ok(last)
    }

    fn compare(
        &mut self,
        left: &ObjectValue,
        how: Comparison,
        right: &ObjectValue,
        at: usize,
    ) -> Result<bool, Problem> {
        let within = match (how, right) {
            (Comparison::Equal, _) => return Ok(left.equals(right)),
            (Comparison::NotEqual, _) => return Ok(!left.equals(right)),
            (_, ObjectValue::List(items)) => items.iter().any(|item| item.equals(left)),
            (_, ObjectValue::Dict(pairs)) => pairs.iter().any(|(key, _)| key.equals(left)),
            (_, ObjectValue::Str(text)) => match left {
                ObjectValue::Str(part) => text.contains(&**part),
                _ => return Err(Problem::new(at, "only a string can be in a string")),
            },
            _ => return Err(Problem::new(at, "expected a list, a dictionary or a string")),
        };
        Ok(within == (how == Comparison::In))
    }

    fn call(
        &mut self,
        at: usize,
        function: ObjectValue,
        mut given: Arguments,
    ) -> Result<ObjectValue, Problem> {
        match function {
            ObjectValue::Function(function, defaults, outer) => {
                let scope = self.scope(Some(outer));
                for (i, ((name, _), default)) in function.parameters.iter().zip(defaults.iter()).enumerate() {
                    let value = given.take(i, name).or_else(|| default.clone());
                    let missing =
                        || Problem::new(at, format!("{} lacks its argument '{name}'", function.name));
                    scope.set(name, value.ok_or_else(missing)?);
                }
                self.finished(at, &given, function.parameters.len())?;
                self.calls += 1;
                if self.calls > MAX_CALLS {
                    return Err(Problem::new(at, format!("calls nest more than {MAX_CALLS} deep")));
                }
                let returned = self.block(&function.body, &scope)?;
                self.calls -= 1;
                Ok(returned.unwrap_or(ObjectValue::None))
            }
            ObjectValue::Native(Native::Template) => {
                let name = self.text_of(at, given.take(0, "name"))?;
                let source = self.text_of(at, given.take(1, "source"))?;
                self.finished(at, &given, 2)?;
                Ok(ObjectValue::Template(name, source))
            }
            ObjectValue::Native(Native::Test) => {
                let name = self.text_of(at, given.take(0, "name"))?;
                let source = self.text_of(at, given.take(1, "source"))?;
                let expectation = given.take(2, "expectation");
                let extra_flags = match given.take(3, "extra_flags") {
                    None => Vec::new(),
                    Some(ObjectValue::List(flags)) => flags
                        .iter()
                        .map(|flag| self.text_of(at, Some(flag.clone())).map(|flag| String::from(&*flag)))
                        .collect::<Result<_, _>>()?,
                    Some(_) => return Err(Problem::new(at, "extra_flags should be a list of strings")),
                };
                self.finished(at, &given, 4)?;
                self.test(at, name.to_string(), source.to_string(), expectation, extra_flags)
            }
            ObjectValue::Template(name, source) => {
                let replacement = given.take(0, "replacement");
                let expectation = given.take(1, "expectation");
                self.finished(at, &given, 2)?;
                let Some(ObjectValue::Dict(replacement)) = replacement else {
                    return Err(Problem::new(at, "expected a dictionary of replacements"));
                };
                let mut pairs = Vec::with_capacity(replacement.len());
                for (key, value) in replacement.iter() {
                    let key = self.text_of(at, Some(key.clone()))?;
                    pairs.push((format!("${key}"), self.text_of(at, Some(value.clone()))?));
                }
                // V8 goes by the order of a dictionary, which happens to replace `$opname` before `$op`.
                pairs.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
                let mut texts = [name.to_string(), source.to_string()];
                for (key, value) in &pairs {
                    for text in &mut texts {
                        *text = text.replace(key.as_str(), value);
                        self.text += text.len();
                    }
                }
                let [name, source] = texts;
                self.test(at, name, source, expectation, Vec::new())
            }
            ObjectValue::Method(pairs, keys) => {
                self.finished(at, &given, 0)?;
                let items = pairs.iter().map(|(key, value)| if keys { key.clone() } else { value.clone() });
                Ok(ObjectValue::List(Rc::new(items.collect())))
            }
            _ => Err(Problem::new(at, "this is nothing that can be called")),
        }
    }

    /// Nothing may be left of a call's arguments.
    fn finished(&self, at: usize, given: &Arguments, parameters: usize) -> Result<(), Problem> {
        if let Some((name, _)) = given.named.first() {
            return Err(Problem::new(at, format!("there is no parameter '{name}'")));
        }
        if given.positional.len() > parameters {
            return Err(Problem::new(at, format!("expected {parameters} arguments at most")));
        }
        Ok(())
    }

    fn text_of(&self, at: usize, value: Option<ObjectValue>) -> Result<Rc<str>, Problem> {
        match value {
            Some(ObjectValue::Str(text)) => Ok(text),
            _ => Err(Problem::new(at, "expected a string")),
        }
    }

    fn test(
        &mut self,
        at: usize,
        name: String,
        source: String,
        expectation: Option<ObjectValue>,
        extra_flags: Vec<String>,
    ) -> Result<ObjectValue, Problem> {
        let expectation = match expectation {
            None | Some(ObjectValue::None) => None,
            Some(ObjectValue::Str(text)) => Some(String::from(&*text)).filter(|text| !text.is_empty()),
            Some(_) => return Err(Problem::new(at, "expected the name of an error, or None")),
        };
        self.string(at, format!("{name}{source}"))?;
        self.tests.push(Generated { name, source, expectation, extra_flags });
        Ok(ObjectValue::None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        generate(Path::new("a.pyt"), text).unwrap().into_iter().map(|test| test.name).collect()
    }

    fn problem(text: &str) -> String {
        generate(Path::new("a.pyt"), text).unwrap_err().to_string().lines().next().unwrap().into()
    }

    #[test]
    fn templates_are_filled_in_longest_name_first() {
        let tests = generate(
            Path::new("a.pyt"),
            "t = Template('assign-$id-$opname', '''\n  $id $op 42;\n''')\n\
             t({'op': '<<=', 'id': 'eval', 'opname': 'shleq'}, 'strict')\n",
        );
        let expected = Generated {
            name: "assign-eval-shleq".into(),
            source: "\n  eval <<= 42;\n".into(),
            expectation: Some("strict".into()),
            extra_flags: vec![],
        };
        assert_eq!(tests.unwrap(), [expected]);
    }

    #[test]
    fn functions_close_over_what_they_were_made_in() {
        let text = "
def Strict(name, source, allow = True):
  def Make(replacement, expectation):
    if (allow):
      Template('strict-' + name, source)(replacement, expectation)
    elif name == 'b':
      Template('loose-' + name, source)(replacement, expectation);
    else:
      return None
    Template(name, source)(replacement, expectation)
  return Make

for word in ['a', 'b'] + ['c']:
  # A comment
  Strict(word, 'x', word not in ['b', 'c'])({}, None)
for key in {'k': 'v'}.keys() if False else []:
  pass
";
        assert!(problem(text).contains("expected"), "conditional expressions are none of it");
        let text = text.replace(" if False else []", "").replace("{'k': 'v'}", "d").replacen(
            "\ndef",
            "\nd = {'k': 'v'}\ndef",
            1,
        );
        assert_eq!(names(&text), ["strict-a", "a", "loose-b", "b"]);
    }

    #[test]
    fn strings_are_those_of_python_2() {
        let tests = generate(Path::new("a.pyt"), r"Test('a', '\u0061\x61', None)").unwrap();
        assert_eq!(tests[0].source, r"\u0061a");
    }

    #[test]
    fn a_test_may_have_flags() {
        let tests = generate(Path::new("a.pyt"), "Test('a', 'b', None, extra_flags=['--c'])").unwrap();
        assert_eq!((&*tests[0].extra_flags, &tests[0].expectation), (&["--c".to_string()][..], &None));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert_eq!(problem("import os\n"), "a.pyt:1:1: statements with 'import' are not read here");
        assert_eq!(problem("x = 1\ny(2)\n"), "a.pyt:2:1: 'y' has no value here");
        assert_eq!(problem("for x in y\n  z\n"), "a.pyt:1:1: expected a line that ends with ':'");
        assert_eq!(
            problem("if 1:\nTest('a', 'b', None)\n"),
            "a.pyt:1:1: expected an indented block below this line"
        );
        assert_eq!(problem("x = 1\n  y = 2\n"), "a.pyt:2:3: this line is indented like none before it");
        assert_eq!(problem("Test('a')"), "a.pyt:1:1: expected a string");
        assert_eq!(problem("def f(a):\n  return a\nf()\n"), "a.pyt:3:1: f lacks its argument 'a'");
        assert_eq!(
            problem("x = 'a'\nTest('a', 'b', None, 'c', 'd')").split(": ").last(),
            Some("extra_flags should be a list of strings")
        );
    }

    #[test]
    fn programs_that_do_not_end_are_ended() {
        assert!(problem("def f(x):\n  return f(x)\nf(1)\n").contains("calls nest more than"));
        let mut text = String::from("x = 'aaaaaaaaaaaaaaaa'\ny = [1, 2, 3, 4, 5, 6, 7, 8]\n");
        for _ in 0..30 {
            text.push_str("x = x + x\n");
        }
        assert!(problem(&text).contains("too much text"));
        let deep = format!(
            "{}for i in range:\n  x = [x]\n",
            "x = 1\nrange = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]\n"
        );
        assert!(problem(&deep).contains("deep within values"));
        let mut text = String::from("y = [1, 2, 3, 4, 5, 6, 7, 8]\n");
        for _ in 0..30 {
            text.push_str("y = y + y\n");
        }
        assert!(problem(&text).contains("steps"));
        let deep = "def f():\n ".to_string()
            + &" ".repeat(0)
            + "return 1\n"
            + &(1..200).map(|i| format!("{}if 1:\n", " ".repeat(i - 1))).collect::<String>();
        assert!(problem(&deep).contains("nested more than") || problem(&deep).contains("indented block"));
    }

    proptest! {
        #[test]
        fn any_text_is_run_or_refused(text in any::<String>()) {
            let _ = generate(Path::new("a.pyt"), &text);
        }

        #[test]
        fn any_words_are_run_or_refused(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "Test", "Template", "(", ")", "'a'", ",", "x", "=", "for", "in", "if", "elif", "else", ":", "\n",
                    "\n ", "\n  ", "def", "f", "return", "[", "]", "{", "}", ".keys()", "+", "==", "None",
                ]),
                0..60,
            )
        ) {
            let _ = generate(Path::new("a.pyt"), &words.join(" "));
        }
    }
}
