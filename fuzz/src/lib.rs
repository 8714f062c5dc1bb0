//! What the fuzz targets share.

mod altered;

pub use altered::{altered, signed_again};
