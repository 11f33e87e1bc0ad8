//! What is told in the end: sizes beside Lambda's limits, and what was left out.

use crate::{
    doctor::{Sizes, UNPACKED_LIMIT, ZIPPED_LIMIT, shown_size},
    folder::{Contents, Entry, Kind},
};
use std::path::Path;

/// The lines of a summary.
pub(super) struct Summary {
    lines: Vec<String>,
    sizes: Sizes,
    files: usize,
    added: (usize, u64),
    /// What was left out, by reason.
    left_out: Vec<String>,
}

impl Summary {
    /// Begins the summary of a package with these entries, some of which were made for it.
    pub(super) fn new(contents: &Contents, layers: &[Contents], entries: &[Entry]) -> Self {
        let size = |entries: &[Entry]| entries.iter().map(Entry::size).sum::<u64>();
        let files = entries.iter().filter(|entry| entry.kind != Kind::Folder).count();
        let mut sizes = Sizes::of(contents, layers, None);
        let added = (files - contents.files(), size(entries) - contents.size());
        sizes.function += added.1;
        let left_out = contents.left_out.iter().map(|(reason, amount)| {
            let (files, size) = (counted(amount.files), shown_size(amount.bytes));
            format!("left out: {files} ({size}), {reason}, as {}", amount.example)
        });
        Self { lines: Vec::new(), sizes, files, added, left_out: left_out.collect() }
    }

    /// Tells of a zip file.
    pub(super) fn zip(&mut self, path: &Path, size: u64) {
        let (sizes, files) = (self.sizes, self.files);
        self.lines.push(format!(
            "{}: {}, {} of the {} for a direct upload; {sizes}",
            path.display(),
            counted(files),
            shown_size(size),
            shown_size(ZIPPED_LIMIT),
        ));
        if size > ZIPPED_LIMIT {
            self.warning(
                "too large for a direct upload: upload it to S3, and name it there".into(),
            );
        }
        if self.sizes.total() > UNPACKED_LIMIT {
            self.warning(
                "too large for Lambda: leave out more in .trineignore, or ship it as an image"
                    .into(),
            );
        }
    }

    /// Tells of an image and its layers.
    pub(super) fn image(
        &mut self,
        path: &Path,
        size: u64,
        layers: &[(String, u64)],
        has_base: bool,
    ) {
        let layers: Vec<String> =
            layers.iter().map(|(what, size)| format!("{what} {}", shown_size(*size))).collect();
        let size = shown_size(size);
        self.lines.push(format!("{}: {size}, layers: {}", path.display(), layers.join(", ")));
        if !has_base {
            let note = "without --base the image has no C library: run it over a root that has one";
            self.warning(note.to_owned());
        }
    }

    /// Tells of a file of a project.
    pub(super) fn file(&mut self, path: &Path) {
        self.lines.push(path.display().to_string());
    }

    /// Adds a line.
    pub(super) fn note(&mut self, text: String) {
        self.lines.push(format!("  {text}"));
    }

    /// Adds a line about what may go wrong.
    pub(super) fn warning(&mut self, text: String) {
        self.lines.push(format!("  warning: {text}"));
    }

    /// Returns the lines.
    pub(super) fn lines(mut self) -> Vec<String> {
        if self.added.0 > 0 {
            let (files, size) = (counted(self.added.0), shown_size(self.added.1));
            self.note(format!("{files} ({size}) of compiled code for faster starts"));
        }
        let left_out = std::mem::take(&mut self.left_out);
        left_out.into_iter().for_each(|text| self.note(text));
        self.lines
    }
}

fn counted(files: usize) -> String {
    match files {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    }
}
