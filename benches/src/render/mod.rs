//! The presentation of results: a page of tables, plots, and the README's section. All of it follows from a record
//! alone, so that a test can say whether what is shown is what was measured.

mod canvas;
mod compare;
mod format;
mod page;
mod plots;
mod section;
mod table;
mod text;

pub use section::{BEGIN, END, splice};

use crate::record::Record;
use anyhow::Context;
use std::{fs, io::ErrorKind, path::Path};

/// Everything that is shown of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The page of results, in Markdown.
    pub page: String,
    /// The text between the README's markers, in Markdown.
    pub section: String,
    /// The plots: file names and SVG documents. `None` stands for a plot of what was not measured.
    pub plots: Vec<(&'static str, Option<String>)>,
}

/// Renders a record.
///
/// # Errors
/// When a plot cannot be drawn.
pub fn render(record: &Record) -> anyhow::Result<Rendered> {
    let plots = plots::all(record)?;
    let svg = |file| plots.iter().find(|plot| plot.file == file).map(|plot| plot.svg.clone());
    Ok(Rendered {
        page: text::wrap(&page::page(record, &plots)),
        section: text::wrap(&section::section(record, &plots)),
        plots: plots::FILES.map(|file| (file, svg(file))).to_vec(),
    })
}

/// Renders a record into the results folder and the README's section.
///
/// # Errors
/// When a file cannot be written, or the README has no place for the section.
pub fn run(record: &Record, results: &Path, readme: &Path) -> anyhow::Result<()> {
    let rendered = render(record)?;
    let whole =
        fs::read_to_string(readme).with_context(|| format!("cannot read {}", readme.display()))?;
    let whole = splice(&whole, &rendered.section)?;
    fs::create_dir_all(results).with_context(|| format!("cannot make {}", results.display()))?;
    write(&results.join("README.md"), &rendered.page)?;
    for (file, svg) in &rendered.plots {
        match svg {
            Some(svg) => write(&results.join(file), svg)?,
            // Files of an earlier record must not remain next to this one's page.
            None => remove(&results.join(file))?,
        }
    }
    write(readme, &whole)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}
