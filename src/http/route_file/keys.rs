//! The keys that `trine.toml` has, with the values that each of them takes. The reader and the schema for editors both go
//! by these lists.

use super::trigger_keys::TRIGGER;
use crate::{
    config::{CountForm, MEMORY, SizeForm, TIMEOUT, TimeForm},
    http::options::{MOST_CONCURRENT, MOST_THREADS},
};
use trine_engine::Access;

/// A list of tables of the file: what `[[function]]` and its like may hold.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) struct Table {
    /// Its name, between two brackets each.
    pub(super) name: &'static str,
    /// Its purpose, for editors.
    pub(super) about: &'static str,
    pub(super) keys: &'static [Key],
    /// The keys of which it has exactly one; none where there is no such choice.
    pub(super) one_of: &'static [&'static str],
}

/// A key of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Another spelling of it.
    pub(super) alias: Option<&'static str>,
    pub(super) kind: Kind,
    pub(super) required: bool,
    /// The kinds of tables that have it; none where all have.
    pub(super) kinds: &'static [&'static str],
    /// Its purpose, for editors.
    pub(super) about: &'static str,
}

/// The values that a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// The name of an [`EventFormat`](crate::http::EventFormat).
    Format,
    /// The name of a [`trine_engine::Interface`].
    Interface,
    /// A list of texts.
    Texts,
    /// A text, or a list of texts.
    OneOrMore,
    /// `true` or `false`.
    Truth,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// One of [`METHODS`], or a list of them.
    Methods,
    /// A whole number.
    Count(CountForm),
    /// A length of time.
    Time(TimeForm),
    /// A size.
    Size(SizeForm),
    /// A table of environment variables.
    Variables,
    /// Whose tokens let requests in: a table, or `false`; see `auth/settings.rs`.
    Auth,
    /// Whether, `true` or `false`.
    Flag,
    /// How much of a kind of access: `true`, `false`, a text or a list of texts.
    Extent(Access),
    /// Anything.
    Anything,
}

impl Key {
    pub(super) const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, alias: None, kind, required: false, kinds: &[], about }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Makes it one that only tables of these kinds have.
    pub(super) const fn of(self, kinds: &'static [&'static str]) -> Self {
        Self { kinds, ..self }
    }

    const fn or(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }

    /// Whether tables of a kind have it. Of a table whose kind is not known, all keys may be its.
    pub(super) fn is_of(&self, kind: Option<&str>) -> bool {
        self.kinds.is_empty() || kind.is_none_or(|kind| self.kinds.contains(&kind))
    }

    /// Returns its spellings, the usual one first.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.alias)
    }
}

/// The methods that a route may name: those of HTTP and WebDAV, and `PURGE`, which caches know.
pub(super) const METHODS: &[&str] = &[
    "ANY",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "QUERY",
    "ACL",
    "COPY",
    "LOCK",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "REPORT",
    "SEARCH",
    "UNLOCK",
];

/// `[[function]]`.
pub(super) const FUNCTION: Table = Table {
    name: "function",
    about: "The settings of one function. They go before those of the server.",
    one_of: &[],
    keys: &[
        Key::new(
            "name",
            Kind::Text,
            "The function: its name in the folder, or the handler string of a route.",
        )
        .required(),
        Key::new(
            "env",
            Kind::Variables,
            "Environment variables of the function, on top of the process's.",
        ),
        Key::new(
            "timeout",
            Kind::Time(TIMEOUT),
            "The time that an invocation may take: 30s, 500ms, 5m; a number alone is seconds.",
        ),
        Key::new(
            "memory",
            Kind::Size(MEMORY),
            "The memory that its interpreter may take: 512MiB, 1GB; a number alone is MiB. For \
             languages with a limit of their own.",
        ),
        Key::new(
            "middlewares",
            Kind::Texts,
            "The middlewares around the function, outermost first, in the place of those that the \
             server has been given.",
        ),
        Key::new(
            "concurrency",
            Kind::Count(CountForm { least: 1, most: MOST_CONCURRENT }),
            "Invocations of the function in flight in each worker.",
        ),
        Key::new(
            "threads",
            Kind::Count(CountForm { least: 1, most: MOST_THREADS }),
            "Threads for the function, where its language has one interpreter and it holds its \
             thread.",
        ),
        Key::new("event-format", Kind::Format, "The form of its events and results.")
            .or("event_format"),
        Key::new(
            "interface",
            Kind::Interface,
            "How its handler is called, where that cannot be told: with events, or as a web application.",
        ),
        AUTH,
        ALLOW_ALL,
        PERMISSIONS[0].0,
        PERMISSIONS[0].1,
        PERMISSIONS[1].0,
        PERMISSIONS[1].1,
        PERMISSIONS[2].0,
        PERMISSIONS[2].1,
        PERMISSIONS[3].0,
        PERMISSIONS[3].1,
        PERMISSIONS[4].0,
        PERMISSIONS[4].1,
        PERMISSIONS[5].0,
        PERMISSIONS[5].1,
    ],
};

/// What lets a function do everything that is not denied.
pub(super) const ALLOW_ALL: Key = Key::new(
    "allow-all",
    Kind::Flag,
    "Whether it may do everything that is not denied, whatever the server lets functions do.",
);

/// What lets a function do something, and what does not, by kind of access. Any of these stands for all of what the server
/// lets functions do.
pub(super) const PERMISSIONS: [(Key, Key); 6] = [
    (
        extent(
            "allow-net",
            Access::Net,
            "The hosts that it may connect to or listen on: true for all, or a list such as [\"example.com:443\"].",
        ),
        extent(
            "deny-net",
            Access::Net,
            "The hosts that it may not connect to or listen on, whatever is allowed.",
        ),
    ),
    (
        extent(
            "allow-read",
            Access::Read,
            "The files and folders that it may read, beside its code: true for all, or a list of paths as seen from its folder.",
        ),
        extent(
            "deny-read",
            Access::Read,
            "The files and folders that it may not read, whatever is allowed.",
        ),
    ),
    (
        extent(
            "allow-write",
            Access::Write,
            "The files and folders that it may write: true for all, or a list of paths as seen from its folder.",
        ),
        extent(
            "deny-write",
            Access::Write,
            "The files and folders that it may not write, whatever is allowed.",
        ),
    ),
    (
        extent(
            "allow-env",
            Access::Env,
            "The environment variables that it sees: true for all, or a list such as [\"HOME\", \"AWS_*\"].",
        ),
        extent(
            "deny-env",
            Access::Env,
            "The environment variables that it does not see, whatever is allowed.",
        ),
    ),
    (
        extent(
            "allow-run",
            Access::Run,
            "The programs that it may run: true for all, or a list of names and paths.",
        ),
        extent("deny-run", Access::Run, "The programs that it may not run, whatever is allowed."),
    ),
    (
        extent(
            "allow-ffi",
            Access::Ffi,
            "The native code that it may load, which can do anything: true for all, or a list of paths.",
        ),
        extent(
            "deny-ffi",
            Access::Ffi,
            "The native code that it may not load, whatever is allowed.",
        ),
    ),
];

const fn extent(name: &'static str, access: Access, about: &'static str) -> Key {
    Key::new(name, Kind::Extent(access), about)
}

/// `[auth]`, and `auth` of a function.
pub(super) const AUTH: Key =
    Key::new("auth", Kind::Auth, "Whose tokens let requests in; false where none is asked for.");

/// `[[route]]`.
pub(super) const ROUTE: Table = Table {
    name: "route",
    about: "A method and a pattern of paths, and the function behind them.",
    one_of: &["function", "handler"],
    keys: &[
        Key::new(
            "method",
            Kind::Methods,
            "The method, or a list of methods; ANY when it is left out.",
        ),
        Key::new(
            "path",
            Kind::Text,
            "The path, with {name} for one segment and, at its end, {name+} for all that follow.",
        )
        .required(),
        Key::new("function", Kind::Text, "A function of the folder, by name."),
        Key::new("handler", Kind::Text, "Any handler: pets.py:get, src/app.handler."),
        Key::new(
            "base_path",
            Kind::Text,
            "What of the path the function does not see; nothing when it is left out.",
        )
        .or("base-path"),
    ],
};

/// `[[static]]`.
pub(super) const STATIC: Table = Table {
    name: "static",
    about: "A folder whose files are served as they are.",
    one_of: &[],
    keys: &[
        Key::new("path", Kind::Text, "The path below which its files are served.").required(),
        Key::new("folder", Kind::Text, "The folder, as seen from the file's own.").required(),
        Key::new(
            "index",
            Kind::Text,
            "The file that stands for a folder [default: index.html]; an empty text for none.",
        ),
        Key::new(
            "cache-control",
            Kind::Text,
            "The value of the header Cache-Control, such as public, max-age=3600.",
        ),
        Key::new(
            "fallback",
            Kind::Text,
            "The file that answers for paths without a file, unless their last segment has a dot: \
             the page of a single-page application.",
        ),
    ],
};

/// `[[engine]]`.
pub(super) const ENGINE: Table = Table {
    name: "engine",
    about: "A plug-in: a language in a shared library.",
    one_of: &[],
    keys: &[
        Key::new("file", Kind::Text, "The library, as seen from the file's own folder.").required()
    ],
};

/// All tables that the file may have.
pub(in crate::http) const TABLES: &[Table] = &[FUNCTION, ROUTE, STATIC, TRIGGER, ENGINE];
