//! The binary as a Lambda runtime, under an emulator that records every rule that it breaks.

mod answers;
mod connection;
mod context;
mod deadlines;
mod errors;
mod init;
mod logs;
mod managed;
mod process;
mod signals;
mod sizes;
mod snapshot;
