//! The message when no file answers to a handler string: what was looked for, what exists, and the nearest name.

use super::{SearchPaths, written::Written};
use crate::engines::Registry;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use trine_engine::{ALIKE, Error, ErrorKind, HANDLER_NAMES, likeness};

/// Folders that hold other people's code or no code: never listed, never served.
pub(super) const SKIPPED_FOLDERS: &[&str] =
    &["node_modules", "package", "__pycache__", "vendor", "middlewares", "deploy", "target"];

/// Maximum number of names in a listing.
const LISTED: usize = 10;
/// Maximum number of entries looked at for a listing, so that a large tree costs no noticeable time.
const SEEN: usize = 2000;
/// Levels of folders below a root in which files are looked at for a listing.
const DEPTH: usize = 3;

/// The text before a name that is offered instead.
const OFFER: &str = "\ndid you mean ";

/// The paths that were tried, extensions gathered, and the places where languages looked for a module.
#[derive(Debug, Default)]
pub(super) struct Tried {
    stems: Vec<(String, Vec<&'static str>)>,
    imports: Vec<(&'static str, Vec<String>)>,
}

impl Tried {
    /// Notes that `stem` was tried with each of `extensions`.
    pub(super) fn add(&mut self, stem: &str, extensions: &[&'static str]) {
        if let Some((_, known)) = self.stems.iter_mut().find(|(known, _)| known == stem) {
            for extension in extensions {
                if !known.contains(extension) {
                    known.push(extension);
                }
            }
            return;
        }
        self.stems.push((stem.to_owned(), extensions.to_vec()));
    }

    /// Notes the places in which a language looked for a module that can be imported, under one name or another.
    pub(super) fn imported(&mut self, language: &'static str, places: Vec<String>) {
        let at = self.imports.iter().position(|(known, _)| *known == language);
        let at = at.unwrap_or_else(|| {
            self.imports.push((language, Vec::new()));
            self.imports.len() - 1
        });
        let known = &mut self.imports[at].1;
        for place in places {
            if !known.contains(&place) {
                known.push(place);
            }
        }
    }

    /// Returns where languages looked, a line each. The message already says that all looked in these roots.
    fn imports(&self, roots: &[PathBuf]) -> String {
        let mut lines = String::new();
        for (language, places) in &self.imports {
            let others =
                places.iter().filter(|place| !roots.iter().any(|root| root == Path::new(place)));
            let others: Vec<_> = others.map(|place| format!("'{place}'")).collect();
            if !others.is_empty() {
                let places = others.join(", ");
                lines.push_str(&format!("\nlooked for a module of {language} in {places}"));
            }
        }
        lines
    }

    /// Returns the names of modules in the places of the function and its layers in which languages looked.
    fn modules(&self, roots: &[PathBuf]) -> Vec<String> {
        let mut modules = Vec::new();
        for place in self.imports.iter().flat_map(|(_, places)| places) {
            let place = Path::new(place);
            if roots.iter().any(|root| place.starts_with(root) && place != root) {
                names_in(place, "", &mut modules);
            }
        }
        modules
    }

    fn text(&self) -> String {
        let texts = self.stems.iter().map(|(stem, extensions)| match extensions.as_slice() {
            [only] => format!("{stem}.{only}"),
            several => format!("{stem}.{{{}}}", several.join(",")),
        });
        texts.collect::<Vec<_>>().join(", ")
    }
}

/// Returns the error for a handler string to which no file answers.
pub(super) fn error(
    written: &Written<'_>,
    tried: &Tried,
    roots: &[PathBuf],
    search: &SearchPaths,
    registry: &Registry,
) -> Error {
    let wanted = wanted(written, registry);
    let unsuited = unsuited(written, roots, registry);
    // A text with an extension means this file, whatever else it could stand for.
    let looked_for = match written.has_known_extension(registry) {
        true => written.file.to_owned(),
        false => tried.text(),
    };
    let mut message = match &unsuited {
        Some(path) => unsuited_file(path, registry),
        None if written.is_like_a_file(registry) => format!("Cannot find the file '{wanted}'"),
        None => format!("Cannot find module '{wanted}'"),
    };
    if unsuited.is_none() {
        if !looked_for.is_empty() {
            message.push_str(&format!("\nlooked for {looked_for}"));
            if !written.file.starts_with('/') {
                let roots: Vec<_> =
                    roots.iter().map(|root| format!("'{}'", root.display())).collect();
                message.push_str(&format!(" in {}", roots.join(", then in ")));
            }
        }
        message.push_str(&tried.imports(roots));
    }
    if let Some(note) = no_file(written, roots, registry) {
        message.push_str(&note);
    }
    let root = if written.file.starts_with('/') {
        nearest_folder(Path::new(written.file))
    } else {
        search.task_root.clone()
    };
    let mut existing = existing(&root, &wanted, written, registry);
    if unsuited.is_some() && existing.ends_with(&runs(registry)) {
        // It would only repeat what has been said.
        existing.clear();
    }
    message.push_str(&existing);
    if !existing.contains(OFFER)
        && let Some(module) = trine_engine::nearest(&wanted, &tried.modules(roots))
    {
        let export = written.extension().unwrap_or(HANDLER_NAMES[0]);
        let export = written.export.map_or(format!(".{export}"), |export| format!(":{export}"));
        message.push_str(&format!("{OFFER}'{module}{export}'?"));
    }
    Error::new(ErrorKind::ImportModule, message)
        .with_context("handler", written.text)
        .with_context("task root", search.task_root.display().to_string())
}

/// Returns the error for a file that exists and that no engine runs.
pub(super) fn unknown_extension(path: &Path, registry: &Registry) -> Error {
    Error::new(ErrorKind::Unsupported, unsuited_file(path, registry))
}

/// Returns the message about such a file.
fn unsuited_file(path: &Path, registry: &Registry) -> String {
    let what = match path.extension() {
        Some(extension) => format!("'.{}' files", extension.to_string_lossy()),
        None => "files without an extension".to_owned(),
    };
    format!("no engine of this build runs {what}: '{}'\n{}", path.display(), runs(registry))
}

/// Returns the extensions that this build runs, as a line of a message.
pub(super) fn runs(registry: &Registry) -> String {
    let known: Vec<_> = registry.extensions().map(|(known, _)| format!(".{known}")).collect();
    if known.is_empty() {
        return "this build has no engine at all".to_owned();
    }
    format!("this build runs {}", known.join(" "))
}

/// Returns the module that was meant, for the first line: without the export, without a known extension.
fn wanted(written: &Written<'_>, registry: &Registry) -> String {
    if written.export.is_some() || written.has_known_extension(registry) {
        return written.file.to_owned();
    }
    match written.file.rsplit_once('.') {
        Some((module, export)) if !export.contains('/') => module.to_owned(),
        _ => written.file.to_owned(),
    }
}

/// Finds a file of exactly the written name that no engine runs.
pub(super) fn unsuited(
    written: &Written<'_>,
    roots: &[PathBuf],
    registry: &Registry,
) -> Option<PathBuf> {
    if written.has_known_extension(registry) {
        return None;
    }
    roots.iter().map(|root| root.join(written.file)).find(|path| path.is_file())
}

/// Describes what has exactly the written name, with a known extension, but is not a file.
fn no_file(written: &Written<'_>, roots: &[PathBuf], registry: &Registry) -> Option<String> {
    if !written.has_known_extension(registry) {
        return None;
    }
    roots.iter().map(|root| root.join(written.file)).find_map(|path| {
        let what = match fs::metadata(&path) {
            Ok(found) if found.is_dir() => "is a folder",
            Ok(_) => "is not a regular file",
            Err(_) if path.is_symlink() => "is a link to a file that does not exist",
            Err(_) => return None,
        };
        Some(format!("\n'{}' {what}", path.display()))
    })
}

/// Returns what exists, and what of it is nearest to what was wanted.
fn existing(root: &Path, wanted: &str, written: &Written<'_>, registry: &Registry) -> String {
    let (mut files, mut budget) = (Vec::new(), SEEN);
    if let Err(e) = collect(root, root, DEPTH, &mut budget, registry, &mut files) {
        return format!("\ncannot read the folder '{}': {e}", root.display());
    }
    if files.is_empty() {
        return format!(
            "\nthe folder '{}' holds no handler file; {}",
            root.display(),
            runs(registry)
        );
    }
    let wanted = Path::new(wanted).strip_prefix(root).map_or(wanted, |w| w.to_str().unwrap_or(""));
    let beside = Path::new(wanted).parent().unwrap_or(Path::new("")).to_owned();
    // Files of the same folder first, then those nearer to the root; names decide between equals.
    files.sort_by_cached_key(|file| {
        let folder = Path::new(file).parent().unwrap_or(Path::new("")).to_owned();
        (folder != beside, folder.components().count(), file.clone())
    });
    let mut text = format!("\nfound in '{}': ", root.display());
    text.push_str(&files.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", "));
    if files.len() > LISTED {
        text.push_str(&format!(" and {} more", files.len() - LISTED));
    }
    if let Some(file) = nearest(wanted, &files) {
        text.push_str(&format!("{OFFER}'{}'?", suggestion(root, file, written, registry)));
    }
    text
}

/// Returns the nearest of these files to a wanted one, if any is near.
fn nearest<'f>(wanted: &str, files: &'f [String]) -> Option<&'f String> {
    let wanted = wanted.to_lowercase();
    let score = |file: &String| {
        let file = file.to_lowercase();
        let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        let whole = likeness(&wanted, &file).max(likeness(&wanted, stem));
        // The right name in another folder is a better offer than a similar name in the right one.
        let base = |path: &str| Path::new(path).file_stem().map(std::ffi::OsStr::to_owned);
        if base(&wanted) == base(stem) { whole.max(0.97) } else { whole }
    };
    let mut best: Option<(&String, f64)> = None;
    for file in files {
        let score = score(file);
        if score >= ALIKE && best.is_none_or(|(_, known)| score > known) {
            best = Some((file, score));
        }
    }
    best.map(|(file, _)| file)
}

/// Returns the handler string for `file`, in the form in which the wrong one was written.
fn suggestion(root: &Path, file: &str, written: &Written<'_>, registry: &Registry) -> String {
    let file = if written.file.starts_with('/') {
        root.join(file).to_string_lossy().into_owned()
    } else {
        file.to_owned()
    };
    if let Some(export) = written.export {
        return format!("{file}:{export}");
    }
    match written.extension() {
        Some(export)
            if !written.has_known_extension(registry) && !root.join(written.file).is_file() =>
        {
            let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
            format!("{stem}.{export}")
        }
        // The function was not named, so its name need not be guessed.
        _ => file,
    }
}

/// Collects the paths below `root` of the files that some engine runs. Looks at no more than `budget` entries.
fn collect(
    root: &Path,
    folder: &Path,
    depth: usize,
    budget: &mut usize,
    registry: &Registry,
    files: &mut Vec<String>,
) -> io::Result<()> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let (Some(name), path) = (name.to_str(), entry.path()) else { continue };
        if *budget == 0 {
            return Ok(());
        }
        *budget -= 1;
        if name.starts_with('.') || SKIPPED_FOLDERS.contains(&name) {
            continue;
        }
        if path.is_dir() {
            // A link may lead back to a folder above it.
            if !path.is_symlink() {
                folders.push(path);
            }
            continue;
        }
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if path.is_file()
            && registry.by_extension(extension).is_some()
            && let Some(relative) = path.strip_prefix(root).ok().and_then(Path::to_str)
        {
            files.push(relative.to_owned());
        }
    }
    if depth > 0 {
        for folder in folders {
            // A folder further down that cannot be read only makes the listing shorter.
            let _ = collect(root, &folder, depth - 1, budget, registry, files);
        }
    }
    Ok(())
}

/// Collects the names of the packages and modules in a folder; those in a scope (`@scope`) with it.
fn names_in(folder: &Path, scope: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(SEEN) {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with(['.', '_'])) else {
            continue;
        };
        if name.starts_with('@') && scope.is_empty() {
            names_in(&entry.path(), &format!("{name}/"), names);
        } else {
            let stem = name.split_once('.').filter(|_| entry.path().is_file());
            names.push(format!("{scope}{}", stem.map_or(name, |(stem, _)| stem)));
        }
    }
}

/// Returns the folder of a path, or the first one above it that exists.
fn nearest_folder(path: &Path) -> PathBuf {
    let mut folders = path.ancestors().skip(1);
    folders.find(|folder| folder.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{
        locate, locate_file,
        tests::fixture::{folders, registry},
    };
    use super::*;

    fn message(files: &[&str], text: &str) -> String {
        let (parent, search) = folders(files);
        let error = locate(text, &search, &registry()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImportModule);
        error.message().replace(parent.path().to_str().unwrap(), "")
    }

    #[test]
    fn the_message_tells_what_was_tried_what_there_is_and_the_nearest_name() {
        assert_eq!(
            message(&["task/src/app.py", "task/src/other.lua", "task/x.txt"], "src/ap.run"),
            "Cannot find module 'src/ap'\n\
             looked for src/ap.{mjs,js,cjs,ts,py,lua}, src/ap/index.{mjs,js,cjs,ts}, \
             src/ap/__init__.py, src/ap/init.lua in '/task', then in '/opt'\n\
             found in '/task': src/app.py, src/other.lua\n\
             did you mean 'src/app.run'?"
        );
    }

    #[test]
    fn the_right_name_in_another_folder_is_offered() {
        let text = message(&["task/src/app.py", "task/apx.py"], "app.handler");
        assert!(text.ends_with("did you mean 'src/app.handler'?"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn what_has_the_name_and_is_no_file_is_told_and_not_offered() {
        use std::os::unix::fs::symlink;
        let (parent, search) = folders(&["task/folder.py/x.txt", "task/app.py"]);
        symlink("gone", search.task_root.join("link.py")).unwrap();
        symlink(".", search.task_root.join("round")).unwrap();
        for (text, told) in [
            ("folder.py", "\n'/task/folder.py' is a folder\nfound in '/task': app.py"),
            (
                "link.py:f",
                "\n'/task/link.py' is a link to a file that does not exist\nfound in '/task': app.py",
            ),
        ] {
            let error = locate(text, &search, &registry()).unwrap_err();
            let message = error.message().replace(parent.path().to_str().unwrap(), "");
            assert!(message.ends_with(told), "{message}");
        }
    }

    #[test]
    fn an_offer_has_the_form_of_what_was_written() {
        let text = message(&["task/app.py"], "App.py:run");
        assert!(text.ends_with("did you mean 'app.py:run'?"), "{text}");
        let begin = "Cannot find module 'App.py'\nlooked for App.py in '/task', then in '/opt'\n";
        assert!(text.starts_with(begin), "{text}");
        for (wrong, offered) in [("ap", "app.py"), ("ap.py", "app.py"), ("ap.py.run", "app.run")] {
            let text = message(&["task/app.py"], wrong);
            assert!(text.ends_with(&format!("did you mean '{offered}'?")), "{wrong} {text}");
        }
    }

    #[test]
    fn nothing_is_offered_when_nothing_is_near() {
        let text = message(&["task/zebra.py"], "app.handler");
        assert!(text.ends_with("found in '/task': zebra.py"), "{text}");
    }

    #[test]
    fn a_long_listing_is_cut() {
        let files: Vec<String> = (0..14).map(|n| format!("task/f{n:02}.py")).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let text = message(&files, "zebra.handler");
        assert!(text.ends_with("f09.py and 4 more"), "{text}");
    }

    #[test]
    fn the_nearest_package_or_module_is_offered_where_no_file_is_near() {
        let places = ["opt/nodejs/node_modules", "opt/python"];
        let offered = |text: &str| {
            let files = ["nodejs/node_modules/@a/apm-wrap/x.js", "python/wrapper.py"];
            let files = files.map(|file| format!("opt/{file}"));
            let (parent, search) = folders(&files.each_ref().map(String::as_str));
            let mut tried = Tried::default();
            let place = |place: &str| parent.path().join(place).display().to_string();
            tried.imported("js", places.map(place).to_vec());
            let roots = [search.task_root.clone(), search.layer_root.clone()];
            let written = Written::parse(text).unwrap();
            let error = error(&written, &tried, &roots, &search, &registry());
            error.message().rsplit_once('\n').unwrap().1.to_owned()
        };
        assert_eq!(offered("@a/apm-wrp.handler"), "did you mean '@a/apm-wrap.handler'?");
        assert_eq!(offered("wraper:run"), "did you mean 'wrapper:run'?");
        assert!(offered("zebra.f").contains("holds no handler file"));
    }

    #[test]
    fn an_empty_folder_is_told_with_the_extensions_that_would_do() {
        let text = message(&["task/app.rb"], "app.rb");
        assert!(
            text.starts_with("no engine of this build runs '.rb' files: '/task/app.rb'\n"),
            "{text}"
        );
        assert!(text.contains("this build runs .mjs .js .cjs .ts .py .lua"), "{text}");
    }

    #[test]
    fn a_task_root_that_is_missing_is_named_with_the_systems_reason() {
        let (_parent, mut search) = folders(&[]);
        search.task_root.push("gone");
        let error = locate("app.handler", &search, &registry()).unwrap_err();
        let expected = format!("cannot read the folder '{}': No such", search.task_root.display());
        assert!(error.message().contains(&expected), "{error}");
    }

    #[test]
    fn an_absolute_path_is_compared_with_what_stands_beside_it() {
        let (parent, search) = folders(&["home/handler.py"]);
        let path = parent.path().join("home/handlr");
        let error = locate_file(&path, "handle", &search, &registry()).unwrap_err();
        let expected =
            format!("did you mean '{}/home/handler.py:handle'?", parent.path().display());
        assert!(error.message().ends_with(&expected), "{error}");
    }
}
