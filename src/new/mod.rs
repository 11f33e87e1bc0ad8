//! New projects: the files with which a function begins, the names that it may have, the folder that it is made in.

mod folder;
mod language;
mod name;

pub(crate) use folder::make;
pub(crate) use language::{LANGUAGES, Language};
pub(crate) use name::{check, derived};

use std::path::PathBuf;
use trine_engine::TypeFile;

/// The folder for types: hidden, so that a server does not take it for a function's.
pub(crate) const TYPES_FOLDER: &str = ".trine";

/// The reason why a project cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum NewError {
    /// A name that no function can have.
    #[error("the name {name:?} {why}")]
    Name {
        /// The name as it was given.
        name: String,
        /// The rest of the sentence.
        why: String,
    },
    /// A folder with something in it.
    #[error(
        "the folder {} is not empty: it has {contents}; choose another name, or empty it",
        .folder.display()
    )]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// What is in it, in words.
        contents: String,
    },
    /// Something that is no folder where the folder should be.
    #[error("{} exists and is no folder; choose another name", .0.display())]
    NoFolder(PathBuf),
    /// A file or folder that cannot be made or read.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was tried: `make`, `read`.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What a project is to have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Project<'a> {
    /// Its name, which [`check`] has found good.
    pub(crate) name: &'a str,
    /// The language of its files.
    pub(crate) language: &'a Language,
    /// The types of that language.
    pub(crate) types: &'a [TypeFile],
    /// Whether it has a middleware, which has the project's name.
    pub(crate) middleware: bool,
    /// Whether its function answers HTTP requests alone.
    pub(crate) web: bool,
}

/// A file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectFile {
    /// The path below the project's folder, with slashes.
    pub(crate) path: String,
    /// The text.
    pub(crate) text: String,
}

impl Project<'_> {
    /// Returns the file of its function.
    pub(crate) fn handler(&self) -> String {
        format!("handler.{}", self.language.extension)
    }

    /// Returns all files, the function's first.
    pub(crate) fn files(&self) -> Vec<ProjectFile> {
        let language = self.language;
        let (code, event, expected) = match self.web {
            true => (
                language.web,
                include_str!("templates/events/web.json"),
                include_str!("templates/events/web.expected.json"),
            ),
            false => (
                language.handler,
                include_str!("templates/events/hello.json"),
                include_str!("templates/events/hello.expected.json"),
            ),
        };
        let mut files = vec![
            (self.handler(), code),
            ("events/hello.json".to_owned(), event),
            ("events/hello.expected.json".to_owned(), expected),
        ];
        if self.middleware {
            let path = format!("middlewares/{}.{}", self.name, language.extension);
            files.push((path, language.middleware));
            files.push(("trine.toml".to_owned(), include_str!("templates/trine.toml")));
        }
        files.extend(language.others.iter().map(|(path, text)| ((*path).to_owned(), *text)));
        files.push(("README.md".to_owned(), include_str!("templates/README.md")));
        files.push((".gitignore".to_owned(), language.ignored));
        let types =
            self.types.iter().map(|file| (format!("{TYPES_FOLDER}/{}", file.name), file.text));
        // Types are as the engine has them, whatever they hold.
        let filled = files.into_iter().map(|(path, text)| (path, self.filled(text)));
        let types = types.map(|(path, text)| (path, text.to_owned()));
        filled.chain(types).map(|(path, text)| ProjectFile { path, text }).collect()
    }

    /// Returns a template with what is this project's own in it.
    fn filled(&self, template: &str) -> String {
        let (middlewares, lambda) = match self.middleware {
            true => (
                format!(" --middlewares {}", self.name),
                format!(
                    "; the variable `TRINE_MIDDLEWARES={}` puts the middleware around it there",
                    self.name
                ),
            ),
            false => Default::default(),
        };
        let curl = match self.web {
            true => "curl localhost:9000/greetings/Ada",
            false => "curl 'localhost:9000/?name=Ada'",
        };
        [
            ("{{name}}", self.name),
            ("{{package}}", &self.name.to_lowercase()),
            ("{{language}}", self.language.name),
            ("{{file}}", &self.handler()),
            ("{{middlewares}}", &middlewares),
            ("{{lambda}}", &lambda),
            ("{{curl}}", curl),
        ]
        .into_iter()
        .fold(template.to_owned(), |text, (mark, value)| text.replace(mark, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_is_left_in_any_file_of_any_project() {
        for language in LANGUAGES {
            for (middleware, web) in [(false, false), (true, false), (false, true), (true, true)] {
                let project = Project { name: "Cart", language, types: &[], middleware, web };
                let files = project.files();
                assert!(files.iter().any(|file| file.path == project.handler()));
                assert_eq!(files.iter().any(|file| file.path == "trine.toml"), middleware);
                for file in files {
                    assert!(!file.text.contains("{{"), "{}: {}", file.path, file.text);
                    assert!(
                        file.text.ends_with('\n') && !file.text.ends_with("\n\n"),
                        "{}",
                        file.path
                    );
                }
            }
        }
    }

    #[test]
    fn types_stay_as_they_are() {
        let types = [TypeFile { name: "a.d.ts", text: "type A = {{name}};\n" }];
        let language = Language::named("ts").unwrap();
        let project =
            Project { name: "cart", language, types: &types, middleware: false, web: false };
        let last = project.files().pop().unwrap();
        assert_eq!((last.path.as_str(), last.text.as_str()), (".trine/a.d.ts", types[0].text));
    }
}
