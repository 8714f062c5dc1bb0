//! The errors that end `runner` before any test runs.

use std::io;
use std::path::PathBuf;

use flotilla_actors::history::DatabaseError;
use flotilla_suites::{OpenError, ProductsError};

use crate::options::ConfigError;
use crate::runner::builds::BuildsError;
use crate::runner::run;
use crate::runner::special::SpecialError;

/// An error that ends the command before any test runs.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("cannot open the tree {}: {source}", path.display())]
    Root { path: PathBuf, source: io::Error },
    #[error(
        "neither this directory nor one above it looks like a test tree (test/SUITE/SUITE.status or suite.toml); \
         name one with --root"
    )]
    NoRoot,
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("{0}")]
    Engine(#[from] flotilla_suites::EngineError),
    #[error(transparent)]
    Builds(#[from] BuildsError),
    #[error("cannot test {product}: {source}")]
    Product { product: String, source: Box<OpenError> },
    #[error("cannot run these together: {0}")]
    Products(#[from] ProductsError),
    #[error(transparent)]
    Special(#[from] SpecialError),
    #[error("there is no shard {run} of {count} ({from})")]
    Shard { run: String, count: String, from: &'static str },
    #[error("{0}")]
    Unmatched(String),
    #[error("{0}")]
    NoData(String),
    #[error(transparent)]
    Run(#[from] run::Error),
    #[error("cannot write the list: {0}")]
    List(io::Error),
    #[error(
        "cannot tell which tests failed the last time: no earlier run is known of this configuration ({0}); \
         run the tests once without --rerun-failed"
    )]
    NoRuns(String),
    #[error("cannot read the history: {0}")]
    History(#[from] DatabaseError),
    #[error("cannot catch signals: {0}")]
    Signals(#[from] io::Error),
}

impl AppError {
    /// 2 for errors that the user can fix on the command line, 5 for errors of the tree or the machine.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Open(error) => error.exit_code(),
            Self::Product { source, .. } => source.exit_code(),
            Self::Builds(BuildsError::Missing { .. }) => 5,
            Self::Run(error) => error.exit_code(),
            Self::List(_) | Self::NoData(_) | Self::Engine(_) | Self::History(_) | Self::Signals(_) => 5,
            _ => 2,
        }
    }
}
