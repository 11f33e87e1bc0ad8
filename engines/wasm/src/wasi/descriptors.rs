//! A guest's open files and folders, by their numbers.

use super::{
    errno::{Errno, Result},
    place::Folder,
};
use std::{collections::BTreeMap, fs::File, rc::Rc};
use trine_engine::Stream;

/// Maximum number of descriptors that a guest may have open.
const MOST: usize = 256;

/// A file that a guest has opened.
pub(super) struct OpenFile {
    pub(super) file: File,
    pub(super) reads: bool,
    pub(super) writes: bool,
}

/// A folder that a guest has opened.
pub(super) struct OpenFolder {
    pub(super) folder: Rc<Folder>,
    /// Whether it was open from the start.
    pub(super) is_given: bool,
    /// What was in it when the guest began to list it.
    pub(super) entries: Vec<Entry>,
}

/// An entry of a folder.
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) inode: u64,
    pub(super) kind: u8,
}

/// What a descriptor stands for.
pub(super) enum Descriptor {
    Input,
    Output(Stream),
    File(OpenFile),
    Folder(OpenFolder),
}

/// All descriptors of a guest.
pub(super) struct Descriptors(BTreeMap<u32, Descriptor>);

impl Descriptors {
    /// Makes input, outputs and the given folders.
    pub(super) fn new(folders: &[Rc<Folder>]) -> Self {
        let standard = [
            Descriptor::Input,
            Descriptor::Output(Stream::Stdout),
            Descriptor::Output(Stream::Stderr),
        ];
        let folders = folders.iter().map(|folder| {
            let (folder, entries) = (folder.clone(), Vec::new());
            Descriptor::Folder(OpenFolder { folder, is_given: true, entries })
        });
        Self((0..).zip(standard.into_iter().chain(folders)).collect())
    }

    pub(super) fn get(&self, number: u32) -> Result<&Descriptor> {
        self.0.get(&number).ok_or(Errno::BadDescriptor)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Result<&mut Descriptor> {
        self.0.get_mut(&number).ok_or(Errno::BadDescriptor)
    }

    pub(super) fn file(&self, number: u32) -> Result<&OpenFile> {
        match self.get(number)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Folder(_) => Err(Errno::IsDirectory),
            _ => Err(Errno::NoSeek),
        }
    }

    pub(super) fn folder(&self, number: u32) -> Result<Rc<Folder>> {
        match self.get(number)? {
            Descriptor::Folder(open) => Ok(open.folder.clone()),
            _ => Err(Errno::NotDirectory),
        }
    }

    /// Adds a descriptor under the lowest number that is free.
    pub(super) fn add(&mut self, descriptor: Descriptor) -> Result<u32> {
        let free = (0..).find(|number| !self.0.contains_key(number));
        let free = free.filter(|_| self.0.len() < MOST).ok_or(Errno::TooManyOpen)?;
        self.0.insert(free, descriptor);
        Ok(free)
    }

    pub(super) fn close(&mut self, number: u32) -> Result<()> {
        self.0.remove(&number).map(drop).ok_or(Errno::BadDescriptor)
    }

    /// Gives a descriptor the number of another one, which is closed.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<()> {
        self.get(to)?;
        let descriptor = self.0.remove(&from).ok_or(Errno::BadDescriptor)?;
        self.0.insert(to, descriptor);
        Ok(())
    }
}
