//! What SQL files may do to their connection: everything within their own database, reading in attached ones, and nothing
//! that reaches files, other databases, or the process.

use crate::host::Host;
use libsqlite3_sys as ffi;
use std::ffi::{CStr, c_char, c_int, c_void};

/// The pragmas that tell about a database, or hold for a connection that ends with its call.
const PRAGMAS: [&str; 40] = [
    "analysis_limit",
    "application_id",
    "automatic_index",
    "case_sensitive_like",
    "cell_size_check",
    "collation_list",
    "compile_options",
    "count_changes",
    "data_version",
    "database_list",
    "defer_foreign_keys",
    "empty_result_callbacks",
    "encoding",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "freelist_count",
    "full_column_names",
    "function_list",
    "ignore_check_constraints",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "legacy_alter_table",
    "module_list",
    "optimize",
    "page_count",
    "page_size",
    "pragma_list",
    "query_only",
    "quick_check",
    "recursive_triggers",
    "reverse_unordered_selects",
    "schema_version",
    "short_column_names",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// The functions that reach beyond the database.
const FUNCTIONS: [&str; 2] = ["load_extension", "fts3_tokenizer"];

/// The traits of a statement that is being prepared, as they show in what it asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Whether it does more than select.
    pub(crate) does_more: bool,
    /// Whether it is about the shape of the database or the connection's state, not about rows.
    pub(crate) is_structural: bool,
}

/// Decides about an action, and notes what kind of statement asks for it. Returns the reason why it is refused.
fn decide(traits: &mut Traits, action: c_int, first: &str, second: &str) -> Result<(), String> {
    match action {
        ffi::SQLITE_SELECT | ffi::SQLITE_READ | ffi::SQLITE_RECURSIVE => {}
        ffi::SQLITE_FUNCTION => {
            if FUNCTIONS.iter().any(|name| second.eq_ignore_ascii_case(name)) {
                return Err(format!("{second}() is not open to SQL files"));
            }
        }
        ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_DELETE => traits.does_more = true,
        ffi::SQLITE_ANALYZE | ffi::SQLITE_REINDEX => traits.does_more = true,
        ffi::SQLITE_ATTACH => {
            let hint = "files can be read where TRINE_SQL_ATTACH names them";
            return Err(format!("ATTACH and VACUUM are not open to SQL files: {hint}"));
        }
        ffi::SQLITE_DETACH => return Err("DETACH is not open to SQL files".to_owned()),
        ffi::SQLITE_PRAGMA if !PRAGMAS.iter().any(|name| first.eq_ignore_ascii_case(name)) => {
            return Err(format!("PRAGMA {first} is not open to SQL files"));
        }
        _ => {
            traits.does_more = true;
            traits.is_structural = true;
        }
    }
    Ok(())
}

/// SQLite's authorizer.
///
/// # Safety
/// To be called by SQLite, with the [`Host`] of the connection as user data.
pub(crate) unsafe extern "C" fn allows(
    host: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    _database: *const c_char,
    _trigger: *const c_char,
) -> c_int {
    // SAFETY: the host outlives its connection; texts are null or NUL-terminated and stay during the call.
    let (host, first, second) = unsafe {
        let text = |start: *const c_char| {
            if start.is_null() { "".into() } else { CStr::from_ptr(start).to_string_lossy() }
        };
        (&*host.cast::<Host>(), text(first), text(second))
    };
    let mut traits = host.traits().get();
    let decided = decide(&mut traits, action, &first, &second);
    host.traits().set(traits);
    match decided {
        Ok(()) => ffi::SQLITE_OK,
        Err(reason) => {
            host.refuse(reason);
            ffi::SQLITE_DENY
        }
    }
}

/// SQLite's progress handler: 0 to go on.
///
/// # Safety
/// As for [`allows`].
pub(crate) unsafe extern "C" fn goes_on(host: *mut c_void) -> c_int {
    // SAFETY: the host outlives its connection.
    let host = unsafe { &*host.cast::<Host>() };
    let is_over = host.is_stopped() || host.account().has_refused();
    c_int::from(is_over || host.is_rehearsed_enough())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(action: c_int, first: &str, second: &str) -> Result<Traits, String> {
        let mut traits = Traits::default();
        decide(&mut traits, action, first, second).map(|()| traits)
    }

    #[test]
    fn selecting_is_no_more_than_that() {
        assert_eq!(decided(ffi::SQLITE_SELECT, "", ""), Ok(Traits::default()));
        assert_eq!(decided(ffi::SQLITE_FUNCTION, "", "event"), Ok(Traits::default()));
        let insert = decided(ffi::SQLITE_INSERT, "t", "").unwrap();
        assert!(insert.does_more && !insert.is_structural);
        assert!(decided(ffi::SQLITE_CREATE_TABLE, "t", "").unwrap().is_structural);
        assert!(decided(ffi::SQLITE_TRANSACTION, "BEGIN", "").unwrap().is_structural);
    }

    #[test]
    fn what_reaches_beyond_the_database_is_refused() {
        for (action, first, second) in [
            (ffi::SQLITE_ATTACH, "x.db", ""),
            (ffi::SQLITE_DETACH, "x", ""),
            (ffi::SQLITE_FUNCTION, "", "Load_Extension"),
            (ffi::SQLITE_PRAGMA, "hard_heap_limit", "1"),
            (ffi::SQLITE_PRAGMA, "temp_store_directory", "/"),
            (ffi::SQLITE_PRAGMA, "writable_schema", "1"),
        ] {
            decided(action, first, second).expect_err(first);
        }
        assert!(decided(ffi::SQLITE_PRAGMA, "Table_Info", "t").is_ok());
    }

    #[test]
    fn the_pragmas_are_sorted() {
        assert!(PRAGMAS.is_sorted());
    }
}
