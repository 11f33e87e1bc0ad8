//! Native addons that cannot run here: those made for V8's C++ interface, which only Node itself offers. Loaded lazily, as
//! Node-API's addons are, one would end the process at its first call.

use crate::host::text_or_undefined;
use deno_runtime::deno_core::v8;
use std::{
    fs::File,
    io,
    os::{raw::c_char, unix::fs::FileExt as _},
    path::Path,
};

/// `missingSymbol(path)`: a function of Node's or V8's that a native addon needs and nothing here has, by its linker name.
pub(crate) fn missing_symbol(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let path = args.get(0).to_rust_string_lossy(scope);
    // What is wrong with the file otherwise, the loader says better.
    let missing = undefined_symbols(Path::new(&path)).unwrap_or_default();
    let missing = missing.iter().find(|name| is_of_node(name) && !is_defined(name));
    result.set(text_or_undefined(scope, missing.map(String::as_str)));
}

/// Whether a symbol is a C++ one in the namespaces `v8` or `node`, or one of those that came before Node-API.
fn is_of_node(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("_Z") else {
        return name.strip_prefix("node_").is_some_and(|rest| !rest.starts_with("api_"));
    };
    let rest = rest.trim_start_matches(['T', 'V', 'I', 'S']);
    let nested =
        rest.strip_prefix('N').map(|rest| rest.trim_start_matches(['K', 'V', 'r', 'R', 'O']));
    nested.is_some_and(|rest| rest.starts_with("2v8") || rest.starts_with("4node"))
}

/// Whether something that is loaded already defines a symbol.
fn is_defined(name: &str) -> bool {
    unsafe extern "C" {
        fn dlsym(handle: *mut std::ffi::c_void, symbol: *const c_char) -> *mut std::ffi::c_void;
    }
    let Ok(name) = std::ffi::CString::new(name) else { return false };
    // SAFETY: the null handle is `RTLD_DEFAULT`, and the name ends with a null byte. Nothing is done with the address.
    !unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) }.is_null()
}

/// The symbols that a shared object of 64-bit ELF needs from elsewhere; weak ones, which may be missing, are left out.
fn undefined_symbols(path: &Path) -> io::Result<Vec<String>> {
    const HEADER: usize = 64;
    const SECTION: usize = 64;
    const SYMBOL: usize = 24;
    const DYNAMIC_SYMBOLS: u64 = 11;
    const GLOBAL: u8 = 1;
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let read = |offset: u64, length: u64| {
        // No length in a broken file makes us ask for more than there is.
        let end = offset.checked_add(length).filter(|end| *end <= size);
        end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, offset).map(|()| bytes)
    };
    let header = read(0, HEADER as u64)?;
    // 64 bits, in this machine's order of bytes.
    let data = if cfg!(target_endian = "little") { 1 } else { 2 };
    if !header.starts_with(&[0x7f, b'E', b'L', b'F', 2, data]) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let count = number(&header, 60, 2);
    let sections = read(number(&header, 40, 8), count * SECTION as u64)?;
    let sections: Vec<&[u8]> = sections.chunks_exact(SECTION).collect();
    let contents = |section: &[u8]| read(number(section, 24, 8), number(section, 32, 8));
    let Some(table) = sections.iter().find(|section| number(section, 4, 4) == DYNAMIC_SYMBOLS)
    else {
        return Ok(Vec::new());
    };
    let names = sections.get(number(table, 40, 4) as usize).ok_or(io::ErrorKind::InvalidData)?;
    let names = contents(names)?;
    let symbols = contents(table)?;
    let undefined = symbols.chunks_exact(SYMBOL).filter(|symbol| {
        let section = number(symbol, 6, 2);
        section == 0 && symbol[4] >> 4 == GLOBAL
    });
    let name = |symbol: &[u8]| {
        let name = names.get(number(symbol, 0, 4) as usize..)?.split(|byte| *byte == 0).next()?;
        std::str::from_utf8(name).ok().map(str::to_owned)
    };
    Ok(undefined.filter_map(name).collect())
}

/// A number of so many bytes at this place.
fn number(bytes: &[u8], place: usize, length: usize) -> u64 {
    let bytes = &bytes[place..place + length];
    let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match cfg!(target_endian = "little") {
        true => bytes.iter().rev().fold(0, fold),
        false => bytes.iter().fold(0, fold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_node_and_v8_are_told_from_others() {
        for name in [
            "_ZN2v87Isolate10GetCurrentEv",
            "_ZNK2v85Value10IsFunctionEv",
            "_ZN4node6Buffer3NewEPN2v87IsolateEm",
            "_ZTIN2v88platform4TaskE",
            "node_module_register",
        ] {
            assert!(is_of_node(name), "{name}");
        }
        for name in [
            "napi_create_object",
            "node_api_get_module_file_name",
            "_ZN3foo2v8Ev",
            "_Znwm",
            "_ZN5nodes1xEv",
            "uv_run",
            "_ZNSt2v8E",
        ] {
            assert!(!is_of_node(name), "{name}");
        }
    }

    #[test]
    fn what_is_no_shared_object_needs_nothing() {
        assert!(undefined_symbols(Path::new("Cargo.toml")).is_err());
        let folder = std::env::temp_dir().join(format!("trine-js-addons-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder is writable");
        let own = std::fs::read(std::env::current_exe().expect("a test has a path"))
            .expect("it is readable");
        let path = folder.join("cut.node");
        for length in [10, 64, 4096, own.len() / 2] {
            std::fs::write(&path, &own[..length]).expect("the folder is writable");
            assert!(undefined_symbols(&path).is_err(), "cut off after {length} bytes");
        }
        let _ = std::fs::remove_dir_all(folder);
    }
}
