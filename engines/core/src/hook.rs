//! The points of an invocation at which a middleware's functions are called.

use std::fmt;

/// A point at which a middleware's function is called. Its name is the name under which the function is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hook {
    /// `init(context)`: before the handler's module is loaded.
    Init,
    /// `before(event, context)`: may replace the event, or answer at once with `context.reply(response)`.
    Before,
    /// `after(response, context)`: may replace the response.
    After,
    /// `error(error, context)`: may recover with a response, or replace the error.
    Error,
    /// `timeout(context)`: shortly before the deadline.
    Timeout,
    /// `shutdown(context)`: at the end of the process.
    Shutdown,
    /// `wrap(handler)`: returns a new handler. Only for handlers of the same language.
    Wrap,
}

impl Hook {
    /// Every hook, in the order in which an invocation may meet them.
    pub const ALL: [Self; 7] = [
        Self::Init,
        Self::Before,
        Self::After,
        Self::Error,
        Self::Timeout,
        Self::Shutdown,
        Self::Wrap,
    ];

    /// Returns the name under which a middleware exports it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Before => "before",
            Self::After => "after",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Shutdown => "shutdown",
            Self::Wrap => "wrap",
        }
    }

    /// Returns the hook with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.name() == name)
    }

    /// Whether it is called with a value before the context. The others get the context alone.
    pub fn takes_value(self) -> bool {
        matches!(self, Self::Before | Self::After | Self::Error)
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
