//! Lua's patterns, matched without Lua, in such a way that matching can be stopped.
//!
//! C code cannot be stopped: a pattern that backtracks endlessly holds the thread that runs `lstrlib.c` for good. The
//! rules, limits and messages here are those of Lua 5.4's `lstrlib.c`, of which this is a port; what is new is a count
//! of steps: after every [`STEPS`] of them the matcher asks its caller whether to stop.
//!
//! ```
//! use trine_lua_pattern::{Capture, Matcher, Scratch};
//!
//! let mut scratch = Scratch::new();
//! let mut matcher = Matcher::new(b"key = value", b"(%w+)%s*=%s*(%w+)", &mut scratch, || false);
//! assert_eq!(matcher.find(0), Ok(Some(0..11)));
//! assert_eq!(matcher.capture(1), Ok(Capture::Text(b"value")));
//! ```
//!
//! Subjects and patterns are bytes. Character classes are those of the "C" locale, whatever the process's locale. A
//! [`Matcher`] whose callback has no destructor has none either, so it may be abandoned by a `longjmp`, which is how
//! Lua raises errors.

mod byte;
mod captures;
mod class;
mod fault;
mod item;
mod matcher;
mod plain;
mod template;

pub use captures::Scratch;
pub use fault::Fault;
pub use matcher::{Capture, Cursor, Matcher, STEPS};
pub use plain::{find_plain, is_plain};
pub use template::{Piece, Template};
