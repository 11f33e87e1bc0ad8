//! The rules that handlers are found and called by. Lambda's own runtimes for Node.js have had two sets of them; what a
//! function gets here unless it asks for one of the two allows what either does.

use std::{env, sync::OnceLock};
use trine_engine::{Error, ErrorKind, Result};

/// The variable that names the rules.
const VARIABLE: &str = "TRINE_NODE_RULES";
/// The variable of the platform's that says that invocations run side by side.
const CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";
/// The variable of the platform's that silences the warning of callbacks.
const HUSHES: &str = "AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING";

/// The rules for handlers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Rules {
    /// What either of the others allows, and more.
    #[default]
    Permissive,
    /// Those of Node.js 16 to 22: handlers have a callback, and what they return counts only if it is a promise.
    Node22,
    /// Those that Node.js 22 has where invocations run side by side: as [`Rules::Node24`].
    Node22SideBySide,
    /// Those of Node.js 24: the answer is what a handler returns.
    Node24,
}

impl Rules {
    /// Returns the rules of this process.
    ///
    /// # Errors
    /// Where the variable names none.
    pub(crate) fn check() -> Result<Self> {
        let asked = env::var(VARIABLE).unwrap_or_default();
        Self::parse(&asked, is_managed()).ok_or_else(|| {
            let message =
                format!("{VARIABLE} is '{asked}'; it may be 'permissive', 'node22' or 'node24'");
            Error::new(ErrorKind::Unsupported, message)
        })
    }

    /// Returns the rules of this process, the permissive ones where the variable names none: loading a handler will tell.
    pub(crate) fn of_process() -> Self {
        static RULES: OnceLock<Rules> = OnceLock::new();
        *RULES.get_or_init(|| Self::check().unwrap_or_default())
    }

    fn parse(asked: &str, side_by_side: bool) -> Option<Self> {
        match asked {
            "" | "permissive" => Some(Self::Permissive),
            "node22" if side_by_side => Some(Self::Node22SideBySide),
            "node22" => Some(Self::Node22),
            "node24" => Some(Self::Node24),
            _ => None,
        }
    }

    /// Returns the name by which the prelude knows them.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Permissive => "permissive",
            Self::Node22 => "node22",
            Self::Node22SideBySide => "node22, side by side",
            Self::Node24 => "node24",
        }
    }

    /// Returns the major version of Node.js whose rules they are; `None` for the permissive ones.
    pub(crate) fn node(self) -> Option<&'static str> {
        match self {
            Self::Permissive => None,
            Self::Node22 | Self::Node22SideBySide => Some("22"),
            Self::Node24 => Some("24"),
        }
    }
}

/// Whether the function wants no warning of its callback.
pub(crate) fn hushes_callbacks() -> bool {
    env::var_os(HUSHES).is_some()
}

/// Whether invocations run side by side, as the platform says.
pub(crate) fn is_managed() -> bool {
    env::var_os(CONCURRENCY).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_a_name_and_node_22_has_two_sets() {
        for (asked, side_by_side, rules) in [
            ("", false, Some(Rules::Permissive)),
            ("permissive", true, Some(Rules::Permissive)),
            ("node22", false, Some(Rules::Node22)),
            ("node22", true, Some(Rules::Node22SideBySide)),
            ("node24", true, Some(Rules::Node24)),
            ("node20", false, None),
            ("Node24", false, None),
        ] {
            assert_eq!(Rules::parse(asked, side_by_side), rules, "{asked}");
        }
    }
}
