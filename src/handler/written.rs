//! A handler string taken apart: what was written, and what each engine reads in it.

use crate::engines::Registry;
use trine_engine::{EngineInfo, Error, ErrorKind, Result};

/// A handler string with a valid form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// The part before the colon, or the whole text.
    pub(super) file: &'a str,
    /// The part after the colon.
    pub(super) export: Option<&'a str>,
}

/// One thing that a handler string may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// Path of the file without its extension, relative to a search path or absolute.
    pub(super) stem: String,
    /// The module as it was written, which is the stem unless its folders were separated by dots.
    pub(super) name: String,
    /// The function's name in the module; `None` where the text names none.
    pub(super) export: Option<String>,
}

impl<'a> Written<'a> {
    /// Checks the text's form; what it means is settled later, by the files that exist.
    pub(super) fn parse(text: &'a str) -> Result<Self> {
        let malformed = |why: String| Err(Error::new(ErrorKind::MalformedHandler, why));
        if text.trim().is_empty() {
            return malformed(
                "the handler name is empty: write it as 'app.handler' or 'app.py:handler'".into(),
            );
        }
        if text.contains("..") {
            return malformed(format!(
                "'{text}' is not a valid handler name. Use absolute paths when specifying root \
                 directories in handler names."
            ));
        }
        if let Some(odd) = text.chars().find(|c| c.is_control()) {
            return malformed(format!(
                "{text:?} is not a valid handler name: it contains the control character {odd:?}"
            ));
        }
        let base = base_of(text);
        let (file, export) = match base.rfind(':') {
            Some(colon) => {
                let colon = text.len() - base.len() + colon;
                (&text[..colon], Some(&text[colon + 1..]))
            }
            None => (text, None),
        };
        let base = base_of(file);
        if base.is_empty() || base.starts_with('.') {
            return malformed(format!(
                "'{text}' is not a valid handler name: it names no file in front of the export"
            ));
        }
        if base.ends_with('.') || export.is_some_and(str::is_empty) {
            return malformed(format!(
                "'{text}' is not a valid handler name: it ends where the export should stand"
            ));
        }
        Ok(Self { text, file, export })
    }

    /// Whether it looks like a file's name alone: `src/app.py`, where an engine runs such files.
    pub(super) fn is_like_a_file(&self, registry: &Registry) -> bool {
        self.export.is_none() && self.has_known_extension(registry)
    }

    /// Whether the file part ends in an extension that some engine runs.
    pub(super) fn has_known_extension(&self, registry: &Registry) -> bool {
        self.extension().is_some_and(|extension| registry.by_extension(extension).is_some())
    }

    /// Returns the extension that the file part carries, if it has a dot: `py` of `src/app.py`.
    pub(super) fn extension(&self) -> Option<&'a str> {
        base_of(self.file).rsplit_once('.').map(|(_, extension)| extension)
    }

    /// Returns what the text may mean to an engine, the likeliest first.
    pub(super) fn readings(&self, engine: &EngineInfo) -> Vec<Reading> {
        let (stem, export) = match (self.export, self.split(engine)) {
            (Some(export), _) => (self.file, Some(export)),
            (None, Some((stem, export))) => (stem, Some(export)),
            (None, None) => (self.file, None),
        };
        let reading = |path: String| Reading {
            stem: path,
            name: stem.to_owned(),
            export: export.map(str::to_owned),
        };
        let mut readings = vec![reading(stem.to_owned())];
        // `src.app.handler`: where the last dot separates the export, dots before it may separate folders.
        let base = base_of(stem);
        if !engine.splits_at_first_dot && base.contains('.') {
            let folder = &stem[..stem.len() - base.len()];
            readings.push(reading(format!("{folder}{}", base.replace('.', "/"))));
        }
        readings
    }

    fn split(&self, engine: &EngineInfo) -> Option<(&'a str, &'a str)> {
        let base = base_of(self.file);
        let dot = if engine.splits_at_first_dot { base.find('.') } else { base.rfind('.') }?;
        let dot = self.file.len() - base.len() + dot;
        Some((&self.file[..dot], &self.file[dot + 1..]))
    }
}

/// Returns the part of a path after its last slash.
pub(super) fn base_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, base)| base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::tests::fixture::{first_dot, last_dot};

    fn read(text: &str, engine: &EngineInfo) -> Vec<(String, String)> {
        let written = Written::parse(text).unwrap();
        let readings = written.readings(engine).into_iter();
        readings.map(|r| (r.stem, r.export.unwrap_or_default())).collect()
    }

    #[test]
    fn engines_split_lambdas_form_each_at_their_own_dot() {
        assert_eq!(read("a.b/app.v2.get", &first_dot()), [("a.b/app".into(), "v2.get".into())]);
        assert_eq!(
            read("src/app.v2.get", &last_dot()),
            [("src/app.v2".into(), "get".into()), ("src/app/v2".into(), "get".into())]
        );
    }

    #[test]
    fn dots_may_separate_folders_where_the_last_dot_separates_the_export() {
        let written = Written::parse("src.app.handler").unwrap();
        let readings = written.readings(&last_dot());
        assert_eq!(readings[1].stem, "src/app");
        assert_eq!(readings[1].name, "src.app");
    }

    #[test]
    fn a_colon_separates_file_and_export_whatever_dots_there_are() {
        let written = Written::parse("src/app.mjs:api.get").unwrap();
        assert_eq!((written.file, written.export), ("src/app.mjs", Some("api.get")));
        assert_eq!(written.extension(), Some("mjs"));
        assert_eq!(read("a/app:f", &first_dot()), [("a/app".into(), "f".into())]);
    }

    #[test]
    fn a_bare_name_names_no_export() {
        assert_eq!(read("a.b/app", &first_dot()), [("a.b/app".into(), String::new())]);
        assert_eq!(read("app", &last_dot()), [("app".into(), String::new())]);
    }

    #[test]
    fn two_dots_are_refused_in_nodes_words() {
        let error = Written::parse("../app.handler").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedHandler);
        assert_eq!(
            error.message(),
            "'../app.handler' is not a valid handler name. Use absolute paths when specifying root \
             directories in handler names."
        );
    }

    #[test]
    fn texts_without_module_or_export_are_malformed() {
        for text in ["", "  ", ".handler", "src/", "src/.handler", "app.", "app.py:", ":f", "a\n.b"]
        {
            let error = Written::parse(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::MalformedHandler, "{text:?}");
        }
    }
}
