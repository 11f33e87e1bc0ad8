//! What a function may do, as it is set: allowed and denied, for each kind of access.

use crate::{
    Permits,
    permits::{Host, Program, Variable},
};
use std::{fmt, path::Path, str::FromStr};

/// A kind of access that can be narrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Connections to hosts, and listening: `example.com`, `example.com:443`, `*.example.com`, `10.0.0.0/8`, `[::1]:80`,
    /// `unix:/run/a.sock`.
    Net,
    /// Reading of files and folders.
    Read,
    /// Writing of files and folders.
    Write,
    /// Environment variables: `NAME`, `PREFIX_*`.
    Env,
    /// Programs, by name or path.
    Run,
    /// Native code that a guest loads, by path: it can do anything.
    Ffi,
}

impl Access {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Net, Self::Read, Self::Write, Self::Env, Self::Run, Self::Ffi];

    /// Returns its name, as flags, variables and files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Net => "net",
            Self::Read => "read",
            Self::Write => "write",
            Self::Env => "env",
            Self::Run => "run",
            Self::Ffi => "ffi",
        }
    }
}

/// How much of a kind of access is allowed, or denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Everything,
    /// What these texts name; nothing where there are none.
    Only(Vec<String>),
}

impl FromStr for Extent {
    type Err = String;

    /// Reads `*` or `true` (everything), `false` (nothing), or a list with commas.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "*" | "true" => return Ok(Self::Everything),
            "false" => return Ok(Self::Only(Vec::new())),
            _ => {}
        }
        let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
        if items.iter().any(String::is_empty) {
            return Err("names are missing between commas: write a list such as a,b; * for everything, false for nothing"
                .to_owned());
        }
        Ok(Self::Only(items))
    }
}

/// What is said of one kind of access.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Said {
    allowed: Option<Extent>,
    denied: Option<Extent>,
}

/// What a function may do.
///
/// Where nothing is said, that is everything. As soon as anything of [`Access::Net`], [`Access::Read`],
/// [`Access::Write`], [`Access::Env`] or [`Access::Run`] is allowed by name, what is not allowed is denied, unless all is
/// allowed ([`Permissions::allow_all`]). What is denied is denied whatever else is said. Native code could get around
/// all of it, so it is denied wherever anything else is narrowed, unless it is allowed by name.
///
/// ```
/// use trine_engine::{Access, Extent, Permissions};
///
/// let mut permissions = Permissions::default();
/// assert!(!permissions.are_narrowed());
/// permissions.allow(Access::Net, "example.com:443".parse()?)?;
/// let permits = permissions.at("/task".as_ref(), &[]);
/// assert!(permits.host("example.com", Some(443)).is_ok());
/// let refused = permits.host("example.com", Some(80)).unwrap_err();
/// assert!(refused.to_string().starts_with("Requires net access to \"example.com:80\""));
/// assert!(permits.run(b"ls", None).is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    said: [Said; 6],
    all: bool,
}

impl Permissions {
    /// Allows this much of a kind of access, in the place of what was allowed before.
    ///
    /// # Errors
    /// The reason why a text names nothing of the kind, with what to write instead.
    pub fn allow(&mut self, access: Access, extent: Extent) -> Result<(), String> {
        check(access, &extent)?;
        self.said[access as usize].allowed = Some(extent);
        Ok(())
    }

    /// Denies this much of a kind of access, in the place of what was denied before.
    ///
    /// # Errors
    /// As [`Permissions::allow`].
    pub fn deny(&mut self, access: Access, extent: Extent) -> Result<(), String> {
        check(access, &extent)?;
        self.said[access as usize].denied = Some(extent);
        Ok(())
    }

    /// Allows everything that is not denied, whatever is allowed by name.
    pub fn allow_all(&mut self) {
        self.all = true;
    }

    /// Whether anything is not allowed.
    pub fn are_narrowed(&self) -> bool {
        Access::ALL.into_iter().any(|access| self.narrow(access))
    }

    /// Whether anything of this kind is not allowed.
    pub fn narrow(&self, access: Access) -> bool {
        self.denied(access).is_some() || self.allowed(access) != Extent::Everything
    }

    /// Returns what is allowed of a kind of access, before what is denied is taken away.
    pub fn allowed(&self, access: Access) -> Extent {
        let said = self.said[access as usize].allowed.clone();
        if self.all {
            return Extent::Everything;
        }
        match said {
            Some(extent) => extent,
            None if access == Access::Ffi && others().any(|other| self.narrow(other)) => nothing(),
            None if access != Access::Ffi && self.names_any() => nothing(),
            None => Extent::Everything,
        }
    }

    /// Returns what is denied of a kind of access, if anything is.
    pub fn denied(&self, access: Access) -> Option<Extent> {
        let denied = self.said[access as usize].denied.clone();
        denied.filter(|extent| *extent != nothing())
    }

    /// Makes what answers for the functions of a root folder, to which paths refer. What lies in these folders is code and
    /// may be read regardless; the root is one of them.
    pub fn at(&self, root: &Path, code: &[&Path]) -> Permits {
        Permits::new(self, root, code)
    }

    /// Whether anything is allowed by name that makes everything else denied.
    fn names_any(&self) -> bool {
        others().any(|access| self.said[access as usize].allowed.is_some())
    }
}

/// Returns the kinds of access beside native code.
fn others() -> impl Iterator<Item = Access> {
    Access::ALL.into_iter().filter(|access| *access != Access::Ffi)
}

fn nothing() -> Extent {
    Extent::Only(Vec::new())
}

/// Checks that each text names something of the kind.
fn check(access: Access, extent: &Extent) -> Result<(), String> {
    let Extent::Only(texts) = extent else { return Ok(()) };
    for text in texts {
        if text.is_empty() || text.contains('\0') {
            return Err(format!("{text:?} names nothing"));
        }
        match access {
            Access::Net => drop(text.parse::<Host>()?),
            Access::Env => drop(text.parse::<Variable>()?),
            Access::Run => drop(text.parse::<Program>()?),
            Access::Read | Access::Write | Access::Ffi => check_path(text)?,
        }
    }
    Ok(())
}

fn check_path(text: &str) -> Result<(), String> {
    if let Some(rest) = text.strip_prefix("~/") {
        return Err(format!(
            "{text:?}: no shell has replaced the ~: write the folder, or {rest:?} for what lies in the function's"
        ));
    }
    if text.contains(['*', '?']) {
        return Err(format!(
            "{text:?} is a pattern: name a file, or a folder for all that lies in it"
        ));
    }
    Ok(())
}

/// A refusal of an access, for the guest that wanted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of access.
    pub access: Access,
    /// The thing that the guest wanted to get at; `None` for all of a kind.
    pub what: Option<String>,
    /// Whether it is denied, and not only not allowed.
    pub is_denied: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.access.name();
        let capitals = name.to_ascii_uppercase();
        write!(f, "Requires {name} access")?;
        if let Some(what) = &self.what {
            write!(f, " to {what:?}")?;
        }
        if self.is_denied {
            write!(
                f,
                ", which is denied (--deny-{name}, TRINE_DENY_{capitals} or deny-{name} in trine.toml)"
            )
        } else {
            write!(
                f,
                ": allow it with --allow-{name}, TRINE_ALLOW_{capitals} or allow-{name} in trine.toml"
            )
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Extent {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_said_means_everything() {
        let permissions = Permissions::default();
        assert!(!permissions.are_narrowed());
        assert!(
            Access::ALL.iter().all(|access| permissions.allowed(*access) == Extent::Everything)
        );
    }

    #[test]
    fn what_is_allowed_by_name_is_all_that_is_allowed() {
        let mut permissions = Permissions::default();
        permissions.allow(Access::Net, Extent::Everything).unwrap();
        assert_eq!(permissions.allowed(Access::Net), Extent::Everything);
        for access in [Access::Read, Access::Write, Access::Env, Access::Run, Access::Ffi] {
            assert_eq!(permissions.allowed(access), nothing(), "{access:?}");
        }
        permissions.allow_all();
        assert!(!permissions.are_narrowed());
    }

    #[test]
    fn what_is_denied_is_taken_from_everything() {
        let mut permissions = Permissions::default();
        permissions.deny(Access::Run, Extent::Everything).unwrap();
        assert_eq!(permissions.allowed(Access::Net), Extent::Everything);
        assert_eq!(permissions.denied(Access::Run), Some(Extent::Everything));
        // Native code could run what it likes.
        assert_eq!(permissions.allowed(Access::Ffi), nothing());
        permissions.allow(Access::Ffi, Extent::Everything).unwrap();
        assert_eq!(permissions.allowed(Access::Ffi), Extent::Everything);
        assert_eq!(permissions.allowed(Access::Net), Extent::Everything);
        let mut none = Permissions::default();
        none.deny(Access::Net, only("false")).unwrap();
        assert!(!none.are_narrowed(), "nothing is denied");
    }

    #[test]
    fn texts_are_lists_or_stand_for_everything_or_nothing() {
        assert_eq!("*".parse(), Ok(Extent::Everything));
        assert_eq!("true".parse(), Ok(Extent::Everything));
        assert_eq!("false".parse(), Ok(nothing()));
        assert_eq!("a, b".parse(), Ok(Extent::Only(vec!["a".into(), "b".into()])));
        assert!("a,,b".parse::<Extent>().is_err());
        assert!("".parse::<Extent>().is_err());
    }

    #[test]
    fn texts_that_name_nothing_are_told() {
        let told = |access, text: &str, part: &str| {
            let why = Permissions::default().allow(access, only(text)).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        };
        told(Access::Net, "https://example.com/a", "did you mean \"example.com:443\"?");
        told(Access::Net, "::1", "write it in brackets, as [::1]");
        told(Access::Net, "example.com:http", "is no port");
        told(Access::Env, "A=b", "the name alone");
        told(Access::Env, "A_*_B", "stands at the end");
        told(Access::Read, "~/data", "no shell has replaced");
        told(Access::Write, "/tmp/*", "is a pattern");
        told(Access::Run, "ls -l", "names a program without its arguments");
    }

    #[test]
    fn a_refusal_says_what_would_allow_it() {
        let refusal = Refusal { access: Access::Env, what: Some("HOME".into()), is_denied: false };
        assert_eq!(
            refusal.to_string(),
            "Requires env access to \"HOME\": allow it with --allow-env, TRINE_ALLOW_ENV or allow-env in trine.toml"
        );
        let refusal = Refusal { what: None, is_denied: true, ..refusal };
        assert!(
            refusal.to_string().ends_with(
                "which is denied (--deny-env, TRINE_DENY_ENV or deny-env in trine.toml)"
            )
        );
    }
}
