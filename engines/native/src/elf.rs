//! A library's file, read without loading it: what it was compiled for, and the symbols that it has for others.

use object::{
    Endianness, ReadCache, ReadRef, elf,
    read::elf::{FileHeader, ProgramHeader, Sym},
};
use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

/// The facts that a shared library states about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elf {
    /// The machine, as Linux names it, and its bits: `aarch64 (64 bits)`.
    pub(crate) machine: String,
    /// Names of the symbols that it has for others; `None` where it has no table of them that can be read.
    pub(crate) exports: Option<Vec<String>>,
}

/// The machine of this process, in the same words.
pub(crate) fn own_machine() -> String {
    let little = cfg!(target_endian = "little");
    machine(std::env::consts::ARCH, usize::BITS as u8, little)
}

/// Reads a file.
///
/// # Errors
/// What is wrong with the file, as in "is no ELF file: it is a text".
pub(crate) fn read(path: &Path) -> Result<Elf, String> {
    let unreadable = |e: std::io::Error| format!("cannot be read: {e}");
    let metadata = fs::metadata(path).map_err(unreadable)?;
    // Opening a pipe would wait for its other end.
    if !metadata.is_file() {
        return Err("is no regular file".to_owned());
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let mut start = Vec::new();
    (&mut file).take(64).read_to_end(&mut start).map_err(unreadable)?;
    if !start.starts_with(&elf::ELFMAG) {
        return Err(format!("is no ELF file, as shared libraries are: {}", what_is(&start)));
    }
    let data = ReadCache::new(file);
    match start.get(4) {
        Some(1) => facts::<elf::FileHeader32<Endianness>, _>(&data, metadata.len(), 32),
        Some(2) => facts::<elf::FileHeader64<Endianness>, _>(&data, metadata.len(), 64),
        _ => Err(cut("its header is not whole")),
    }
}

fn cut(why: &str) -> String {
    format!("is a damaged ELF file: {why}; it may have been cut when it was copied")
}

/// Says what a file is that is no ELF file, by its first bytes.
fn what_is(start: &[u8]) -> &'static str {
    match start {
        [] => "it is empty",
        [0xCF | 0xCE, 0xFA, 0xED, 0xFE, ..]
        | [0xFE, 0xED, 0xFA, 0xCF | 0xCE, ..]
        | [0xCA, 0xFE, 0xBA, 0xBE, ..] => "it is for macOS",
        [b'M', b'Z', ..] => "it is for Windows",
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => "it is an archive of object files",
        [0, b'a', b's', b'm', ..] => "it is a module of WebAssembly",
        text if text
            .iter()
            .all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 32..=126 | 128..)) =>
        {
            "it is a text"
        }
        _ => "its first bytes are those of no known format",
    }
}

fn facts<'data, H, R>(data: R, length: u64, bits: u8) -> Result<Elf, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data).map_err(|_| cut("its header is not whole"))?;
    let endian = header.endian().map_err(|_| cut("its header says no order of bytes"))?;
    let name = machine_name(header.e_machine(endian));
    let machine = machine(&name, bits, endian == Endianness::Little);
    match header.e_type(endian) {
        elf::ET_DYN => {}
        elf::ET_REL => {
            let advice = "link it with -shared, and compile it with -fPIC";
            return Err(format!("is an object file and no shared library: {advice}"));
        }
        elf::ET_EXEC => {
            return Err("is a program and no shared library: link it with -shared".to_owned());
        }
        _ => return Err("is an ELF file, but no shared library".to_owned()),
    }
    let segments =
        header.program_headers(endian, data).map_err(|_| cut("its segments are not there"))?;
    for segment in segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD) {
        let (from, size) = segment.file_range(endian);
        if from.checked_add(size).is_none_or(|end| end > length) {
            return Err(cut("it ends before its last segment"));
        }
    }
    Ok(Elf { machine, exports: exports(header, endian, data) })
}

/// Returns the names of the symbols that a library has for others.
fn exports<'data, H, R>(header: &H, endian: Endianness, data: R) -> Option<Vec<String>>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let sections = header.sections(endian, data).ok()?;
    if sections.is_empty() {
        return None;
    }
    let symbols = sections.symbols(endian, data, elf::SHT_DYNSYM).ok()?;
    let mut names = Vec::new();
    for symbol in symbols.iter() {
        if symbol.is_undefined(endian) || symbol.st_bind() == elf::STB_LOCAL {
            continue;
        }
        let name = symbol.name(endian, symbols.strings()).ok()?;
        names.push(String::from_utf8_lossy(name).into_owned());
    }
    Some(names)
}

fn machine(name: &str, bits: u8, little: bool) -> String {
    let order = if little { "" } else { ", big endian" };
    format!("{name} ({bits} bits{order})")
}

/// Returns the name of a machine, as Rust uses it.
fn machine_name(number: u16) -> String {
    let name = match number {
        elf::EM_X86_64 => "x86_64",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_386 => "x86",
        elf::EM_ARM => "arm",
        elf::EM_RISCV => "riscv64",
        elf::EM_PPC64 => "powerpc64",
        elf::EM_S390 => "s390x",
        other => return format!("machine {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_named_by_their_first_bytes() {
        for (start, what) in [
            (b"".as_slice(), "it is empty"),
            (b"INPUT(libm.so.6)\n", "it is a text"),
            (b"\xcf\xfa\xed\xfe1234", "it is for macOS"),
            (b"MZ\x90", "it is for Windows"),
            (b"\0asm\x01\0\0\0", "it is a module of WebAssembly"),
            (b"!<arch>\n", "it is an archive of object files"),
            (b"\x01\x02\x03", "its first bytes are those of no known format"),
        ] {
            assert_eq!(what_is(start), what);
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_panic() {
        let whole = fs::read("/proc/self/exe").unwrap();
        let start = &whole[..whole.len().min(2048)];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lib.so");
        for length in 0..start.len() {
            fs::write(&path, &start[..length]).unwrap();
            assert!(read(&path).is_err(), "{length} bytes");
        }
        for place in 4..512 {
            let mut changed = start.to_vec();
            changed[place] ^= 0xff;
            fs::write(&path, &changed).unwrap();
            let _ = read(&path);
        }
    }

    #[test]
    fn the_process_is_of_its_own_machine() {
        let elf = read(Path::new("/proc/self/exe")).map(|elf| elf.machine);
        // An executable that is not position-independent is told to be none.
        assert!(elf == Ok(own_machine()) || elf.is_err_and(|why| why.contains("is a program")));
    }
}
