//! The parts of a test's stable identity, as reports and the history use it.

/// The parts of a stable identity such as `mjsunit/a.VariantProc-stress-0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name<'a> {
    /// `mjsunit/a`
    pub path: &'a str,
    pub variant: &'a str,
    /// The text after the variant; empty if there is none.
    pub more: &'a str,
}

impl<'a> Name<'a> {
    /// Splits an identity.
    pub fn of(id: &'a str) -> Self {
        let Some((path, rest)) = id.split_once(".VariantProc-") else {
            return Self { path: id, variant: "", more: "" };
        };
        let (variant, more) = rest.split_once('.').unwrap_or((rest, ""));
        // Cut off the variant's number within the run.
        let variant = variant.rsplit_once('-').map_or(variant, |(variant, _)| variant);
        Self { path, variant, more }
    }

    /// The name as it is shown: `mjsunit/a (stress)`.
    pub fn shown(&self) -> String {
        // V8's name for the number fuzzer's change of expectations.
        let more = self.more.split('.').map(|part| match part {
            "no-timeout-no_timeout" => "num_fuzzer",
            part => part,
        });
        let parts: Vec<&str> =
            [self.variant].into_iter().chain(more).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { self.path.to_owned() } else { format!("{} ({})", self.path, parts.join(", ")) }
    }
}
