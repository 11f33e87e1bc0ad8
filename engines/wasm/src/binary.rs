//! The binary form of a module, read without compiling it: imports, exports, memory. Bounded by the size of the file,
//! whatever it contains.

mod limits;
mod reader;

pub(crate) use limits::Bound;

use reader::{Broken, Reader};
use std::{fmt, rc::Rc};

/// The first four bytes of every module and every component.
const MAGIC: &[u8] = b"\0asm";

/// The version and layer of a module, and those of a component.
const MODULE: [u8; 4] = [1, 0, 0, 0];
const COMPONENT_LAYER: [u8; 2] = [1, 0];

/// Maximum number of bytes of a name in a message.
const SHOWN: usize = 60;

/// The reason why a file is no module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoModule {
    /// A component.
    Component,
    /// Something else, in words.
    Other(String),
}

impl fmt::Display for NoModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component => f.write_str(
                "a WebAssembly component, which V8 does not run: build a core module for WASI preview 1 \
                 instead (target wasm32-wasip1)",
            ),
            Self::Other(found) => f.write_str(found),
        }
    }
}

impl From<Broken> for NoModule {
    fn from(broken: Broken) -> Self {
        let (what, offset) = (broken.what, broken.offset);
        Self::Other(format!("no valid WebAssembly module: {what} at offset {offset:#x}"))
    }
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueType {
    I32,
    I64,
    /// Anything else: no function of a host's or a handler's takes or gives it.
    Other,
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Other => "…",
        })
    }
}

/// The type of a function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Signature {
    pub(crate) parameters: Vec<ValueType>,
    pub(crate) results: Vec<ValueType>,
}

impl Signature {
    /// Makes a type, written as in `iI:I`: parameters, then results; `I` has 64 bits.
    pub(crate) fn of(text: &str) -> Self {
        let types = |text: &str| {
            let one = |c| if c == 'i' { ValueType::I32 } else { ValueType::I64 };
            text.chars().map(one).collect()
        };
        let (parameters, results) = text.split_once(':').unwrap_or((text, ""));
        Self { parameters: types(parameters), results: types(results) }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[ValueType]| {
            types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        write!(f, "({})", list(&self.parameters))?;
        match &self.results[..] {
            [] => Ok(()),
            results => write!(f, " -> {}", list(results)),
        }
    }
}

/// The kind of thing that is imported or exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A function, and its type where it is a plain one.
    Function(Option<Rc<Signature>>),
    Table,
    Memory,
    Global,
    Tag,
}

impl Kind {
    /// Returns the kind with its article.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Function(_) => "a function",
            Self::Table => "a table",
            Self::Memory => "a memory",
            Self::Global => "a global",
            Self::Tag => "a tag",
        }
    }
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// An export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Export {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Export {
    fn is_function_of(&self, signature: &Signature) -> bool {
        matches!(&self.kind, Kind::Function(Some(own)) if **own == *signature)
    }
}

/// A memory that the module has itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnMemory {
    /// Its size at the start, in bytes.
    pub(crate) least: u64,
    /// Whether threads share it.
    pub(crate) is_shared: bool,
    /// Whether its addresses have 64 bits.
    pub(crate) is_64: bool,
}

/// A section: its number, and where its contents lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Section {
    id: u8,
    /// Where the section begins, its number included.
    start: usize,
    contents: usize,
    end: usize,
}

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Binary {
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: Vec<Export>,
    pub(crate) memories: Vec<OwnMemory>,
    sections: Vec<Section>,
}

impl Binary {
    /// Reads a module.
    ///
    /// # Errors
    /// What it is instead of a module, or where it is broken.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NoModule> {
        let Some(after) = bytes.strip_prefix(MAGIC) else {
            return Err(NoModule::Other(other_file(bytes)));
        };
        match after.get(..4) {
            None => {
                return Err(Broken { what: "the header is cut off", offset: bytes.len() }.into());
            }
            Some(version) if version == MODULE => {}
            Some([_, _, layer @ ..]) if *layer == COMPONENT_LAYER => {
                return Err(NoModule::Component);
            }
            Some(version) => {
                let version = u32::from_le_bytes([version[0], version[1], version[2], version[3]]);
                let text = format!("a WebAssembly module of version {version}; only 1 is known");
                return Err(NoModule::Other(text));
            }
        }
        let mut binary = Self::default();
        let mut types = Vec::new();
        // The types of functions, imported ones first.
        let mut functions: Vec<Option<u32>> = Vec::new();
        let mut exports = Vec::new();
        let mut reader = Reader::new(bytes, 8);
        while !reader.is_at_end() {
            let start = reader.offset();
            let id = reader.byte()?;
            let size = reader.u32()? as usize;
            let contents = reader.offset();
            let mut section = reader.part(size, "a section is cut off")?;
            binary.sections.push(Section { id, start, contents, end: contents + size });
            match id {
                1 => types = section.types()?,
                2 => {
                    for (module, name, kind) in section.imports()? {
                        if let reader::ImportKind::Function(index) = kind {
                            functions.push(Some(index));
                        }
                        let kind = match kind {
                            reader::ImportKind::Function(index) => {
                                Kind::Function(signature(&types, Some(index)))
                            }
                            reader::ImportKind::Table => Kind::Table,
                            reader::ImportKind::Memory => Kind::Memory,
                            reader::ImportKind::Global => Kind::Global,
                            reader::ImportKind::Tag => Kind::Tag,
                        };
                        binary.imports.push(Import { module, name, kind });
                    }
                }
                3 => functions.extend(section.indices()?.into_iter().map(Some)),
                5 => {
                    for limits in section.memories()? {
                        binary.memories.push(OwnMemory {
                            least: limits.least_bytes(),
                            is_shared: limits.is_shared(),
                            is_64: limits.is_64(),
                        });
                    }
                }
                7 => exports = section.exports()?,
                _ => {}
            }
        }
        for (name, kind, index) in exports {
            let kind = match kind {
                0 => {
                    let of = functions.get(index as usize).copied().flatten();
                    Kind::Function(signature(&types, of))
                }
                1 => Kind::Table,
                2 => Kind::Memory,
                3 => Kind::Global,
                _ => Kind::Tag,
            };
            binary.exports.push(Export { name, kind });
        }
        Ok(binary)
    }

    /// Returns the export of a name.
    pub(crate) fn export(&self, name: &str) -> Option<&Export> {
        self.exports.iter().find(|export| export.name == name)
    }

    /// Whether a function of this name and type is exported.
    pub(crate) fn has(&self, name: &str, signature: &Signature) -> bool {
        self.export(name).is_some_and(|export| export.is_function_of(signature))
    }

    /// Whether a memory of this name is exported.
    pub(crate) fn has_memory(&self, name: &str) -> bool {
        self.export(name).is_some_and(|export| export.kind == Kind::Memory)
    }

    /// Returns the names of the functions that are exported with a type.
    pub(crate) fn functions_of(&self, signature: &Signature) -> Vec<String> {
        let found = self.exports.iter().filter(|export| export.is_function_of(signature));
        found.map(|export| export.name.clone()).collect()
    }
}

fn signature(types: &[Option<Rc<Signature>>], index: Option<u32>) -> Option<Rc<Signature>> {
    types.get(index? as usize).cloned().flatten()
}

/// Returns what a file without a module's first bytes seems to be.
fn other_file(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let start = text.trim_start();
    if bytes.is_empty() {
        return "an empty file, not a WebAssembly module".to_owned();
    }
    if ["(module", "(component", ";;", "(;"].iter().any(|sign| start.starts_with(sign)) {
        return "WebAssembly in its text form: make a module of it first, as with `wat2wasm`"
            .to_owned();
    }
    if MAGIC.starts_with(bytes) {
        return "a WebAssembly module that is cut off after its first bytes".to_owned();
    }
    if start.starts_with("version https://git-lfs") {
        return "a pointer of Git LFS, not the module itself: fetch it with `git lfs pull`"
            .to_owned();
    }
    let is_text = |c: char| !c.is_control() && c != char::REPLACEMENT_CHARACTER;
    let line: String = start.lines().next().unwrap_or_default().chars().take(SHOWN).collect();
    if !line.is_empty() && line.chars().all(is_text) {
        return format!("no WebAssembly module: it begins with {line:?}");
    }
    let first: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!(
        "no WebAssembly module: it begins with the bytes {}, not with 00 61 73 6d",
        first.join(" ")
    )
}

#[cfg(test)]
mod tests;
