//! What V8 calls this machine, and what it can do.

/// This host's architecture, as V8 calls it.
pub fn host_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "x86" => "ia32",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// This host's system, as status files call it.
pub fn host_system() -> &'static str {
    std::env::consts::OS
}

/// Whether this host, for whose own architecture a build is, lacks the vector instructions that V8 wants (V8 13.8
/// `local/utils.py`: IsS390SimdSupported, GuessPowerProcessorVersion). What cannot be told is no reason to doubt it.
pub fn lacks_simd(arch: &str) -> bool {
    let cpuinfo = || std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    match arch {
        "s390x" if host_arch() == arch => without_vef1(&cpuinfo()),
        "ppc64" if host_arch() == arch => before_power9(&cpuinfo()),
        _ => false,
    }
}

/// Facility 135 is VEF1.
fn without_vef1(cpuinfo: &str) -> bool {
    let mut lines = cpuinfo.lines().filter(|line| line.starts_with("facilities")).peekable();
    lines.peek().is_some() && !lines.any(|line| line.split(' ').any(|facility| facility == "135"))
}

/// `cpu : POWER8 ...`
fn before_power9(cpuinfo: &str) -> bool {
    let version = cpuinfo.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        let digits = value.trim().strip_prefix("POWER")?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        (key.trim() == "cpu").then(|| digits[..end].parse::<u32>().ok()).flatten()
    });
    version.is_some_and(|version| version < 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_without_vector_instructions_are_told_by_what_they_say() {
        assert!(!without_vef1("vendor_id : IBM\nfacilities : 0 1 2 135 146\n"));
        assert!(without_vef1("facilities : 0 1 2 1350\n"));
        assert!(!without_vef1(""), "what says nothing is not doubted");
        assert!(before_power9("processor : 0\ncpu\t\t: POWER8 (raw), altivec supported\n"));
        assert!(!before_power9("cpu : POWER10, altivec supported\n"));
        assert!(!before_power9("cpu : PPC970\n"));
    }

    #[test]
    fn another_architecture_is_not_asked() {
        assert!(!lacks_simd("x64") && !lacks_simd("arm"));
    }
}
