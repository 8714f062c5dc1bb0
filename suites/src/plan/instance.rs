//! An instance of a test, and the ids of instances.

use flotilla_messages::CaseId;

use crate::kind::Strictness;

/// Which of a test's instances: packed into the low 16 bits of a [`CaseId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestInstance {
    /// Index of the variant among the selected ones; `None` before variants.
    pub variant: Option<usize>,
    /// test262: with `--use-strict`.
    pub strict: bool,
    /// test262: the second round of a FAIL_PHASE_ONLY test.
    pub second_phase: bool,
}

impl TestInstance {
    /// The test itself, before variants.
    pub const BASE: Self = Self { variant: None, strict: false, second_phase: false };
    const BASE_BITS: u16 = u16::MAX;
    /// More variants than fit beside the two bits cannot be told apart.
    pub const MAX_VARIANTS: usize = 1 << 13;

    /// Under a variant.
    pub fn of(variant: usize, strict: bool, second_phase: bool) -> Self {
        Self { variant: Some(variant), strict, second_phase }
    }

    /// The id of this instance of a test.
    pub fn id(self, base: u32) -> CaseId {
        let bits = match self.variant.map(u16::try_from) {
            Some(Ok(variant)) => variant << 2 | u16::from(self.strict) << 1 | u16::from(self.second_phase),
            _ => Self::BASE_BITS,
        };
        CaseId(u64::from(base) << 16 | u64::from(bits))
    }

    /// The test and the instance that an id names.
    pub fn from_id(id: CaseId) -> Option<(u32, Self)> {
        let base = u32::try_from(id.0 >> 16).ok()?;
        let bits = (id.0 & 0xffff) as u16;
        let subtest = match bits {
            Self::BASE_BITS => Self::BASE,
            bits => Self::of(usize::from(bits >> 2), bits & 2 != 0, bits & 1 != 0),
        };
        Some((base, subtest))
    }

    /// Whether this is the reverse half of a FAIL_PHASE_ONLY test. V8's generator leaves the phase out of the sloppy
    /// half's id where there are both, so that this half is the plain one again.
    pub fn is_reverse(self, strictness: Strictness) -> bool {
        self.second_phase && (self.strict || strictness != Strictness::Both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_their_subtests() {
        for subtest in [
            TestInstance::BASE,
            TestInstance::of(0, false, false),
            TestInstance::of(TestInstance::MAX_VARIANTS, true, true),
            TestInstance::of(31, true, false),
        ] {
            assert_eq!(TestInstance::from_id(subtest.id(70_000)), Some((70_000, subtest)));
        }
        assert_eq!(TestInstance::from_id(CaseId(u64::MAX)), None);
    }
}
