//! Cases of functions: events in files, and the answers that other files expect of them. Finds them, judges answers, and
//! writes what is to be expected; what runs functions and tells people lies elsewhere.

mod case;
mod compare;
mod find;
mod judge;
mod node;
mod placeholder;

pub(crate) use case::{Case, Expectation};
pub(crate) use find::{Found, Search, Suite};
pub(crate) use judge::{Outcome, Verdict, event, expect, judge};
