//! The exit codes of commands, as help texts tell them. Who decides about them for errors of functions is
//! `crate::diagnostic::exit_code`.

/// The table, for `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes, the same for every command:
  0    it went well; the function answered
  1    something failed: the function, a check, a file that cannot be written
  2    the command line, or a variable in its place, is wrong
  3    the function could not be found or loaded
  4    the event is no valid input
  5    the result has no JSON form or is too large
  6    the function was stopped: time or memory
  70   a fault of the runtime
  124  native code that nothing can stop held the process";
