//! Machine code in files: what it was compiled for, and what it expects of the machine.

use object::{
    Endianness, elf,
    read::elf::{Dyn, FileHeader, Sym},
};
use std::{collections::BTreeSet, fs, fs::File, io::Read, path::Path};
use trine_engine::{ElfFacts, MachineCode};

/// Largest file that is looked into; what is larger is a program with its data.
const LIMIT: u64 = 1 << 30;

/// Returns the format of a file with machine code and the facts that it states; `None` where it has none, or cannot be
/// read. Object files and archives do not count: nobody loads them.
pub fn machine_code(path: &Path) -> Option<MachineCode> {
    let mut file = File::open(path).ok()?;
    let mut start = [0; 4];
    file.read_exact(&mut start).ok()?;
    match start {
        elf::ELFMAG => {
            if file.metadata().ok()?.len() > LIMIT {
                return None;
            }
            elf_facts(&fs::read(path).ok()?).map(MachineCode::Elf)
        }
        [0xCF | 0xCE, 0xFA, 0xED, 0xFE] | [0xFE, 0xED, 0xFA, 0xCF | 0xCE] => {
            Some(MachineCode::MachO)
        }
        // The number of architectures tells macOS' universal files from Java's classes, which begin alike.
        [0xCA, 0xFE, 0xBA, 0xBE] => {
            let mut count = [0; 4];
            file.read_exact(&mut count).ok()?;
            (u32::from_be_bytes(count) < 20).then_some(MachineCode::MachO)
        }
        [b'M', b'Z', ..] => is_pe(path).then_some(MachineCode::Pe),
        _ => None,
    }
}

/// Returns the versions of symbols that a library has for others: `GLIBC_2.36` of libc. Empty where it cannot be read.
pub(crate) fn versions_of_library(path: &Path) -> Vec<String> {
    let read = || -> Option<Vec<String>> {
        let bytes = fs::read(path).ok()?;
        let header = elf::FileHeader64::<Endianness>::parse(bytes.as_slice()).ok()?;
        let endian = header.endian().ok()?;
        let sections = header.sections(endian, bytes.as_slice()).ok()?;
        let (mut defined, strings) = sections.gnu_verdef(endian, bytes.as_slice()).ok()??;
        let strings = sections.strings(endian, bytes.as_slice(), strings).ok()?;
        let mut versions = Vec::new();
        while let Some((_, mut names)) = defined.next().ok()? {
            // Later names are those of the versions that it builds on.
            if let Some(name) = names.next().ok()? {
                versions.push(text(name.name(endian, strings).ok()?));
            }
        }
        Some(versions)
    };
    read().unwrap_or_default()
}

/// Whether a file that begins like a program of Windows' is one.
fn is_pe(path: &Path) -> bool {
    let Ok(bytes) = fs::read(path) else { return false };
    let at = bytes.get(0x3c..0x40).and_then(|bytes| bytes.first_chunk());
    let at = at.map(|at| u32::from_le_bytes(*at) as usize);
    at.and_then(|at| bytes.get(at..at.checked_add(4)?)) == Some(b"PE\0\0".as_slice())
}

/// Reads the facts of an ELF file. One without a table of sections states its machine alone.
pub(crate) fn elf_facts(bytes: &[u8]) -> Option<ElfFacts> {
    match bytes.get(4)? {
        1 => facts_of::<elf::FileHeader32<Endianness>>(bytes),
        2 => facts_of::<elf::FileHeader64<Endianness>>(bytes),
        _ => None,
    }
}

fn facts_of<H: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Option<ElfFacts> {
    let header = H::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    if header.e_type(endian) == elf::ET_REL {
        return None;
    }
    let mut facts = ElfFacts { machine: machine(header.e_machine(endian)), ..ElfFacts::default() };
    // A damaged file tells what can be read of it; whoever loads it says the rest.
    let _ = tables(header, endian, bytes, &mut facts);
    Some(facts)
}

fn tables<H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    bytes: &[u8],
    facts: &mut ElfFacts,
) -> object::Result<()> {
    let sections = header.sections(endian, bytes)?;
    if let Some((entries, strings)) = sections.dynamic(endian, bytes)? {
        let strings = sections.strings(endian, bytes, strings)?;
        for entry in entries {
            if entry.tag(endian) == elf::DT_NEEDED {
                facts.needed.push(text(entry.string(endian, strings)?));
            }
        }
    }
    if let Some((mut needs, strings)) = sections.gnu_verneed(endian, bytes)? {
        let strings = sections.strings(endian, bytes, strings)?;
        let mut versions = BTreeSet::new();
        while let Some((_, mut entries)) = needs.next()? {
            while let Some(entry) = entries.next()? {
                versions.insert(text(entry.name(endian, strings)?));
            }
        }
        facts.versions.extend(versions);
    }
    let symbols = sections.symbols(endian, bytes, elf::SHT_DYNSYM)?;
    for symbol in symbols.iter().skip(1) {
        let name = text(symbol.name(endian, symbols.strings())?);
        if symbol.is_undefined(endian) {
            facts.imports.push(name);
        } else if symbol.st_bind() != elf::STB_LOCAL {
            facts.exports.push(name);
        }
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the name of a machine, as Linux uses it.
fn machine(number: u16) -> String {
    match number {
        elf::EM_X86_64 => "x86_64".to_owned(),
        elf::EM_AARCH64 => "aarch64".to_owned(),
        elf::EM_386 => "i686".to_owned(),
        elf::EM_ARM => "arm".to_owned(),
        elf::EM_RISCV => "riscv".to_owned(),
        elf::EM_PPC64 => "ppc64".to_owned(),
        elf::EM_S390 => "s390x".to_owned(),
        other => format!("machine {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_itself_is_for_this_machine_and_needs_libc() {
        let Some(MachineCode::Elf(facts)) = machine_code(&std::env::current_exe().unwrap()) else {
            panic!("it is an ELF file")
        };
        assert_eq!(facts.machine, std::env::consts::ARCH);
        assert!(facts.needed.iter().any(|name| name == "libc.so.6"), "{:?}", facts.needed);
        assert!(facts.versions.iter().any(|name| name.starts_with("GLIBC_2.")));
        assert!(facts.imports.iter().any(|name| name == "write"), "{}", facts.imports.len());
    }

    #[test]
    fn a_damaged_file_is_no_panic() {
        let whole = fs::read("/proc/self/exe").unwrap();
        let start = &whole[..whole.len().min(4096)];
        for length in 0..start.len() {
            let _ = elf_facts(&start[..length]);
        }
        for place in 0..64 {
            let mut changed = start.to_vec();
            changed[place] ^= 0xff;
            let _ = elf_facts(&changed);
        }
    }

    #[test]
    fn other_formats_are_known_by_their_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let of = |bytes: &[u8]| {
            let path = folder.path().join("file");
            fs::write(&path, bytes).unwrap();
            machine_code(&path)
        };
        let mut windows = vec![0; 0x48];
        windows[..2].copy_from_slice(b"MZ");
        windows[0x3c] = 0x40;
        windows[0x40..0x44].copy_from_slice(b"PE\0\0");
        assert_eq!(of(&windows), Some(MachineCode::Pe));
        assert_eq!(of(b"MZ is a text"), None);
        assert_eq!(of(b"\xcf\xfa\xed\xfe1234"), Some(MachineCode::MachO));
        assert_eq!(of(b"\xca\xfe\xba\xbe\0\0\0\x02"), Some(MachineCode::MachO));
        assert_eq!(of(b"\xca\xfe\xba\xbe\0\0\0\x34"), None, "a class of Java's");
        assert_eq!(of(b"#!/bin/sh\n"), None);
        assert_eq!(of(b""), None);
    }
}
