//! Conditions: Python expressions over a run's variables.

use std::collections::BTreeMap;

use crate::syntax::python::expr::Comparison;
use crate::syntax::python::{Expr, Kind, Problem};
use flotilla_messages::nearest::{hint, nearest};

/// A variable's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// `True` or `False`.
    Bool(bool),
    /// A string, such as the architecture.
    Text(String),
    /// A whole number.
    Int(i64),
    /// No value: unequal to everything but itself.
    None,
    /// A list.
    Many(Vec<Variable>),
    /// Something that is equal to nothing, and that Python takes for true or not: a number with a fraction, an object.
    Other(bool),
}

impl Variable {
    /// Whether Python takes it for true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Bool(value) | Self::Other(value) => *value,
            Self::Text(text) => !text.is_empty(),
            Self::Int(number) => *number != 0,
            Self::None => false,
            Self::Many(items) => !items.is_empty(),
        }
    }
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
pub struct Variables {
    values: BTreeMap<String, Variable>,
    lenient: bool,
}

impl Variables {
    /// What a condition says that is not understood is unknown from now on, rather than an error: the tree is newer than
    /// what is known.
    pub fn allow_unknown(&mut self) {
        self.lenient = true;
    }

    /// Whether what is not understood is unknown rather than an error.
    pub fn allows_unknown(&self) -> bool {
        self.lenient
    }

    /// Gives a name a value, whatever it had.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Variable>) {
        self.values.insert(name.into(), value.into());
    }

    /// Takes a name out: nobody knows its value.
    pub fn forget(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// Makes each name a constant that is its own text, so that conditions can say `arch == x64`.
    pub fn constants<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            self.set(name, name);
        }
    }

    /// A name's value.
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.values.get(name)
    }

    /// Whether a name's value is true in Python; `None` if it has no value.
    pub fn holds(&self, name: &str) -> Option<bool> {
        self.get(name).map(Variable::is_true)
    }

    /// Whether a name's value is `True`.
    pub fn is(&self, name: &str) -> bool {
        self.get(name) == Some(&Variable::Bool(true))
    }

    /// Evaluates a condition as Python would, short circuits included: what is not reached is not looked at.
    ///
    /// Where that is allowed, what is not understood is unknown: `unknown and False` is false, `unknown or True` is true,
    /// `not unknown` and any comparison with it are unknown.
    ///
    /// # Errors
    /// A name without a value, something that is no condition, or a result that is neither true nor false
    /// (V8: "Make sure expressions evaluate to boolean values").
    pub fn evaluate(&self, condition: &Expr, variant: Option<&str>) -> Result<Truth, Problem> {
        let problem = match (Evaluation { variables: self, variant }).value(condition) {
            Ok(Value::Bool(value)) => return Ok(Truth::Known(value)),
            Ok(Value::Unknown(problem)) => return Ok(Truth::Unknown(problem)),
            Err(Stop::NeedsVariant) => return Ok(Truth::NeedsVariant),
            Ok(value) => Problem::new(
                condition.at,
                format!("the condition is {}, neither True nor False", value.describe()),
            ),
            Err(Stop::Problem(problem)) => problem,
        };
        if self.lenient { Ok(Truth::Unknown(problem)) } else { Err(problem) }
    }
}

/// What a condition comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds or not, for all variants alike.
    Known(bool),
    /// Nobody can tell, because of this.
    Unknown(Problem),
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
    Other(bool),
    /// What was not understood.
    Unknown(Problem),
}

impl<'a> Value<'a> {
    fn of(variable: &'a Variable) -> Self {
        match variable {
            Variable::Bool(value) => Self::Bool(*value),
            Variable::Text(text) => Self::Text(text),
            Variable::Int(number) => Self::Int(*number),
            Variable::None => Self::None,
            Variable::Many(items) => Self::Many(items.iter().map(Self::of).collect()),
            Variable::Other(value) => Self::Other(*value),
        }
    }
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
            Self::Other(value) => *value,
            // Nobody asks before it has looked.
            Self::Unknown(_) => false,
        }
    }

    /// What makes this unknown, if anything does.
    fn unknown(&self) -> Option<Problem> {
        match self {
            Self::Unknown(problem) => Some(problem.clone()),
            Self::Many(items) => items.iter().find_map(Self::unknown),
            _ => None,
        }
    }

    /// Python's `==`: values of different types differ, except that True is 1.
    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Int(b)) | (Self::Int(b), Self::Bool(a)) => i64::from(*a) == *b,
            // Two unknown values may differ.
            (Self::Unknown(_) | Self::Other(_), _) | (_, Self::Unknown(_) | Self::Other(_)) => false,
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
            Self::Other(_) => "a value of another kind".into(),
            Self::Unknown(_) => "unknown".into(),
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
        match self.understood(expr) {
            Err(Stop::Problem(problem)) if self.variables.lenient => Ok(Value::Unknown(problem)),
            value => value,
        }
    }

    fn understood(&self, expr: &'a Expr) -> Result<Value<'a>, Stop> {
        Ok(match &expr.kind {
            Kind::Str(text) => Value::Text(text),
            Kind::Int(n) => Value::Int(*n),
            Kind::Name(name) => return self.name(name, expr),
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) => {
                Value::Many(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Kind::Not(operand) => match self.value(operand)? {
                Value::Unknown(problem) => Value::Unknown(problem),
                value => Value::Bool(!value.truthy()),
            },
            Kind::And(operands) => return self.first(operands, false),
            Kind::Or(operands) => return self.first(operands, true),
            Kind::Compare(first, rest) => {
                let mut left = self.value(first)?;
                let mut unknown = None;
                for (comparison, operand) in rest {
                    let right = self.value(operand)?;
                    match compare(&left, *comparison, &right, operand)? {
                        Compared::Known(false) => return Ok(Value::Bool(false)),
                        Compared::Known(true) => {}
                        Compared::Unknown(problem) => unknown = Some(problem),
                    }
                    left = right;
                }
                unknown.map_or(Value::Bool(true), Value::Unknown)
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

    /// `and` and `or`: the first operand that decides, else the last; unknown if one that could decide is.
    fn first(&self, operands: &'a [Expr], decides: bool) -> Result<Value<'a>, Stop> {
        let mut last = Value::Bool(!decides);
        let mut unknown = None;
        for operand in operands {
            match self.value(operand)? {
                Value::Unknown(problem) => unknown = unknown.or(Some(problem)),
                value if value.truthy() == decides => return Ok(value),
                value => last = value,
            }
        }
        Ok(unknown.map_or(last, Value::Unknown))
    }

    fn name(&self, name: &str, expr: &Expr) -> Result<Value<'a>, Stop> {
        match (self.variables.values.get(name), name) {
            (Some(variable), _) => Ok(Value::of(variable)),
            (None, "True") => Ok(Value::Bool(true)),
            (None, "False") => Ok(Value::Bool(false)),
            (None, "None") => Ok(Value::None),
            (None, "variant") => self.variant.map(Value::Text).ok_or(Stop::NeedsVariant),
            (None, _) => {
                let known = self.variables.values.keys().map(String::as_str).chain(["variant"]);
                Err(Stop::at(expr, format!("unknown name '{name}'{}", hint(nearest(name, known)))))
            }
        }
    }
}

/// What a comparison comes to.
enum Compared {
    Known(bool),
    Unknown(Problem),
}

fn compare(left: &Value<'_>, comparison: Comparison, right: &Value<'_>, at: &Expr) -> Result<Compared, Stop> {
    let contains = || match (left, right) {
        (left, Value::Many(items)) => Ok(items.iter().any(|item| item.equals(left))),
        // `arch in (x64)` is no tuple but a search in a text; V8's files do say such things.
        (Value::Text(part), Value::Text(text)) => Ok(text.contains(part)),
        _ => Err(Stop::at(at, format!("nothing can be 'in' {}", right.describe()))),
    };
    if let Some(problem) = left.unknown().or_else(|| right.unknown()) {
        // Among others that are known, what is looked for may be found.
        let found = matches!(right, Value::Many(items) if items.iter().any(|item| item.equals(left)));
        return Ok(match comparison {
            Comparison::In if found => Compared::Known(true),
            Comparison::NotIn if found => Compared::Known(false),
            _ => Compared::Unknown(problem),
        });
    }
    let order = || match (left, right) {
        (Value::Text(left), Value::Text(right)) => Ok(left.cmp(right)),
        (Value::Int(left), Value::Int(right)) => Ok(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Ok(left.cmp(right)),
        _ => {
            let message = format!("{} and {} cannot be put in order", left.describe(), right.describe());
            Err(Stop::at(at, message))
        }
    };
    let holds = match comparison {
        Comparison::Equal => left.equals(right),
        Comparison::NotEqual => !left.equals(right),
        Comparison::Is => left == right,
        Comparison::IsNot => left != right,
        Comparison::Less => order()?.is_lt(),
        Comparison::LessOrEqual => order()?.is_le(),
        Comparison::Greater => order()?.is_gt(),
        Comparison::GreaterOrEqual => order()?.is_ge(),
        Comparison::In => contains()?,
        Comparison::NotIn => !contains()?,
    };
    Ok(Compared::Known(holds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::syntax::python::parse;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.constants(["x64", "arm", "arm64", "jitless", "stress", "default"]);
        variables.set("arch", "x64");
        variables.set("asan", false);
        variables.set("lite", true);
        variables.set("ALWAYS", true);
        variables.set("several", Variable::Many(vec!["x64".into(), Variable::Int(1)]));
        variables.set("odd", Variable::Other(true));
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
            ("lite is True", true),
            ("lite is not False and asan is False", true),
            ("lite is 1", false),
            ("arch < x64 or arch > arm64", true),
            ("arch <= x64 and arch >= x64", true),
            ("x64 in several", true),
            ("not several", false),
            ("not odd", false),
            ("odd == odd", false),
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

    fn lenient(condition: &str, variant: Option<&str>) -> Truth {
        let mut variables = variables();
        variables.allow_unknown();
        variables.set("nothing", Variable::None);
        variables.evaluate(&parse(condition).unwrap(), variant).unwrap()
    }

    #[test]
    fn what_is_unknown_decides_nothing_in_a_newer_tree() {
        for (condition, holds) in [
            ("brand_new and asan", false),
            ("asan and brand_new", false),
            ("brand_new or lite", true),
            ("lite or brand_new", true),
            ("arch in (brand_new, x64)", true),
            ("arch not in (brand_new, x64)", false),
            ("arch == x64 and not (brand_new and asan)", true),
            ("arch == arm == brand_new", false),
            ("nothing == x64", false),
            ("nothing != x64", true),
        ] {
            assert_eq!(lenient(condition, None), Truth::Known(holds), "{condition}");
        }
        for (condition, name) in [
            ("brand_new", "brand_new"),
            ("not brand_new", "brand_new"),
            ("lite and brand_new", "brand_new"),
            ("brand_new or asan", "brand_new"),
            ("arch == brand_new", "brand_new"),
            ("arch in (arm, brand_new)", "brand_new"),
            ("brand_new in (arm, x64)", "brand_new"),
            ("brand_new == brand_new", "brand_new"),
            ("not (one or two)", "one"),
        ] {
            let Truth::Unknown(problem) = lenient(condition, None) else { panic!("{condition}") };
            assert!(
                problem.message.starts_with(&format!("unknown name '{name}'")),
                "{condition}: {}",
                problem.message
            );
        }
        assert!(
            matches!(lenient("f(x)", None), Truth::Unknown(_)),
            "what is no condition here may be one there"
        );
        assert!(matches!(lenient("arch", None), Truth::Unknown(_)));
    }

    #[test]
    fn an_unknown_condition_still_asks_for_the_variant() {
        assert_eq!(lenient("brand_new and variant == stress", None), Truth::NeedsVariant);
        assert_eq!(lenient("brand_new and variant == stress", Some("default")), Truth::Known(false));
        assert!(matches!(lenient("brand_new and variant == stress", Some("stress")), Truth::Unknown(_)));
        assert_eq!(lenient("variant == brand_new", None), Truth::NeedsVariant);
    }

    proptest! {
        #[test]
        fn any_expression_has_a_truth_or_a_problem(text in "[a-z()\\[\\] ='!,]{0,40}") {
            if let Ok(expr) = parse(&text) {
                let _ = variables().evaluate(&expr, Some("stress"));
                let mut lenient = variables();
                lenient.allow_unknown();
                prop_assert!(lenient.evaluate(&expr, Some("stress")).is_ok());
            }
        }
    }
}
