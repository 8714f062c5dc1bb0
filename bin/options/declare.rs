//! The declaration of an option.

/// The harm that an option's value can do if someone other than the user chose it. One day, a file that comes with a
/// checkout may be allowed to set harmless options only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Selects tests, repeats them or changes how they are shown; nothing outside the run depends on it.
    Harmless,
    /// Names a file or directory that is read or written.
    Path,
    /// Names a program, or changes the arguments or permissions that one runs with.
    Program,
    /// Chooses the machines that this one connects to or trusts.
    Network,
    /// Lets other machines see something private.
    Secret,
}

/// How a value is merged with the value of the layer below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// A list is appended to the one below instead of replacing it.
    pub append: bool,
    /// A table whose entries are set individually: `log.levels.trust`.
    pub table: bool,
    /// Setting this option unsets these keys in the layers below.
    pub clears: &'static [&'static str],
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its field, which is also clap's id: `test_root`.
    pub field: &'static str,
    /// The harm that its value can do.
    pub class: Class,
    /// How its values are merged.
    pub rule: Rule,
    /// Its help, as shown by `--help`, the JSON schema and the documents.
    pub help: &'static str,
}

/// What one field of a struct of options is.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// An option.
    Option(Declared),
    /// A struct of options that is part of this one.
    Group(&'static [Item]),
}

/// A struct of options, as [`options!`](crate::options!) declares it.
pub trait Declares {
    /// Its options, as they were declared.
    const OPTIONS: &'static [Item];
}

impl Declared {
    /// Its name in a file: `test-root`.
    pub fn key(&self) -> String {
        self.field.replace('_', "-")
    }
}

/// The options of these items and of their groups, in order.
pub fn all(items: &[Item]) -> Vec<Declared> {
    let options = items.iter().flat_map(|item| match item {
        Item::Option(option) => vec![*option],
        Item::Group(items) => all(items),
    });
    options.collect()
}

/// Declares a struct of options, one field for each. The doc comment of a field is the option's help. The brackets hold
/// its class (`harmless`, `path`, `program`, `network`, `secret`; see [`Class`](crate::options::Class)), then, where
/// needed, `append` or `table`, and `clears "key" ...` (see [`Rule`](crate::options::Rule)). In place of a class,
/// `group` marks a nested struct of options and `none` a field that is not an option.
///
/// The struct implements [`Declares`](crate::options::Declares). Derives and other attributes are passed on.
///
/// ```
/// use flotilla::options::Declares;
///
/// flotilla::options! {
///     /// How it runs.
///     struct Running {
///         /// How many at once.
///         [harmless] jobs: Option<u32>,
///         /// Its flags.
///         [program, append] flags: Vec<String>,
///     }
/// }
/// assert_eq!(flotilla::options::all(Running::OPTIONS)[0].key(), "jobs");
/// ```
///
/// An option without a class does not compile:
///
/// ```compile_fail
/// flotilla::options! {
///     /// How it runs.
///     struct Running {
///         /// How many at once.
///         jobs: Option<u32>,
///     }
/// }
/// ```
#[macro_export]
macro_rules! options {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[doc = $doc:literal])*
                [$class:ident $(, $($rule:tt)+)?]
                $(#[$attr:meta])*
                $fvis:vis $field:ident : $ty:ty
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $( $(#[doc = $doc])* $(#[$attr])* $fvis $field: $ty, )*
        }

        impl $crate::options::Declares for $name {
            const OPTIONS: &'static [$crate::options::Item] = &[
                $( $crate::declared!($class $field $ty, concat!($($doc, "\n"),*), $($($rule)+)?) ),*
            ];
        }
    };
}

/// One field of [`options!`](crate::options!).
#[doc(hidden)]
#[macro_export]
macro_rules! declared {
    (group $field:ident $ty:ty, $help:expr, ) => { $crate::options::Item::Group(<$ty as $crate::options::Declares>::OPTIONS) };
    (none $field:ident $ty:ty, $help:expr, ) => { $crate::options::Item::Group(&[]) };
    (harmless $($rest:tt)*) => { $crate::declared!(@ Harmless $($rest)*) };
    (path $($rest:tt)*) => { $crate::declared!(@ Path $($rest)*) };
    (program $($rest:tt)*) => { $crate::declared!(@ Program $($rest)*) };
    (network $($rest:tt)*) => { $crate::declared!(@ Network $($rest)*) };
    (secret $($rest:tt)*) => { $crate::declared!(@ Secret $($rest)*) };
    (@ $class:ident $field:ident $ty:ty, $help:expr, $($rule:tt)*) => {
        $crate::options::Item::Option($crate::options::Declared {
            field: stringify!($field),
            class: $crate::options::Class::$class,
            rule: $crate::declared!(@rule $($rule)*),
            help: $help,
        })
    };
    (@rule) => { $crate::options::Rule { append: false, table: false, clears: &[] } };
    (@rule append) => { $crate::options::Rule { append: true, table: false, clears: &[] } };
    (@rule table) => { $crate::options::Rule { append: false, table: true, clears: &[] } };
    (@rule clears $($key:literal)+) => { $crate::options::Rule { append: false, table: false, clears: &[$($key),+] } };
}

#[cfg(test)]
mod tests {
    use super::*;

    options! {
        /// A part.
        struct Part {
            /// Where.
            [path] place: Option<String>,
        }
    }

    options! {
        /// A whole.
        struct Whole {
            /// Which.
            ///
            /// More about it.
            [harmless, clears "not-these" "all"] these: bool,
            /// Words.
            [program, append] some_words: Vec<String>,
            [group] part: Part,
        }
    }

    #[test]
    fn an_option_is_known_by_what_was_declared() {
        let whole = Whole { these: true, some_words: Vec::new(), part: Part { place: None } };
        assert!(whole.these && whole.some_words.is_empty() && whole.part.place.is_none());
        let options = all(Whole::OPTIONS);
        let known: Vec<_> = options.iter().map(|option| (option.key(), option.class)).collect();
        let expected = [("these", Class::Harmless), ("some-words", Class::Program), ("place", Class::Path)];
        assert_eq!(known, expected.map(|(key, class)| (key.to_owned(), class)));
        assert_eq!(options[0].help, " Which.\n\n More about it.\n");
        assert_eq!(options[0].rule.clears, ["not-these", "all"]);
        assert!(options[1].rule.append && !options[0].rule.append);
    }
}
