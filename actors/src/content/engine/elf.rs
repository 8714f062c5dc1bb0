//! What one ELF file says of itself. Only what is asked for is read of it: engines with symbols are large.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use flotilla_messages::packet::Version;
use object::Endianness;
use object::elf::{
    DT_NEEDED, DT_RPATH, DT_RUNPATH, ELFMAG, FileHeader32, FileHeader64, GNU_PROPERTY_X86_ISA_1_NEEDED,
    VER_FLG_BASE, VER_FLG_WEAK,
};
use object::read::elf::{FileHeader, ProgramHeader};
use object::read::{ReadCache, ReadRef};

/// Which processor and word size a file is for: a library of another kind is passed over by the loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    class: u8,
    machine: u16,
}

/// What a program or library says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub kind: Kind,
    /// The libraries it loads.
    pub needed: Vec<String>,
    /// Where they may be, before anything else (and for what they load too); not heeded if there is a `runpath`.
    pub rpath: Vec<String>,
    /// Where they may be, after what the environment says.
    pub runpath: Vec<String>,
    /// What these libraries have to define, but for what is dispensable.
    pub versions: Vec<Version>,
    /// What it defines itself.
    pub defined: BTreeSet<String>,
    /// The x86-64 level it says it needs; 0: it does not say.
    pub level: u8,
}

/// Why a file cannot be read as the program it claims to be. Reads well after "cannot ".
#[derive(Debug, thiserror::Error)]
pub enum ElfError {
    /// The system refuses.
    #[error("read {}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is damaged.
    #[error("read {}: {source}", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: object::Error,
    },
}

/// What this file says; nothing if it is no ELF file.
///
/// # Errors
/// [`ElfError`].
pub(super) fn read(path: &Path) -> Result<Option<Object>, ElfError> {
    let io = |source| ElfError::Io { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let mut start = [0; 5];
    match file.read_exact(&mut start) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other.map_err(io)?,
    }
    let Some(&[class]) = start.strip_prefix(&ELFMAG) else { return Ok(None) };
    file.rewind().map_err(io)?;
    let cache = ReadCache::new(file);
    let object = match class {
        1 => parse::<FileHeader32<Endianness>, _>(&cache, class),
        _ => parse::<FileHeader64<Endianness>, _>(&cache, class),
    };
    object.map(Some).map_err(|source| ElfError::Format { path: path.to_owned(), source })
}

fn parse<'data, Elf, R>(data: R, class: u8) -> object::Result<Object>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let header = Elf::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let mut object = Object {
        kind: Kind { class, machine: header.e_machine(endian).0 },
        needed: Vec::new(),
        rpath: Vec::new(),
        runpath: Vec::new(),
        versions: Vec::new(),
        defined: BTreeSet::new(),
        level: 0,
    };
    let dynamic = sections.dynamic_table(endian, data)?;
    for entry in &dynamic {
        let list = || Ok::<_, object::Error>(text(dynamic.string(entry)?));
        let paths = |list: String| list.split(':').map(str::to_owned).collect();
        match entry.tag {
            DT_NEEDED => object.needed.push(list()?),
            DT_RPATH => object.rpath = paths(list()?),
            DT_RUNPATH => object.runpath = paths(list()?),
            _ => {}
        }
    }
    if !object.runpath.is_empty() {
        object.rpath.clear();
    }
    if let Some((needs, strings)) = sections.gnu_verneed(endian, data)? {
        let strings = sections.strings(endian, data, strings)?;
        for need in needs {
            let (need, names) = need?;
            let library = text(need.file(endian, strings)?);
            for name in names {
                let name = name?;
                if !name.vna_flags.get(endian).contains(VER_FLG_WEAK) {
                    let name = text(name.name(endian, strings)?);
                    object.versions.push(Version { library: library.clone(), name });
                }
            }
        }
    }
    if let Some((definitions, strings)) = sections.gnu_verdef(endian, data)? {
        let strings = sections.strings(endian, data, strings)?;
        for definition in definitions {
            let (definition, mut names) = definition?;
            // The first is the library's own name.
            if !definition.vd_flags.get(endian).contains(VER_FLG_BASE)
                && let Some(name) = names.next()?
            {
                object.defined.insert(text(name.name(endian, strings)?));
            }
        }
    }
    for segment in header.program_headers(endian, data)? {
        let Some(mut notes) = segment.notes(endian, data)? else { continue };
        while let Some(note) = notes.next()? {
            for property in note.gnu_properties(endian).into_iter().flatten() {
                let property = property?;
                if property.pr_type() == GNU_PROPERTY_X86_ISA_1_NEEDED {
                    // A bit for each level from 1 on.
                    let bits = property.data_u32(endian)? & 0b1111;
                    object.level = object.level.max((u32::BITS - bits.leading_zeros()) as u8);
                }
            }
        }
    }
    Ok(object)
}
