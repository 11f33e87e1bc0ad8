//! `[[static]]`: folders whose files are served as they are.

use super::{
    document::{Entry, Fault, Placed},
    routes,
};
use crate::http::{files::StaticFolder, route::Route};
use http::HeaderValue;
use std::{
    fs,
    path::{Component, Path, PathBuf},
};
use trine_engine::nearest;

/// The file that stands for a folder where nothing else is set.
const INDEX: &str = "index.html";

/// Reads the folders, each with its line. Relative ones begin at `base`, the folder that is served.
pub(super) fn read(
    entries: Vec<Entry>,
    base: &Path,
    faults: &mut Vec<Fault>,
) -> Vec<(StaticFolder, usize)> {
    let mut known: Vec<(StaticFolder, usize)> = Vec::new();
    for mut entry in entries {
        let (path, folder) = (entry.text("path"), entry.text("folder"));
        let (index, fallback) = (entry.text("index"), entry.text("fallback"));
        let cache_control = entry.text("cache-control");
        entry.end();
        // Without one of them, that has been told.
        let (Some(path), Some(folder)) = (path, folder) else { continue };
        let made = parts(&path, &folder, base).and_then(|(segments, folder)| {
            let same = |(other, _): &&(StaticFolder, usize)| other.segments == segments;
            if let Some((_, first)) = known.iter().find(same) {
                let message =
                    format!("the path {:?} has a folder in line {first} already", path.value);
                return Err(Fault { line: path.line, message });
            }
            Ok(StaticFolder {
                path: path.value.clone(),
                segments,
                index: index.map_or_else(|| Ok(Some(INDEX.to_owned())), index_of)?,
                cache_control: cache_control.map(header).transpose()?,
                fallback: fallback.map(|file| fallback_of(&file, &folder)).transpose()?,
                folder,
            })
        });
        match made {
            Ok(made) => known.push((made, path.line)),
            Err(fault) => faults.push(fault),
        }
    }
    known
}

fn parts(
    path: &Placed<String>,
    folder: &Placed<String>,
    base: &Path,
) -> Result<(Vec<String>, PathBuf), Fault> {
    routes::check_spelling(path)?;
    let wrong = |line, message| Err(Fault { line, message });
    let segments = match Route::declared("ANY", &path.value, 0).map(|route| route.texts()) {
        Ok(Some(segments)) => segments,
        Ok(None) => {
            let message = format!(
                "the path {:?} has a parameter: write what the paths of all files of the folder begin with",
                path.value
            );
            return wrong(path.line, message);
        }
        Err(why) => return wrong(path.line, why),
    };
    let named = base.join(&folder.value);
    let found = match fs::canonicalize(&named) {
        Ok(found) if found.is_dir() => found,
        Ok(_) => return wrong(folder.line, format!("folder = {:?}: it is a file", folder.value)),
        Err(e) => {
            let mut message = format!("folder = {:?}: {e}", folder.value);
            if let Some(near) = near(&named) {
                message.push_str(&format!("; did you mean '{near}'?"));
            }
            return wrong(folder.line, message);
        }
    };
    if fs::canonicalize(base).is_ok_and(|base| base.starts_with(&found)) {
        let message = format!(
            "folder = {:?}: the functions are in it, and everybody could read them; put the files into a \
             folder of their own",
            folder.value
        );
        return wrong(folder.line, message);
    }
    Ok((segments, found))
}

/// Returns the name of the folder beside a missing one that is most like it.
fn near(missing: &Path) -> Option<String> {
    let entries = fs::read_dir(missing.parent()?).ok()?.flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names: Vec<String> =
        folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    nearest(missing.file_name()?.to_str()?, &names).map(str::to_owned)
}

fn index_of(index: Placed<String>) -> Result<Option<String>, Fault> {
    let name = index.value;
    if name.contains('/') || name == ".." || name == "." {
        let message = format!("index = {name:?}: use the name of a file, without a folder");
        return Err(Fault { line: index.line, message });
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}

fn header(text: Placed<String>) -> Result<HeaderValue, Fault> {
    HeaderValue::from_str(&text.value).map_err(|_| {
        let message = format!("cache-control = {:?}: no header can have this value", text.value);
        Fault { line: text.line, message }
    })
}

fn fallback_of(file: &Placed<String>, folder: &Path) -> Result<PathBuf, Fault> {
    let wrong = |why: &str| {
        Err(Fault { line: file.line, message: format!("fallback = {:?}: {why}", file.value) })
    };
    let path = Path::new(&file.value);
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return wrong("use a file of the folder, as seen from there");
    }
    match folder.join(path) {
        whole if whole.is_file() => Ok(path.to_owned()),
        _ => wrong("the folder has no such file"),
    }
}
