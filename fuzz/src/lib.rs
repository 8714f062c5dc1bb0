//! Helpers shared by the fuzz targets.

mod altered;
mod framed;

pub use altered::{altered, signed_again};
pub use framed::framed;
