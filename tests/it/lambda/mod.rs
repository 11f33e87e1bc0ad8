//! The binary as a Lambda runtime, under an emulator that records every rule that it breaks.

mod answers;
mod between;
mod connection;
mod context;
mod deadlines;
mod errors;
mod init;
mod log_console;
mod log_frames;
mod log_noise;
mod log_records;
mod logs;
mod managed;
mod process;
mod signals;
mod sizes;
mod snapshot;
