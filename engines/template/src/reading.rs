//! The files of a project while they are read: each is opened here, and notes are collected here.

use crate::{
    error::{Fault, Place, ReadError},
    inputs::Inputs,
    node::Node,
    project::Note,
    toml, yaml,
};
use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::Read,
    path::{Component, Path, PathBuf},
    rc::Rc,
};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 5 * 1024 * 1024;

/// The most files that a project may consist of.
const MOST_FILES: usize = 1000;

/// The longest message that is shown as it is, in bytes.
const LONGEST_MESSAGE: usize = 1000;

/// The most bytes of texts that are put together of others, and the most values that are looked at on the way.
const MOST_WORK: usize = 64 * 1024 * 1024;

/// The files that have been read, and what is to be said about them.
pub(crate) struct Reading<'i> {
    pub(crate) inputs: &'i Inputs,
    /// The folder of the project's file, absolute.
    pub(crate) folder: PathBuf,
    /// Files by their number in places; the project's own is the first.
    files: Vec<PathBuf>,
    known: HashMap<PathBuf, Rc<Node>>,
    /// Notes with the numbers of their files.
    notes: Vec<(u16, Note)>,
    told: HashSet<(Place, String)>,
    work: usize,
}

/// The place of a file as a whole.
fn whole(file: u16) -> Place {
    Place { file, line: 0, column: 0 }
}

impl<'i> Reading<'i> {
    /// Begins with a project's file, which is not opened yet.
    pub(crate) fn new(path: &Path, inputs: &'i Inputs) -> Self {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = absolute.parent().unwrap_or(Path::new("/")).to_owned();
        let files = vec![path.to_owned()];
        let (known, notes, told) = (HashMap::new(), Vec::new(), HashSet::new());
        Self { inputs, folder, files, known, notes, told, work: 0 }
    }

    /// Returns the project's file.
    pub(crate) fn file(&self) -> &Path {
        &self.files[0]
    }

    /// Returns a path of the file's as an absolute one, without `.` and, where that needs no look at links, `..`.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        let mut path = PathBuf::new();
        for part in self.folder.join(written).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir if path.file_name().is_some() => {
                    path.pop();
                }
                Component::ParentDir => {}
                part => path.push(part),
            }
        }
        path
    }

    /// Reads the project's file as a text.
    pub(crate) fn text(&self) -> Result<String, Fault> {
        text(self.file(), whole(0))
    }

    /// Reads another file of the project's. `place` names it.
    pub(crate) fn node(&mut self, written: &str, place: Place) -> Result<Rc<Node>, Fault> {
        let path = self.path(written);
        if let Some(node) = self.known.get(&path) {
            return Ok(Rc::clone(node));
        }
        let number = u16::try_from(self.files.len()).ok();
        let Some(file) = number.filter(|number| usize::from(*number) < MOST_FILES) else {
            let message = format!("the project has more than {MOST_FILES} files");
            return Err(Fault::at(place, message));
        };
        let shown = self.file().parent().unwrap_or(Path::new("")).join(written);
        self.files.push(shown);
        let text = text(&path, whole(file)).map_err(|fault| {
            Fault::at(place, format!("cannot read '{written}': {}", fault.message))
        })?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let node = match extension {
            Some("yml" | "yaml" | "json") => yaml::read(&text, file)?,
            Some("toml") => toml::read(&text, file)?,
            _ => Node::scalar(whole(file), text),
        };
        self.known.insert(path, Rc::clone(&node));
        Ok(node)
    }

    /// Counts work, so that a small file cannot ask for a lot of it.
    pub(crate) fn spend(&mut self, place: Place, work: usize) -> Result<(), Fault> {
        self.work = self.work.saturating_add(work);
        if self.work > MOST_WORK {
            return Err(Fault::at(place, "the file's values stand for too much text"));
        }
        Ok(())
    }

    /// Notes something at a place, once.
    pub(crate) fn note(&mut self, place: Place, what: impl Into<String>, why: impl Into<String>) {
        let what = short(what.into());
        if !self.told.insert((place, what.clone())) {
            return;
        }
        let file = self.files[usize::from(place.file)].clone();
        let note = Note { file, line: line(place), what, why: short(why.into()) };
        self.notes.push((place.file, note));
    }

    /// Returns the notes, in the order of the files.
    pub(crate) fn into_notes(self) -> Vec<Note> {
        let mut notes = self.notes;
        notes.sort_by_key(|(file, note)| (*file, note.line));
        notes.into_iter().map(|(_, note)| note).collect()
    }

    /// Gives a fault the name of its file.
    pub(crate) fn error(&self, fault: Fault) -> ReadError {
        let Fault { place, message } = fault;
        let number = |value: u32| (value > 0).then_some(value as usize);
        ReadError {
            file: self.files[usize::from(place.file)].clone(),
            line: number(place.line),
            column: number(place.column),
            message: short(message),
        }
    }
}

/// Returns a place's line, counted from 1.
pub(crate) fn line(place: Place) -> usize {
    place.line.max(1) as usize
}

/// Returns a message without the middle of what somebody wrote at length.
fn short(message: String) -> String {
    if message.len() <= LONGEST_MESSAGE {
        return message;
    }
    let (start, end) =
        (message.ceil_char_boundary(300), message.floor_char_boundary(message.len() - 300));
    format!("{} … {}", &message[..start], &message[end..])
}

fn text(path: &Path, whole: Place) -> Result<String, Fault> {
    let fail = |error: std::io::Error| Fault::at(whole, error.to_string().to_lowercase());
    let file = File::open(path).map_err(fail)?;
    if !file.metadata().map_err(fail)?.is_file() {
        return Err(Fault::at(whole, "this is a folder or a device: name a file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > LARGEST {
        let message = "the file is larger than 5 MiB: no project's file is of this size";
        return Err(Fault::at(whole, message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let last = text.rsplit('\n').next().unwrap_or_default();
        let place = Place {
            file: whole.file,
            line: number(text.matches('\n').count() + 1),
            column: number(last.chars().count() + 1),
        };
        Fault::at(place, "this is no UTF-8: save the file in that encoding")
    })
}
