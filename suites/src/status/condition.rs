//! Conditions: Python expressions over a run's variables.

use std::collections::BTreeMap;

use crate::python::expr::Comparison;
use crate::python::{Expr, Kind, Problem};
use crate::text::nearest::{hint, nearest};

/// A variable's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// `True` or `False`.
    Bool(bool),
    /// A string, such as the architecture.
    Text(String),
}

impl From<bool> for Variable {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Variable {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

/// The names that conditions can use. `variant` is none of them: a condition that reaches it is evaluated once for
/// every variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, Variable>);

impl Variables {
    /// Gives a name a value, whatever it had.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Variable>) {
        self.0.insert(name.into(), value.into());
    }

    /// Makes each name a constant that is its own text, so that conditions can say `arch == x64`.
    pub fn constants<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            self.set(name, name);
        }
    }

    /// A name's value.
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.0.get(name)
    }

    /// Whether a name's value is `True`.
    pub fn is(&self, name: &str) -> bool {
        self.get(name) == Some(&Variable::Bool(true))
    }

    /// Evaluates a condition as Python would, short circuits included: what is not reached is not looked at.
    ///
    /// # Errors
    /// A name without a value, something that is no condition, or a result that is neither true nor false
    /// (V8: "Make sure expressions evaluate to boolean values").
    pub fn evaluate(&self, condition: &Expr, variant: Option<&str>) -> Result<Truth, Problem> {
        match (Evaluation { variables: self, variant }).value(condition) {
            Ok(Value::Bool(value)) => Ok(Truth::Known(value)),
            Ok(value) => Err(Problem::new(
                condition.at,
                format!("the condition is {}, neither True nor False", value.describe()),
            )),
            Err(Stop::NeedsVariant) => Ok(Truth::NeedsVariant),
            Err(Stop::Problem(problem)) => Err(problem),
        }
    }
}

/// What a condition comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds or not, for all variants alike.
    Known(bool),
    /// Evaluation reached the name `variant`, and no variant was given.
    NeedsVariant,
}

#[derive(Clone, PartialEq)]
enum Value<'a> {
    Bool(bool),
    Int(i64),
    None,
    Text(&'a str),
    Many(Vec<Value<'a>>),
}

impl Value<'_> {
    /// Python's truth of any value.
    fn truthy(&self) -> bool {
        match self {
            Self::Bool(value) => *value,
            Self::Int(n) => *n != 0,
            Self::None => false,
            Self::Text(text) => !text.is_empty(),
            Self::Many(items) => !items.is_empty(),
        }
    }

    /// Python's `==`: values of different types differ, except that True is 1.
    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Int(b)) | (Self::Int(b), Self::Bool(a)) => i64::from(*a) == *b,
            (a, b) => a == b,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Bool(value) => if *value { "True" } else { "False" }.into(),
            Self::Int(n) => n.to_string(),
            Self::None => "None".into(),
            Self::Text(text) => format!("the string '{text}'"),
            Self::Many(_) => "a list".into(),
        }
    }
}

enum Stop {
    NeedsVariant,
    Problem(Problem),
}

impl Stop {
    fn at(expr: &Expr, message: impl Into<String>) -> Self {
        Self::Problem(Problem::new(expr.at, message))
    }
}

struct Evaluation<'a> {
    variables: &'a Variables,
    variant: Option<&'a str>,
}

impl<'a> Evaluation<'a> {
    /// Recursion is as deep as the expression, which the parser bounds.
    fn value(&self, expr: &'a Expr) -> Result<Value<'a>, Stop> {
        Ok(match &expr.kind {
            Kind::Str(text) => Value::Text(text),
            Kind::Int(n) => Value::Int(*n),
            Kind::Name(name) => return self.name(name, expr),
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => {
                Value::Many(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Kind::Not(operand) => Value::Bool(!self.value(operand)?.truthy()),
            Kind::And(operands) => return self.first(operands, false),
            Kind::Or(operands) => return self.first(operands, true),
            Kind::Compare(first, rest) => {
                let mut left = self.value(first)?;
                for (comparison, operand) in rest {
                    let right = self.value(operand)?;
                    if !compare(&left, *comparison, &right, operand)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Value::Bool(true)
            }
            Kind::Dict(_)
            | Kind::Sum(_)
            | Kind::Index(..)
            | Kind::Call(..)
            | Kind::Named(..)
            | Kind::Attribute(..) => {
                return Err(Stop::at(
                    expr,
                    "conditions are made of names, strings, comparisons, and, or, not",
                ));
            }
        })
    }

    /// `and` and `or`: the first operand that decides, else the last.
    fn first(&self, operands: &'a [Expr], decides: bool) -> Result<Value<'a>, Stop> {
        let mut last = Value::Bool(!decides);
        for operand in operands {
            last = self.value(operand)?;
            if last.truthy() == decides {
                break;
            }
        }
        Ok(last)
    }

    fn name(&self, name: &str, expr: &Expr) -> Result<Value<'a>, Stop> {
        match (self.variables.0.get(name), name) {
            (Some(Variable::Bool(value)), _) => Ok(Value::Bool(*value)),
            (Some(Variable::Text(text)), _) => Ok(Value::Text(text)),
            (None, "True") => Ok(Value::Bool(true)),
            (None, "False") => Ok(Value::Bool(false)),
            (None, "None") => Ok(Value::None),
            (None, "variant") => self.variant.map(Value::Text).ok_or(Stop::NeedsVariant),
            (None, _) => {
                let known = self.variables.0.keys().map(String::as_str).chain(["variant"]);
                Err(Stop::at(expr, format!("unknown name '{name}'{}", hint(nearest(name, known)))))
            }
        }
    }
}

fn compare(left: &Value<'_>, comparison: Comparison, right: &Value<'_>, at: &Expr) -> Result<bool, Stop> {
    let contains = || match (left, right) {
        (left, Value::Many(items)) => Ok(items.iter().any(|item| item.equals(left))),
        // `arch in (x64)` is no tuple but a search in a text; V8's files do say such things.
        (Value::Text(part), Value::Text(text)) => Ok(text.contains(part)),
        _ => Err(Stop::at(at, format!("nothing can be 'in' {}", right.describe()))),
    };
    match comparison {
        Comparison::Equal => Ok(left.equals(right)),
        Comparison::NotEqual => Ok(!left.equals(right)),
        Comparison::In => contains(),
        Comparison::NotIn => contains().map(|found| !found),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::python::parse;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.constants(["x64", "arm", "arm64", "jitless", "stress", "default"]);
        variables.set("arch", "x64");
        variables.set("asan", false);
        variables.set("lite", true);
        variables.set("ALWAYS", true);
        variables
    }

    fn evaluate(condition: &str, variant: Option<&str>) -> Result<Truth, Problem> {
        variables().evaluate(&parse(condition).unwrap(), variant)
    }

    #[test]
    fn conditions_hold_as_in_python() {
        for (condition, holds) in [
            ("ALWAYS", true),
            ("arch == x64", true),
            ("arch == 'x64' and not asan", true),
            ("arch in (arm, x64)", true),
            ("arch not in [arm, arm64]", true),
            ("arch in (x64)", true),
            ("arch in (arm64)", false),
            ("(asan or lite) and (arch != x64 or lite)", true),
            ("asan == arm", false),
            ("asan == False", true),
            ("lite == 1", true),
            ("not arch", false),
            ("arch == x64 == x64", true),
            ("arch == x64 != arm64", true),
        ] {
            assert_eq!(evaluate(condition, None), Ok(Truth::Known(holds)), "{condition}");
        }
    }

    #[test]
    fn a_condition_that_reaches_variant_needs_one() {
        assert_eq!(evaluate("variant == jitless", None), Ok(Truth::NeedsVariant));
        assert_eq!(evaluate("variant == jitless", Some("jitless")), Ok(Truth::Known(true)));
        assert_eq!(evaluate("variant in [jitless, stress]", Some("default")), Ok(Truth::Known(false)));
        assert_eq!(evaluate("lite or variant == jitless", None), Ok(Truth::Known(true)), "short circuit");
        assert_eq!(evaluate("asan and variant == jitless", None), Ok(Truth::Known(false)), "short circuit");
    }

    #[test]
    fn what_is_no_condition_is_refused_with_its_position() {
        for (condition, at, message) in [
            ("arch", 0, "the condition is the string 'x64', neither True nor False"),
            ("lite and default", 0, "the condition is the string 'default', neither True nor False"),
            ("lite and ach == x64", 9, "unknown name 'ach'; did you mean 'arch'?"),
            ("arch in lite", 8, "nothing can be 'in' True"),
            ("f(x)", 0, "conditions are made of names, strings, comparisons, and, or, not"),
        ] {
            assert_eq!(evaluate(condition, None), Err(Problem::new(at, message)), "{condition}");
        }
        assert_eq!(
            evaluate("asan and nonsense", None),
            Ok(Truth::Known(false)),
            "not reached, not looked at"
        );
    }

    proptest! {
        #[test]
        fn any_expression_has_a_truth_or_a_problem(text in "[a-z()\\[\\] ='!,]{0,40}") {
            if let Ok(expr) = parse(&text) {
                let _ = variables().evaluate(&expr, Some("stress"));
            }
        }
    }
}
