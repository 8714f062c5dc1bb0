//! FileCheck.

use crate::outcome::Output;

pub(super) fn failure(_: &Output, _: &[u8]) -> Option<String> {
    Some("CHECK lines are not judged yet".into())
}
