//! What a machine has for engines of others.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_messages::packet::{Native, Version};
use flotilla_messages::untrusted::{NAME, untrusted_text};

use super::elf;
use super::search::Search;
use super::version::numbered;

/// The libraries whose versions engines of other machines ask for.
const LIBRARIES: [&str; 4] = ["libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1"];

/// What a machine has for engines of others. The default knows nothing, and finds that nothing is lacking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The versions that libraries define.
    libraries: BTreeMap<String, BTreeSet<String>>,
    /// The processor's x86-64 level; 0: it is another, or not known.
    level: u8,
}

impl Host {
    /// This machine. Reads some libraries' tables: a few milliseconds.
    pub fn look() -> Self {
        let own = std::env::current_exe().ok().and_then(|path| elf::read(&path).ok().flatten());
        let Some(kind) = own.map(|own| own.kind) else { return Self { level: level(), ..Self::default() } };
        let search = Search::here(Vec::new());
        let defined = |name: &str| Some((name.to_owned(), search.of_system(name, kind)?.defined));
        Self { libraries: LIBRARIES.into_iter().filter_map(defined).collect(), level: level() }
    }

    /// One whose libraries define these versions.
    pub fn with(libraries: impl IntoIterator<Item = (String, BTreeSet<String>)>, level: u8) -> Self {
        Self { libraries: libraries.into_iter().collect(), level }
    }

    /// What these programs need that this machine lacks, for people; nothing as far as can be told.
    pub fn lacks(&self, native: &Native) -> Option<String> {
        if self.level > 0 && native.level > self.level {
            let (needs, has) = (native.level, self.level);
            return Some(format!(
                "the engine needs a processor of level x86-64-v{needs}, this machine's is x86-64-v{has}"
            ));
        }
        native.versions.iter().find_map(|version| self.lacks_version(version))
    }

    fn lacks_version(&self, Version { library, name }: &Version) -> Option<String> {
        let defined = self.libraries.get(library)?;
        if defined.contains(name) {
            return None;
        }
        let wanted = numbered(name);
        let family = |other: &&String| {
            let (family, numbers) = numbered(other)?;
            (family == wanted.as_ref()?.0).then_some(numbers)
        };
        let highest = defined.iter().max_by_key(family).filter(|highest| family(highest).is_some());
        match highest {
            // Of another word size, a library begins with another version.
            Some(highest) if wanted.as_ref().map(|(_, numbers)| numbers) <= family(&highest).as_ref() => None,
            Some(highest) => {
                let name = untrusted_text(name, NAME);
                Some(format!("the engine needs {name}, this machine has {highest} ({library})"))
            }
            None => {
                let name = untrusted_text(name, NAME);
                Some(format!("the engine needs {name}, which this machine's {library} lacks"))
            }
        }
    }
}

/// The processor's x86-64 level (System V ABI, AMD64 supplement, 3.1.1).
#[cfg(target_arch = "x86_64")]
fn level() -> u8 {
    use std::arch::is_x86_feature_detected as has;
    let second = has!("cmpxchg16b")
        && has!("popcnt")
        && has!("sse3")
        && has!("ssse3")
        && has!("sse4.1")
        && has!("sse4.2");
    let third = second
        && has!("avx")
        && has!("avx2")
        && has!("bmi1")
        && has!("bmi2")
        && has!("f16c")
        && has!("fma")
        && has!("lzcnt")
        && has!("movbe");
    let fourth = third
        && has!("avx512f")
        && has!("avx512bw")
        && has!("avx512cd")
        && has!("avx512dq")
        && has!("avx512vl");
    1 + u8::from(second) + u8::from(third) + u8::from(fourth)
}

/// No such levels.
#[cfg(not(target_arch = "x86_64"))]
fn level() -> u8 {
    0
}
