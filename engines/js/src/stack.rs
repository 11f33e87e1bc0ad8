//! Stack traces: the facts that V8's call sites lack, and the call of the prelude for the text of a stack.
//!
//! V8 names a file by the URL under which it was compiled, and knows nothing about source maps.

use crate::{
    host::{set, set_function, text_or_undefined},
    options::NodeOptions,
    source_map::SourceMap,
    typescript::TypeScript,
};
use deno_media_type::data_url::RawDataUrl;
use deno_runtime::deno_core::{ModuleSpecifier, v8};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    fs,
    rc::Rc,
};

/// The name under which our glue code is compiled that takes the place of a user's file.
pub(crate) const GLUE: &str = "ext:trine/glue";

/// The prefix of the name under which Deno's runtime compiles the text that a worker thread gets (`eval: true`), a name
/// from its own sources; the number of lines that it puts in front of the text; and Node's name for it.
const EVAL_NAME: &str = "[ext:";
const EVAL_LINES: u32 = 4;
const EVAL_NAME_OF_NODE: &str = "[worker eval]";

/// The facts about the code of one isolate.
pub(crate) struct Sources {
    /// The source maps of code that was made from TypeScript here.
    typescript: Rc<TypeScript>,
    /// The ES modules. Every other file is CommonJS, which Node names by its path.
    modules: RefCell<HashSet<String>>,
    /// Places of the source maps of code that was compiled from another text than its file's.
    noted: RefCell<HashMap<String, String>>,
    /// The maps that came with users' code and were requested; `None` where there is none.
    maps: RefCell<HashMap<String, Option<Rc<SourceMap>>>>,
    /// The maps of TypeScript that were requested, with the texts that they were read from.
    made: RefCell<HashMap<String, Made>>,
}

struct Made {
    text: Rc<str>,
    map: Option<Rc<SourceMap>>,
}

/// A place in a file, as shown to people. Lines and columns start at 1.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    file: String,
    line: u32,
    column: u32,
}

/// Positions by which a function's name in its source is found: where it begins, and where it is called.
#[derive(Debug, Clone, Copy, Default)]
struct Named {
    start: Option<(u32, u32)>,
    call: Option<(u32, u32)>,
}

impl Sources {
    pub(crate) fn new(typescript: Rc<TypeScript>) -> Rc<Self> {
        Rc::new(Self {
            typescript,
            modules: RefCell::default(),
            noted: RefCell::default(),
            maps: RefCell::default(),
            made: RefCell::default(),
        })
    }

    /// Notes that a file is compiled as an ES module.
    pub(crate) fn add_module(&self, url: &ModuleSpecifier) {
        self.modules.borrow_mut().insert(url.as_str().to_owned());
    }

    /// Notes that a file is compiled as CommonJS from this text.
    fn note(&self, path: &str, text: &str) {
        let Ok(url) = ModuleSpecifier::from_file_path(path) else { return };
        if let Some(map) = mapping_url(text) {
            self.maps.borrow_mut().remove(url.as_str());
            self.noted.borrow_mut().insert(url.into(), map.to_owned());
        }
    }

    /// Returns where a place of V8's is, if people know it by another name or another line. Source maps that came with
    /// the code count with `maps` only.
    fn place(&self, url: &str, line: u32, column: u32, maps: bool) -> Option<Place> {
        if url.starts_with(EVAL_NAME) {
            let line = line.saturating_sub(EVAL_LINES);
            return Some(Place { file: EVAL_NAME_OF_NODE.to_owned(), line, column });
        }
        let file = match self.modules.borrow().contains(url) {
            true => None,
            false => file_path(url),
        };
        let (row, offset) = (line.saturating_sub(1), column.saturating_sub(1));
        if let Some(text) = self.typescript.source_map(url) {
            let map = self.made_map(url, text);
            let origin = map.as_ref().and_then(|map| map.find(row, offset));
            let (line, column) =
                origin.map_or((line, column), |origin| (origin.line + 1, origin.column + 1));
            return Some(Place { file: file.unwrap_or_else(|| url.to_owned()), line, column });
        }
        if maps
            && let Some(map) = self.map(url)
            && let Some(origin) = map.find(row, offset)
        {
            let file = file_path(origin.source).unwrap_or_else(|| origin.source.to_owned());
            return Some(Place { file, line: origin.line + 1, column: origin.column + 1 });
        }
        file.map(|file| Place { file, line, column })
    }

    /// Rewrites a call site's text with the places as people know them. `named` says that source maps count.
    fn relocate(&self, text: &str, named: Option<Named>) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let next = |text: &str| {
            let starts = [text.find("file://"), text.find(EVAL_NAME)];
            starts.into_iter().flatten().min()
        };
        while let Some(start) = next(rest) {
            let Some((url, line, column, length)) = location(&rest[start..]) else { break };
            out.push_str(&rest[..start]);
            if let Some(named) = named
                && rest[start + length..] == *")"
                && let Some(name) = self.name(url, named)
            {
                rename(&mut out, &name);
            }
            match self.place(url, line, column, named.is_some()) {
                Some(place) => {
                    out.push_str(&format!("{}:{}:{}", place.file, place.line, place.column));
                }
                None => out.push_str(&rest[start..start + length]),
            }
            rest = &rest[start + length..];
        }
        out.push_str(rest);
        out
    }

    /// Returns the name that a function of this file has in its source.
    fn name(&self, url: &str, named: Named) -> Option<String> {
        if self.typescript.source_map(url).is_some() {
            return None;
        }
        let map = self.map(url)?;
        let name = |(line, column): (u32, u32)| {
            map.find(line.saturating_sub(1), column.saturating_sub(1))?.name
        };
        named.start.and_then(name).or_else(|| named.call.and_then(name)).map(str::to_owned)
    }

    /// Returns line and column in the TypeScript from which code was made, counted from 0.
    pub(crate) fn origin(&self, url: &str, line: u32, column: u32) -> Option<(u32, u32)> {
        let text = self.typescript.source_map(url)?;
        let map = self.made_map(url, text)?;
        map.find(line, column).map(|origin| (origin.line, origin.column))
    }

    /// Returns the source map of a TypeScript file, which may have been made anew since the last time.
    fn made_map(&self, url: &str, text: Rc<str>) -> Option<Rc<SourceMap>> {
        if let Some(made) = self.made.borrow().get(url)
            && Rc::ptr_eq(&made.text, &text)
        {
            return made.map.clone();
        }
        let file = ModuleSpecifier::parse(url).ok()?;
        let map = SourceMap::parse(text.as_bytes(), &file).map(Rc::new);
        self.made.borrow_mut().insert(url.to_owned(), Made { text, map: map.clone() });
        map
    }

    /// Returns the source map that came with a file, read on first use.
    fn map(&self, url: &str) -> Option<Rc<SourceMap>> {
        if let Some(known) = self.maps.borrow().get(url) {
            return known.clone();
        }
        let map = self.read_map(url).map(Rc::new);
        self.maps.borrow_mut().insert(url.to_owned(), map.clone());
        map
    }

    fn read_map(&self, url: &str) -> Option<SourceMap> {
        let file = ModuleSpecifier::parse(url).ok()?;
        let noted = self.noted.borrow().get(url).cloned();
        let named = match noted {
            Some(named) => named,
            None => {
                let text = fs::read(file.to_file_path().ok()?).ok()?;
                mapping_url(&String::from_utf8_lossy(&text))?.to_owned()
            }
        };
        let place = file.join(&named).ok()?;
        if place.scheme() == "data" {
            let (json, _) = RawDataUrl::parse(&place).ok()?.into_bytes_and_mime_type();
            return SourceMap::parse(&json, &file);
        }
        SourceMap::parse(&fs::read(place.to_file_path().ok()?).ok()?, &place)
    }
}

/// Returns the path of a `file:` URL.
pub(crate) fn file_path(url: &str) -> Option<String> {
    if !url.starts_with("file:") {
        return None;
    }
    let path = ModuleSpecifier::parse(url).ok()?.to_file_path().ok()?;
    path.into_os_string().into_string().ok()
}

/// Parses the location at the start of a text: URL, line, column, and its length. Whatever follows ends a location.
fn location(text: &str) -> Option<(&str, u32, u32, usize)> {
    let mut from = match text.starts_with(EVAL_NAME) {
        true => text.find(']')? + 1,
        false => "file://".len(),
    };
    loop {
        let colon = from + text[from..].find(':')?;
        if let Some((line, column, length)) = line_and_column(&text[colon..]) {
            return Some((&text[..colon], line, column, colon + length));
        }
        from = colon + 1;
    }
}

/// Parses `:12:5` at the start of a text; also returns its length.
fn line_and_column(text: &str) -> Option<(u32, u32, usize)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let line = text.strip_prefix(':')?;
    let column = line[digits(line)..].strip_prefix(':')?;
    let rest = &column[digits(column)..];
    let ends = rest.is_empty() || rest.starts_with([')', ',']);
    let line = line[..digits(line)].parse().ok()?;
    let column = column[..digits(column)].parse().ok()?;
    ends.then_some((line, column, text.len() - rest.len()))
}

/// Puts a function's own name into the beginning of a call site's text: `async`, `new` and the like stay.
fn rename(text: &mut String, name: &str) {
    let Some(before) = text.strip_suffix(" (") else { return };
    let kept = ["async ", "new "].into_iter().find(|kept| before.starts_with(kept));
    let function = &before[kept.map_or(0, str::len)..];
    // A method's name follows its object's, and may be followed by the name by which it was found.
    let plain = function.split(" [as ").next().unwrap_or(function);
    if plain.rsplit('.').next() == Some(name) {
        return;
    }
    *text = format!("{}{name} (", kept.unwrap_or_default());
}

/// Finds the place of a source's map in the last comment of its kind.
fn mapping_url(text: &str) -> Option<&str> {
    const WORD: &str = "sourceMappingURL=";
    let mut before = text;
    loop {
        let at = before.rfind(WORD)?;
        let sign = before[..at].trim_end_matches([' ', '\t']);
        if ["//#", "//@", "/*#", "/*@"].iter().any(|comment| sign.ends_with(comment)) {
            let url = text[at + WORD.len()..].split_whitespace().next()?;
            return Some(url.strip_suffix("*/").unwrap_or(url));
        }
        before = &before[..at];
    }
}

/// The prelude's function that V8 calls for a stack.
struct Prepare(v8::Global<v8::Function>);

/// Makes the prelude's function `prepare` produce the stacks of an isolate from now on.
pub(crate) fn install(
    isolate: &mut v8::Isolate,
    sources: Rc<Sources>,
    prepare: v8::Global<v8::Function>,
) {
    isolate.set_slot(sources);
    isolate.set_slot(Prepare(prepare));
    isolate.set_prepare_stack_trace_callback(prepare_stack);
}

fn prepare_stack<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    error: v8::Local<'s, v8::Value>,
    sites: v8::Local<'s, v8::Array>,
) -> v8::Local<'s, v8::Value> {
    // deno_core takes the frames of errors that it passes to Rust from here.
    if let Ok(error) = v8::Local::<'_, v8::Object>::try_from(error)
        && let Some(name) = v8::String::new(scope, "deno_core::call_site_evals")
    {
        let key = v8::Private::for_api(scope, Some(name));
        error.set_private(scope, key, sites.into());
    }
    let undefined = v8::undefined(scope).into();
    let Some(prepare) = scope.get_slot::<Prepare>().map(|prepare| prepare.0.clone()) else {
        return undefined;
    };
    let prepare = v8::Local::new(scope, prepare);
    let global = scope.get_current_context().global(scope).into();
    // An exception of a user's `Error.prepareStackTrace` becomes that of reading the stack.
    prepare.call(scope, undefined, &[global, error, sites.into()]).unwrap_or(undefined)
}

/// Adds the functions that the prelude calls.
pub(crate) fn add_functions(scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>) {
    let glue = text_or_undefined(scope, Some(GLUE));
    set(scope, object, "glue", glue);
    let asked = v8::Boolean::new(scope, NodeOptions::of_process().enable_source_maps);
    set(scope, object, "sourceMaps", asked.into());
    set_function(scope, object, "relocate", relocate);
    set_function(scope, object, "place", place);
    set_function(scope, object, "noteSource", note_source);
}

fn sources_of(isolate: &v8::Isolate) -> Option<Rc<Sources>> {
    isolate.get_slot::<Rc<Sources>>().cloned()
}

/// Implements `relocate(text)`, and with source maps `relocate(text, startLine, startColumn, callLine, callColumn)`:
/// the text of a call site with the places that people know.
fn relocate(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let text = args.get(0);
    result.set(text);
    let Some(sources) = sources_of(scope) else { return };
    let text = text.to_rust_string_lossy(scope);
    let position = |first: i32| {
        let line = args.get(first).uint32_value(scope)?;
        let column = args.get(first + 1).uint32_value(scope)?;
        (line > 0).then_some((line, column))
    };
    let named = (args.length() > 1).then(|| Named { start: position(1), call: position(3) });
    let relocated = sources.relocate(&text, named);
    if relocated != text
        && let Some(relocated) = v8::String::new(scope, &relocated)
    {
        result.set(relocated.into());
    }
}

/// Implements `place(url, line, column)`: an array of file, line and column where people know another place than V8;
/// source maps that came with the code do not count.
fn place(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let url = args.get(0).to_rust_string_lossy(scope);
    let line = args.get(1).uint32_value(scope).unwrap_or(0);
    let column = args.get(2).uint32_value(scope).unwrap_or(0);
    let place = sources_of(scope).and_then(|sources| sources.place(&url, line, column, false));
    let Some(place) = place else { return };
    let Some(file) = v8::String::new(scope, &place.file) else { return };
    let elements = [
        file.into(),
        v8::Integer::new_from_unsigned(scope, place.line).into(),
        v8::Integer::new_from_unsigned(scope, place.column).into(),
    ];
    result.set(v8::Array::new_with_elements(scope, &elements).into());
}

/// Implements `noteSource(path, text)`: notes that a file is compiled as CommonJS from this text.
fn note_source(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some(sources) = sources_of(scope) else { return };
    let path = args.get(0).to_rust_string_lossy(scope);
    let text = args.get(1).to_rust_string_lossy(scope);
    sources.note(&path, &text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use deno_maybe_sync::new_rc;
    use node_resolver::PackageJsonResolver;
    use sys_traits::impls::RealSys;

    fn sources() -> Rc<Sources> {
        Sources::new(TypeScript::new(new_rc(PackageJsonResolver::new(RealSys, None))))
    }

    fn url(path: &str) -> ModuleSpecifier {
        ModuleSpecifier::from_file_path(path).expect("an absolute path")
    }

    #[test]
    fn commonjs_is_told_by_its_path_and_a_module_by_its_url() {
        let sources = sources();
        sources.add_module(&url("/app/a b.mjs"));
        for (text, relocated) in [
            ("f (file:///app/x%20y.cjs:1:2)", "f (/app/x y.cjs:1:2)"),
            ("file:///app/x(1):2:3.cjs:1:2", "/app/x(1):2:3.cjs:1:2"),
            ("f (file:///app/a%20b.mjs:1:2)", "f (file:///app/a%20b.mjs:1:2)"),
            (
                "eval (eval at f (file:///app/x.cjs:1:2), <anonymous>:3:4)",
                "eval (eval at f (/app/x.cjs:1:2), <anonymous>:3:4)",
            ),
            ("f ([ext:/some/where.rs:1:2]:5:22)", "f ([worker eval]:1:22)"),
            ("Array.map (<anonymous>)", "Array.map (<anonymous>)"),
            ("f (file://)", "f (file://)"),
            ("f (file:///app/x.cjs:99999999999:1)", "f (file:///app/x.cjs:99999999999:1)"),
        ] {
            assert_eq!(sources.relocate(text, None), relocated);
        }
    }

    #[test]
    fn the_last_comment_says_where_a_map_is() {
        for (text, url) in [
            ("code\n//# sourceMappingURL=a.map", Some("a.map")),
            ("code\n//@ sourceMappingURL=a.map\n\n", Some("a.map")),
            ("code /*# sourceMappingURL=a.map*/", Some("a.map")),
            ("code /*# sourceMappingURL=a.map */ more", Some("a.map")),
            ("//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map\n", Some("b.map")),
            ("//# sourceMappingURL=a.map\nconst s = 'sourceMappingURL=b.map';", Some("a.map")),
            ("//# sourceMappingURL=", None),
            ("const s = 'sourceMappingURL=b.map';", None),
            ("", None),
        ] {
            assert_eq!(mapping_url(text), url, "{text}");
        }
    }

    #[test]
    fn a_name_of_the_source_takes_the_place_of_the_functions() {
        for (before, after) in [
            ("o (", "price ("),
            ("async o (", "async price ("),
            ("new o (", "new price ("),
            ("Module.o (", "price ("),
            ("price (", "price ("),
            ("Shop.price (", "Shop.price ("),
            ("Shop.price [as x] (", "Shop.price [as x] ("),
            ("", ""),
        ] {
            let mut text = before.to_owned();
            rename(&mut text, "price");
            assert_eq!(text, after);
        }
    }
}
