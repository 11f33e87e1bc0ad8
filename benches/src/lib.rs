//! The comparison behind every claim about speed: the contestants ([`contestant`]), what was measured ([`record`]), and
//! how it is shown ([`render`]).

mod affinity;
mod bench;
pub mod console;
pub mod contestant;
mod criterion;
mod http;
pub mod install;
mod lambda;
mod machine;
pub mod plan;
mod process;
pub mod record;
pub mod render;
mod resident;
pub mod run;
mod sheet;
mod statistics;
pub mod table;
