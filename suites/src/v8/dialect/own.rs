//! Suites that no version knows: all that matters is in their `suite.toml`.

use super::versions::SUITE;
use super::{Listing, SuiteRules, SuiteVariants};

/// One whose tests run in the variant `default`.
pub const OWN: SuiteRules = SuiteRules {
    shell_flags: &[],
    // Whatever a file is called, it may be a test.
    extensions: &[""],
    isolates: false,
    listing: Listing::Own,
    variants: SuiteVariants::Default,
    ..SUITE
};

/// One whose tests run in all selected variants.
pub const OWN_IN_VARIANTS: SuiteRules = SuiteRules { variants: SuiteVariants::All, ..OWN };
