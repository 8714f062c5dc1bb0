//! Systems on which nothing can be confined.

use super::{ConfineError, Confinement, Extent};

/// Does nothing and reports that.
pub fn enter(_: &Confinement) -> Result<Extent, ConfineError> {
    Ok(Extent::Not)
}
