//! Landlock (kernel 5.13 and newer; TCP from 6.7 on, signals and abstract sockets from 6.12 on).

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope, path_beneath_rules,
};

use super::{ConfineError, Confinement, Extent};

/// The Landlock version to use; an older kernel confines less.
const VERSION: ABI = ABI::V6;
/// Where systems keep installed software and information about themselves. Missing paths are skipped.
const INSTALLED: [&str; 14] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/gnu", "/proc",
    "/sys", "/dev",
];
/// Devices that may be written to.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

/// See [`Confinement::enter`].
pub fn enter(confinement: &Confinement) -> Result<Extent, ConfineError> {
    let failed = |error: landlock::RulesetError| ConfineError(error.to_string());
    let (read, all) = (AccessFs::from_read(VERSION), AccessFs::from_all(VERSION));
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)
        .and_then(|rules| rules.handle_access(AccessNet::from_all(VERSION)))
        .and_then(|rules| rules.scope(Scope::from_all(VERSION)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rules(path_beneath_rules(INSTALLED, read)))
        .and_then(|rules| rules.add_rules(path_beneath_rules(&confinement.read, read)))
        .and_then(|rules| rules.add_rules(path_beneath_rules(DEVICES, read | AccessFs::WriteFile)))
        .and_then(|rules| rules.add_rules(path_beneath_rules(&confinement.write, all)))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(failed)?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Extent::Full,
        RulesetStatus::PartiallyEnforced => Extent::Partial,
        RulesetStatus::NotEnforced => Extent::Not,
    })
}
