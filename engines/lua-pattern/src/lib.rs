//! Lua's patterns, matched without Lua and so that whoever matches can stop.
//!
//! C code cannot be stopped: a pattern that backtracks without end holds the thread that runs `lstrlib.c` for good. The
//! rules, limits and messages here are those of Lua 5.4's `lstrlib.c`, of which this is a port; what is new is a count
//! of steps, after each [`STEPS`] of which the matcher asks its caller whether to stop.
//!
//! ```
//! use trine_lua_pattern::{Capture, Matcher, Room};
//!
//! let mut room = Room::new();
//! let mut matcher = Matcher::new(b"key = value", b"(%w+)%s*=%s*(%w+)", &mut room, || false);
//! assert_eq!(matcher.find(0), Ok(Some(0..11)));
//! assert_eq!(matcher.capture(1), Ok(Capture::Text(b"value")));
//! ```
//!
//! Subjects and patterns are bytes. Character classes are those of the "C" locale, whatever locale somebody has set for
//! the process. A [`Matcher`] whose callback has no destructor has none either, so that it may be left behind by a
//! `longjmp`, which is how Lua raises errors.

mod byte;
mod captures;
mod class;
mod fault;
mod item;
mod matcher;
mod plain;
mod template;

pub use captures::Room;
pub use fault::Fault;
pub use matcher::{Capture, Cursor, Matcher, STEPS};
pub use plain::{find_plain, is_plain};
pub use template::{Piece, Template};
