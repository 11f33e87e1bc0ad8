//! The look at a file before any of its code runs: whether it can be a library for this process.

use crate::refusal::LoadError;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};
use trine_engine::{ElfFacts, MachineCode, nearest};

/// The number of bytes that are read: the header and the table of segments, which follows it.
const HEAD: u64 = 4096;

/// Looks at a file without running any of it.
pub(crate) fn look(path: &Path) -> Result<(), LoadError> {
    let unreadable = |reason| LoadError::Unreadable { path: path.to_owned(), reason };
    let no_library = |found: String| LoadError::NoLibrary { path: path.to_owned(), found };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LoadError::Missing { path: path.to_owned(), nearest: neighbour(path) });
        }
        Err(error) => return Err(unreadable(error)),
    };
    if metadata.is_dir() {
        return Err(no_library("is a folder".to_owned()));
    }
    if !metadata.is_file() {
        return Err(no_library("is no ordinary file".to_owned()));
    }
    let (size, mut start) = (metadata.len(), Vec::new());
    File::open(path)
        .and_then(|file| file.take(HEAD).read_to_end(&mut start))
        .map_err(unreadable)?;
    match misfit(&start) {
        Misfit::None if is_cut(&start, size) => Err(no_library(
            "ends before its last part, as if it had been copied in part".to_owned(),
        )),
        Misfit::None => Ok(()),
        Misfit::Machine(found) => Err(LoadError::OtherMachine { path: path.to_owned(), found }),
        Misfit::Format(found) => Err(no_library(found)),
    }
}

/// Whether a library of 64 bits has parts beyond the end of its file. The system's loader maps them all the same, and the
/// process dies when it touches them.
fn is_cut(start: &[u8], size: u64) -> bool {
    if start.get(..6) != Some(&[0x7F, b'E', b'L', b'F', 2, 1]) {
        return false;
    }
    let long = |at: usize| {
        let bytes = start.get(at..at.checked_add(8)?)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    };
    let short = |at: usize| {
        let bytes = start.get(at..at.checked_add(2)?)?.first_chunk()?;
        Some(u16::from_le_bytes(*bytes))
    };
    let ends = || -> Option<u64> {
        let (table, width, count) = (long(32)?, short(54)?, short(56)?);
        let mut last = 0;
        for number in 0..u64::from(count) {
            let at = table.checked_add(number * u64::from(width))?;
            let at = usize::try_from(at).ok()?;
            last = last.max(long(at.checked_add(8)?)?.checked_add(long(at.checked_add(32)?)?)?);
        }
        Some(last)
    };
    // A table beyond the head is odd, and is the loader's affair, unless the file ends there.
    ends().map_or(size < HEAD, |end| end > size)
}

enum Misfit {
    None,
    Machine(String),
    Format(String),
}

/// Returns what is wrong with a file that starts like this, where this system's libraries are ELF files.
fn misfit(start: &[u8]) -> Misfit {
    if !cfg!(target_os = "linux") {
        return Misfit::None;
    }
    let other = match start {
        [] => return Misfit::Format("is empty".to_owned()),
        [0x7F, b'E', b'L', b'F', ..] => None,
        [b'M', b'Z', ..] => Some(MachineCode::Pe),
        [0xCF | 0xCE, 0xFA, 0xED, 0xFE, ..] | [0xCA, 0xFE, 0xBA, 0xBE, ..] => {
            Some(MachineCode::MachO)
        }
        _ => return Misfit::Format("is no ELF file".to_owned()),
    };
    if let Some(misfit) = other.and_then(|code| code.misfit(std::env::consts::ARCH)) {
        return Misfit::Format(misfit);
    }
    let Some([kind_low, kind_high, machine_low, machine_high]) = start.get(16..20) else {
        return Misfit::Format("ends within its first bytes".to_owned());
    };
    let number = |low: u8, high: u8| match start.get(5) {
        Some(2) => u16::from_be_bytes([low, high]),
        _ => u16::from_le_bytes([low, high]),
    };
    let is_64 = start.get(4) == Some(&2);
    let machine = machine(number(*machine_low, *machine_high), is_64);
    let code = MachineCode::Elf(ElfFacts { machine: machine.clone(), ..ElfFacts::default() });
    if code.misfit(std::env::consts::ARCH).is_some() {
        return Misfit::Machine(machine);
    }
    match number(*kind_low, *kind_high) {
        3 => Misfit::None,
        1 => Misfit::Format("is an object file that has not been linked".to_owned()),
        2 => Misfit::Format("is a program".to_owned()),
        _ => Misfit::Format("is no library".to_owned()),
    }
}

/// Returns the name of an ELF file's machine, as Linux uses it.
fn machine(number: u16, is_64: bool) -> String {
    let name = match (number, is_64) {
        (62, true) => "x86_64",
        (62, false) => "x32",
        (183, _) => "aarch64",
        (3, _) => "i686",
        (40, _) => "arm",
        (243, true) => "riscv64",
        (21, _) => "ppc64",
        (22, _) => "s390x",
        (other, _) => return format!("machine {other}"),
    };
    name.to_owned()
}

/// Returns the library beside a file that is missing whose name is most similar to its.
fn neighbour(path: &Path) -> Option<PathBuf> {
    let folder = path.parent()?;
    let wanted = path.file_name()?.to_str()?;
    let names = fs::read_dir(folder).ok()?.flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let names: Vec<String> = names.filter(|name| name.ends_with(".so")).collect();
    nearest(wanted, &names).map(|name| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(kind: u16, machine: u16) -> Vec<u8> {
        let mut start = vec![0x7F, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        start.extend(kind.to_le_bytes());
        start.extend(machine.to_le_bytes());
        start
    }

    fn told(start: &[u8]) -> String {
        match misfit(start) {
            Misfit::None => String::new(),
            Misfit::Machine(machine) => format!("for {machine}"),
            Misfit::Format(format) => format,
        }
    }

    #[test]
    fn files_that_are_no_libraries_are_known_by_their_first_bytes() {
        assert_eq!(told(b""), "is empty");
        assert_eq!(told(b"#!/bin/sh\n"), "is no ELF file");
        assert_eq!(told(b"\x7fELF\x02\x01"), "ends within its first bytes");
        assert_eq!(told(b"\xcf\xfa\xed\xfe1234"), "is for macOS");
        assert_eq!(told(b"MZ123456"), "is for Windows");
        assert_eq!(told(&elf(3, 22)), "for s390x");
        assert_eq!(told(&elf(3, 4711)), "for machine 4711");
        let own = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
        assert_eq!(told(&elf(3, own)), "");
        assert_eq!(told(&elf(2, own)), "is a program");
        assert_eq!(told(&elf(1, own)), "is an object file that has not been linked");
    }

    #[test]
    fn no_head_of_a_file_is_a_panic() {
        let whole = fs::read(std::env::current_exe().unwrap()).unwrap();
        let head = &whole[..HEAD as usize];
        assert!(!is_cut(head, whole.len() as u64));
        assert!(is_cut(head, HEAD * 2));
        for length in 0..head.len() {
            let _ = (told(&head[..length]), is_cut(&head[..length], length as u64));
        }
        for place in 0..256 {
            for value in [0x00, 0x7F, 0xFF] {
                let mut changed = head.to_vec();
                changed[place] = value;
                let _ = (told(&changed), is_cut(&changed, whole.len() as u64));
            }
        }
    }
}
