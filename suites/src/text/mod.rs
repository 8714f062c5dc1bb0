//! Small rules about text, each as Python has it.

pub mod glob;
pub mod hash;
pub mod nearest;
pub mod shlex;
