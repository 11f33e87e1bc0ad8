//! Processes: this program as the interpreter that guests start, what `NODE_OPTIONS` loads, the wrapper script.

mod children;
mod interpreter;
mod options;
mod wrapper;
