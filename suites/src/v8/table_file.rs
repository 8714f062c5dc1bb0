//! A Python file of a tree, and the shapes of its tables.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use crate::kit::error::OpenError;
use crate::syntax::python::{Module, ModuleValue};
use crate::syntax::read::read;

/// Names with lists of strings, in source order.
pub type Lists = Vec<(String, Vec<String>)>;

/// A variant and the flags it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its flags.
    pub flags: Vec<String>,
}

/// A Python file of the tree; empty if there is none.
pub(super) struct TableFile {
    path: PathBuf,
    module: Module,
    pub(super) exists: bool,
    /// Whether a table that is not understood is as good as none.
    lenient: bool,
    /// What was not understood, if that does no harm.
    pub(super) problems: RefCell<Vec<String>>,
}

impl TableFile {
    /// Reads the file `name` below `root`.
    ///
    /// # Errors
    /// As [`Tables::read`](super::tables::Tables::read).
    pub(super) fn open(root: &Path, name: &str) -> Result<Self, OpenError> {
        let path = root.join(name);
        let (module, exists) = match read(&path) {
            // Messages name the file as people in the tree do.
            Ok(bytes) => (Module::read(Path::new(name), &String::from_utf8_lossy(&bytes))?, true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => (Module::default(), false),
            Err(source) => return Err(OpenError::Read { path, source }),
        };
        Ok(Self { path, module, exists, lenient: false, problems: RefCell::default() })
    }

    /// The same, for a tree of which a table that is not understood is as good as none.
    pub(super) fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// What the file assigns to a name, if it does.
    ///
    /// # Errors
    /// That is no literal.
    pub(super) fn get(&self, name: &str) -> Result<Option<&ModuleValue>, OpenError> {
        self.module.get(name).map_err(|problem| OpenError::Syntax(problem.clone()))
    }

    /// The error that the value of `name` is not what was expected.
    pub(super) fn shape(&self, name: &'static str, expected: &'static str) -> OpenError {
        OpenError::Table { file: self.path.clone(), name, expected }
    }

    /// Notes that a file that is there has no such table, in a tree that is newer than what is known.
    pub(super) fn should_have(&self, name: &str) {
        if self.lenient && self.exists && matches!(self.module.get(name), Ok(None)) {
            self.problems.borrow_mut().push(format!("{} has no {name}", self.path.display()));
        }
    }

    /// What was found; nothing where something else was found that does no harm.
    pub(super) fn understood<T>(&self, found: Result<Option<T>, OpenError>) -> Result<Option<T>, OpenError> {
        match found {
            Err(problem) if self.lenient => {
                self.problems.borrow_mut().push(format!("{problem}: not looked at"));
                Ok(None)
            }
            found => found,
        }
    }

    pub(super) fn strings(&self, name: &'static str) -> Result<Option<Vec<String>>, OpenError> {
        let shape = || self.shape(name, "a list of strings");
        let found =
            self.get(name).and_then(|value| value.map(|value| value.strings().ok_or_else(shape)).transpose());
        self.understood(found)
    }

    pub(super) fn lists(&self, name: &'static str) -> Result<Option<Lists>, OpenError> {
        self.understood(
            self.get(name).and_then(|value| value.map(|value| self.as_lists(name, value)).transpose()),
        )
    }

    /// V8 9.3 has a list within a list of flags, which means its elements.
    pub(super) fn as_lists(&self, name: &'static str, value: &ModuleValue) -> Result<Lists, OpenError> {
        const SHAPE: &str = "a dictionary from names to lists of strings";
        let ModuleValue::Dict(pairs) = value else { return Err(self.shape(name, SHAPE)) };
        let lists = pairs.iter().map(|(key, value)| match (key, flat(value)) {
            (ModuleValue::Str(key), Some(strings)) => Ok((key.clone(), strings)),
            _ => Err(self.shape(name, SHAPE)),
        });
        lists.collect()
    }

    /// VARIANT_FLAGS of trees before 2015: flags by name; in 2012, lists of flags without names.
    pub(super) fn classic_variants(&self) -> Result<Option<Vec<Variant>>, OpenError> {
        const NAME: &str = "VARIANT_FLAGS";
        const SHAPE: &str = "a dictionary from variants to lists of flags, or a list of lists of flags";
        let Some(value) = self.get(NAME)? else { return Ok(None) };
        let shape = || self.shape(NAME, SHAPE);
        let variants = match value {
            ModuleValue::Dict(pairs) => pairs
                .iter()
                .map(|(key, flags)| match (key, flags.strings()) {
                    (ModuleValue::Str(name), Some(flags)) => Ok(Variant { name: name.clone(), flags }),
                    _ => Err(shape()),
                })
                .collect::<Result<_, _>>()?,
            ModuleValue::List(lists) => lists
                .iter()
                .map(|flags| {
                    let flags = flags.strings().ok_or_else(shape)?;
                    let name = match flags.first().map(|flag| flag.trim_start_matches('-')) {
                        None => "default",
                        Some("stress-opt") => "stress",
                        Some(first) => first,
                    };
                    Ok(Variant { name: name.into(), flags })
                })
                .collect::<Result<_, OpenError>>()?,
            _ => return Err(shape()),
        };
        Ok(Some(variants))
    }

    /// ALL_VARIANT_FLAGS and its like: each variant has a list of lists of flags, of which the first counts.
    pub(super) fn variants(&self, name: &'static str) -> Result<Option<Vec<Variant>>, OpenError> {
        self.understood(
            self.get(name).and_then(|value| value.map(|value| self.as_variants(name, value)).transpose()),
        )
    }

    pub(super) fn as_variants(
        &self,
        name: &'static str,
        value: &ModuleValue,
    ) -> Result<Vec<Variant>, OpenError> {
        const SHAPE: &str = "a dictionary from variants to lists of lists of flags";
        let ModuleValue::Dict(pairs) = value else { return Err(self.shape(name, SHAPE)) };
        let variants = pairs.iter().map(|(key, value)| {
            let flags = match value {
                ModuleValue::List(lists) => lists.first().and_then(ModuleValue::strings),
                _ => None,
            };
            match (key, flags) {
                (ModuleValue::Str(variant), Some(flags)) => Ok(Variant { name: variant.clone(), flags }),
                _ => Err(self.shape(name, SHAPE)),
            }
        });
        variants.collect()
    }
}

/// The strings of a list of strings and of lists of strings.
fn flat(value: &ModuleValue) -> Option<Vec<String>> {
    let ModuleValue::List(items) = value else { return None };
    let mut strings = Vec::with_capacity(items.len());
    for item in items {
        match item {
            ModuleValue::Str(text) => strings.push(text.clone()),
            list => strings.extend(list.strings()?),
        }
    }
    Some(strings)
}
