//! A reader of the Python that V8's test trees keep their data in: literals, a few operators, and conditions.
//!
//! Status files are one literal whose strings hold conditions; `variants.py` and its neighbours are modules of
//! which the literal assignments matter; the preparser suite's templates are small programs ([`script`]). One tokenizer
//! and one parser serve them all. Nothing else is executed, nesting is limited ([`expr::MAX_DEPTH`]), and every error
//! has a position.

pub mod diagnostic;
pub mod expr;
pub mod module;
mod object;
pub mod script;
mod statement;
pub mod token;

pub use diagnostic::{Diagnostic, Problem};
pub use expr::{Expr, Kind, parse};
pub use module::{Module, ModuleValue};
pub use script::{Generated, generate};
