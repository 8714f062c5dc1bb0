//! What a tree's own runner states in code rather than in tables, read as text: none of the code is run.
//!
//! | what | from | module |
//! |---|---|---|
//! | the keys of a build's configuration, and the status variables they give | `build_config.py`, `base_runner.py`, `BUILD.gn` | `build_keys` |
//! | the order of a command line's parts | `objects/testcase.py` | `command_line` |
//! | factors for the time that tests may take | `build_config.py`, `base_runner.py` | `factors` |
//! | words and constants of status files | `local/statusfile.py` | `status_words` |
//! | what a suite leaves out, which directories and variants it has | `test/SUITE/testcfg.py` | `suite_config` |
//!
//! What cannot be found is `None` (or empty): then the version's own rules hold ([`crate::v8::dialect`]).

mod build_keys;
mod command_line;
mod factors;
mod source;
mod status_words;
mod suite_config;

pub use build_keys::{Key, Keys, build_keys, false_variables};
pub use command_line::{FILE as ORDER_FILE, order};
pub use factors::{FILES as FACTORS_FILES, factors};
pub use status_words::{FILE as STATUS_WORDS_FILE, StatusWords, status_words};
pub use suite_config::SuiteConfig;
