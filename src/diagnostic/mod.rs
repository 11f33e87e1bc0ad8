//! One error, in the forms that its readers expect: a caller of Lambda, the platform's metrics, a person.

mod human;
mod platform;
mod record;

pub use human::{beyond_record, exit_code, explain, hint};
pub use platform::{error_type_header, xray_cause};
pub use record::log_failure;

/// Exit status of a process that has lost a thread to guest code which nothing can stop, after it has answered.
pub const STUCK_EXIT: i32 = 124;

/// The largest error document that is posted, in bytes: the platform refuses documents of a megabyte, and callers read
/// only the first frames anyway.
pub const DOCUMENT_LIMIT: usize = 256 * 1024;
