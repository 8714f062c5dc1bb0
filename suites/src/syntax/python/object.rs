//! The values of generating programs, and the names they have.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::statement::Function;

/// What the suite gives to its programs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Native {
    Test,
    Template,
}

impl Native {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Test => "Test",
            Self::Template => "Template",
        }
    }
}

/// A value; copies share what they hold.
#[derive(Clone)]
pub(super) enum ObjectValue {
    None,
    Bool(bool),
    Int(i64),
    Str(Rc<str>),
    List(Rc<Vec<ObjectValue>>),
    Dict(Rc<Vec<(ObjectValue, ObjectValue)>>),
    Function(Rc<Function>, Rc<Vec<Option<ObjectValue>>>, Rc<Scope>),
    Native(Native),
    /// What `Template(name, source)` gives: a function of replacements and an expectation.
    Template(Rc<str>, Rc<str>),
    /// A dictionary's `keys` or `values`, not called yet.
    Method(Rc<Vec<(ObjectValue, ObjectValue)>>, bool),
}

impl ObjectValue {
    pub(super) fn truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(n) => *n != 0,
            Self::Str(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Dict(pairs) => !pairs.is_empty(),
            _ => true,
        }
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.equals(b))
            }
            _ => false,
        }
    }
}

/// The names of a function's call, or of the program.
pub(super) struct Scope {
    names: RefCell<HashMap<String, ObjectValue>>,
    outer: Option<Rc<Scope>>,
}

impl Scope {
    /// A scope within another.
    pub(super) fn new(outer: Option<Rc<Self>>) -> Self {
        Self { names: RefCell::default(), outer }
    }

    /// Forgets its names: functions among them hold the scope that holds them.
    pub(super) fn clear(&self) {
        self.names.take();
    }

    pub(super) fn set(&self, name: &str, value: ObjectValue) {
        self.names.borrow_mut().insert(name.into(), value);
    }

    pub(super) fn get(&self, name: &str) -> Option<ObjectValue> {
        let mut scope = self;
        loop {
            if let Some(value) = scope.names.borrow().get(name) {
                return Some(value.clone());
            }
            scope = scope.outer.as_deref()?;
        }
    }
}
