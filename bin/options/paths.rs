//! Paths in a layer, as text: the crate `config` holds text, and a path of the command line may not be UTF-8.
//!
//! For fields of options: `#[serde(with = "crate::options::paths")]`, on an `Option<PathBuf>` or a `Vec<PathBuf>`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The prefix of the text of a path that is not UTF-8; its bytes follow as hexadecimal digits. No real path begins like
/// this: a path cannot contain NUL.
const HEX_PREFIX: &str = "\0bytes ";

/// The types of options that hold paths.
pub trait Paths: Sized {
    /// The same container, with text.
    type Texts: Serialize + DeserializeOwned;
    /// Each path as text.
    fn texts(&self) -> Self::Texts;
    /// Turns texts back into paths; `None` if one is not valid.
    fn of(texts: Self::Texts) -> Option<Self>;
}

impl Paths for Option<PathBuf> {
    type Texts = Option<String>;

    fn texts(&self) -> Self::Texts {
        self.as_deref().map(text)
    }

    fn of(texts: Self::Texts) -> Option<Self> {
        match texts {
            Some(text) => path(text).map(Some),
            None => Some(None),
        }
    }
}

impl Paths for Vec<PathBuf> {
    type Texts = Vec<String>;

    fn texts(&self) -> Self::Texts {
        self.iter().map(|path| text(path)).collect()
    }

    fn of(texts: Self::Texts) -> Option<Self> {
        texts.into_iter().map(path).collect()
    }
}

/// For serde's `with`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<P: Paths, S: Serializer>(paths: &P, to: S) -> Result<S::Ok, S::Error> {
    paths.texts().serialize(to)
}

/// For serde's `with`.
///
/// # Errors
/// Those of the deserializer, and a text with the hexadecimal prefix whose digits are not valid.
pub fn deserialize<'de, P: Paths, D: Deserializer<'de>>(from: D) -> Result<P, D::Error> {
    P::of(P::Texts::deserialize(from)?).ok_or_else(|| D::Error::custom("this is no path"))
}

fn text(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => {
            let digits = path.as_os_str().as_bytes().iter().map(|byte| format!("{byte:02x}"));
            HEX_PREFIX.chars().chain(digits.collect::<String>().chars()).collect()
        }
    }
}

fn path(text: String) -> Option<PathBuf> {
    let Some(digits) = text.strip_prefix(HEX_PREFIX) else { return Some(text.into()) };
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>()?;
    Some(OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_path_comes_back(bytes: Vec<u8>) {
            let all = vec![PathBuf::from(OsString::from_vec(bytes))];
            proptest::prop_assert_eq!(Vec::of(all.texts()), Some(all));
        }

        #[test]
        fn any_text_is_a_path_or_refused(text in "(\\x00bytes )?\\PC*") {
            let _ = path(text);
        }
    }
}
