//! The stable identities of tests, as reports and the history have them.

/// The names in a stable identity: `mjsunit/a.VariantProc-stress-0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name<'a> {
    /// `mjsunit/a`
    pub path: &'a str,
    pub variant: &'a str,
    /// What comes after the variant, if anything does.
    pub more: &'a str,
}

impl<'a> Name<'a> {
    /// The names in this identity.
    pub fn of(id: &'a str) -> Self {
        let Some((path, rest)) = id.split_once(".VariantProc-") else {
            return Self { path: id, variant: "", more: "" };
        };
        let (variant, more) = rest.split_once('.').unwrap_or((rest, ""));
        // Its number among the run's variants.
        let variant = variant.rsplit_once('-').map_or(variant, |(variant, _)| variant);
        Self { path, variant, more }
    }

    /// As people read it: `mjsunit/a (stress)`.
    pub fn shown(&self) -> String {
        // V8's name for what the number fuzzer does to expectations.
        let more = self.more.split('.').map(|part| match part {
            "no-timeout-no_timeout" => "num_fuzzer",
            part => part,
        });
        let parts: Vec<&str> =
            [self.variant].into_iter().chain(more).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { self.path.to_owned() } else { format!("{} ({})", self.path, parts.join(", ")) }
    }
}
