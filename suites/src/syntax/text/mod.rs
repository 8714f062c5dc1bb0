//! Small rules about text, each as Python has it.

pub mod glob;
pub mod shlex;
