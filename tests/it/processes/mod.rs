//! Processes: this program as the interpreter that guests start, what `NODE_OPTIONS` loads, the wrapper script.

mod children;
mod fatal;
mod interpreter;
mod messages;
mod options;
mod testing;
mod wrapper;
