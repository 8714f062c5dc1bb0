//! Where nothing can be confined.

use super::{ConfineError, Confinement, Extent};

/// Does nothing, and says so.
pub fn enter(_: &Confinement) -> Result<Extent, ConfineError> {
    Ok(Extent::Not)
}
