//! The languages of new projects: a table of what the files of each are called and hold. Which of them a build has is up to
//! its engines.

use crate::engines::Registry;
use std::sync::Arc;
use trine_engine::Engine;

/// A language of projects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Language {
    /// The name by which people ask for it: `ts`.
    pub(crate) id: &'static str,
    /// Other names for it.
    pub(crate) aliases: &'static [&'static str],
    /// The id of the engine that runs it.
    pub(crate) engine: &'static str,
    /// The name as people write it.
    pub(crate) name: &'static str,
    /// The extension of its files, without the dot.
    pub(crate) extension: &'static str,
    /// A function that answers an event and an HTTP request.
    pub(super) handler: &'static str,
    /// A function that answers HTTP requests by method and path.
    pub(super) web: &'static str,
    /// A middleware with hooks before and after.
    pub(super) middleware: &'static str,
    /// Further files with their paths.
    pub(super) others: &'static [(&'static str, &'static str)],
    /// The text of `.gitignore`.
    pub(super) ignored: &'static str,
}

/// All languages of projects.
pub(crate) const LANGUAGES: &[Language] = &[
    Language {
        id: "ts",
        aliases: &["typescript"],
        engine: "js",
        name: "TypeScript",
        extension: "ts",
        handler: include_str!("templates/ts/handler.ts"),
        web: include_str!("templates/ts/web.ts"),
        middleware: include_str!("templates/ts/middleware.ts"),
        others: &[
            ("package.json", include_str!("templates/ts/package.json")),
            ("tsconfig.json", include_str!("templates/ts/tsconfig.json")),
        ],
        ignored: "node_modules/\n.trine-cache/\n*.zip\n",
    },
    Language {
        id: "js",
        aliases: &["javascript"],
        engine: "js",
        name: "JavaScript",
        extension: "mjs",
        handler: include_str!("templates/js/handler.mjs"),
        web: include_str!("templates/js/web.mjs"),
        middleware: include_str!("templates/js/middleware.mjs"),
        others: &[("jsconfig.json", include_str!("templates/js/jsconfig.json"))],
        ignored: "node_modules/\n.trine-cache/\n*.zip\n",
    },
    Language {
        id: "python",
        aliases: &["py"],
        engine: "python",
        name: "Python",
        extension: "py",
        handler: include_str!("templates/python/handler.py"),
        web: include_str!("templates/python/web.py"),
        middleware: include_str!("templates/python/middleware.py"),
        others: &[("pyrightconfig.json", include_str!("templates/python/pyrightconfig.json"))],
        ignored: "__pycache__/\n.venv/\npackage/\n*.zip\n",
    },
    Language {
        id: "lua",
        aliases: &[],
        engine: "lua",
        name: "Lua",
        extension: "lua",
        handler: include_str!("templates/lua/handler.lua"),
        web: include_str!("templates/lua/web.lua"),
        middleware: include_str!("templates/lua/middleware.lua"),
        others: &[(".luarc.json", include_str!("templates/lua/luarc.json"))],
        ignored: "*.zip\n",
    },
];

impl Language {
    /// Returns the language of this id, or of this other name for it.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.id == name || language.aliases.contains(&name))
    }

    /// Returns the engine that runs it, where this build has one.
    pub(crate) fn engine_of<'r>(&self, registry: &'r Registry) -> Option<&'r Arc<dyn Engine>> {
        registry.iter().find(|engine| engine.info().id == self.engine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_has_a_language_of_projects_and_runs_its_files() {
        let registry = Registry::built_in();
        // Projects are not begun in what commonly lies beside other code.
        for engine in registry.iter().filter(|engine| !engine.info().yields) {
            let info = engine.info();
            let mut own = LANGUAGES.iter().filter(|language| language.engine == info.id).peekable();
            assert!(own.peek().is_some(), "no project can be made in {}", info.name);
            for language in own {
                assert!(info.extensions.contains(&language.extension), "{}", language.id);
                assert!(!engine.types().is_empty(), "{} has no types", language.id);
            }
        }
    }

    #[test]
    fn every_name_means_one_language() {
        let mut names: Vec<&str> = LANGUAGES
            .iter()
            .flat_map(|language| language.aliases.iter().copied().chain([language.id]))
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(Language::named("py"), Language::named("python"));
        assert_eq!(Language::named("ruby"), None);
    }
}
