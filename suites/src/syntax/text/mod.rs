//! Small rules about text, each as Python has it.

pub mod glob;
pub mod nearest;
pub mod shlex;
