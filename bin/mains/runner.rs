//! `runner`: see [`flotilla::runner`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    flotilla::runner::main(std::env::args_os().skip(1).collect())
}
