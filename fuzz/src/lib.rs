//! What the fuzz targets share.

mod altered;
mod framed;

pub use altered::{altered, signed_again};
pub use framed::framed;
