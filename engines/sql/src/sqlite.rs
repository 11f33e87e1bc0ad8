//! SQLite's C interface, as far as it is needed: connections and statements that cannot be misused.

use crate::{authorizer, busy, functions, host::Host, search};
use libsqlite3_sys as ffi;
use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    ptr,
    rc::Rc,
};

/// The number of instructions after which SQLite asks whether to go on.
const INSTRUCTIONS: c_int = 1000;

/// What SQLite says of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The extended result code.
    pub(crate) code: c_int,
    pub(crate) message: String,
    /// The place in the text that was prepared, where there is one.
    pub(crate) offset: Option<usize>,
}

impl Failure {
    /// Whether another process has locked a database.
    pub(crate) fn is_lock(&self) -> bool {
        self.code & 0xff == ffi::SQLITE_BUSY
    }
}

/// A connection to a new, empty database in memory. Lives until its last statement is gone.
#[derive(Clone)]
pub(crate) struct Connection(Rc<Open>);

struct Open {
    raw: *mut ffi::sqlite3,
    /// What the functions of the connection refer to.
    host: Rc<Host>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let _entered = self.host.account().enter();
        // SAFETY: the connection was opened and is closed once; its statements own it, so that none is left.
        unsafe { ffi::sqlite3_close(self.raw) };
    }
}

impl Connection {
    /// Opens a connection, on which nothing is refused until [`Connection::guard`] is called.
    pub(crate) fn open(host: &Rc<Host>) -> Result<Self, Failure> {
        // The connection stays on its thread, as `Rc` sees to.
        let flags = ffi::SQLITE_OPEN_READWRITE
            | ffi::SQLITE_OPEN_CREATE
            | ffi::SQLITE_OPEN_MEMORY
            | ffi::SQLITE_OPEN_URI
            | ffi::SQLITE_OPEN_NOMUTEX
            | ffi::SQLITE_OPEN_EXRESCODE;
        let mut raw = ptr::null_mut();
        // SAFETY: the name is NUL-terminated; whatever comes back in `raw` is closed by the guard below, as SQLite asks for
        // also after a failure.
        let code =
            unsafe { ffi::sqlite3_open_v2(c":memory:".as_ptr(), &raw mut raw, flags, ptr::null()) };
        let connection = Self(Rc::new(Open { raw, host: host.clone() }));
        connection.checked(code)?;
        connection.configure()?;
        connection.run("PRAGMA temp_store = MEMORY")?;
        functions::register(&connection)?;
        search::register(&connection)?;
        let pattern = ffi::SQLITE_LIMIT_LIKE_PATTERN_LENGTH;
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_limit(connection.0.raw, pattern, search::LONGEST_PATTERN) };
        Ok(connection)
    }

    fn configure(&self) -> Result<(), Failure> {
        for (what, value) in [
            (ffi::SQLITE_DBCONFIG_DEFENSIVE, 1),
            // SQLite's own default, which this build of it has changed.
            (ffi::SQLITE_DBCONFIG_ENABLE_FKEY, 0),
        ] {
            let value: c_int = value;
            // SAFETY: these two take an integer, and a pointer that may be null.
            let code = unsafe {
                ffi::sqlite3_db_config(self.0.raw, what, value, ptr::null_mut::<c_int>())
            };
            self.checked(code)?;
        }
        let host = self.user_data();
        // SAFETY: the host outlives the connection, which owns it.
        unsafe {
            ffi::sqlite3_progress_handler(
                self.0.raw,
                INSTRUCTIONS,
                Some(authorizer::goes_on),
                host,
            );
        }
        // SAFETY: as above.
        let code = unsafe { ffi::sqlite3_busy_handler(self.0.raw, Some(busy::waits), host) };
        self.checked(code)
    }

    /// Waits for no locks from now on.
    pub(crate) fn hurry(&self) {
        // SAFETY: the connection is open. This takes the handler away.
        unsafe { ffi::sqlite3_busy_handler(self.0.raw, None, ptr::null_mut()) };
    }

    /// Refuses from now on what SQL files must not do.
    pub(crate) fn guard(&self) -> Result<(), Failure> {
        // SAFETY: the host outlives the connection, which owns it.
        let code = unsafe {
            ffi::sqlite3_set_authorizer(self.0.raw, Some(authorizer::allows), self.user_data())
        };
        self.checked(code)
    }

    /// Registers a function that takes this many values.
    pub(crate) fn function(
        &self,
        name: &CStr,
        values: c_int,
        call: unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value),
    ) -> Result<(), Failure> {
        // Not deterministic, so that no call is folded; innocuous, so that views and triggers may call it.
        self.register(name, values, ffi::SQLITE_UTF8 | ffi::SQLITE_INNOCUOUS, call)
    }

    /// As [`Connection::function`], for one whose result depends on its values alone.
    pub(crate) fn pure_function(
        &self,
        name: &CStr,
        values: c_int,
        call: unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value),
    ) -> Result<(), Failure> {
        let flags = ffi::SQLITE_UTF8 | ffi::SQLITE_INNOCUOUS | ffi::SQLITE_DETERMINISTIC;
        self.register(name, values, flags, call)
    }

    fn register(
        &self,
        name: &CStr,
        values: c_int,
        flags: c_int,
        call: unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value),
    ) -> Result<(), Failure> {
        // SAFETY: the name is NUL-terminated; the host outlives the connection, which owns it.
        let code = unsafe {
            ffi::sqlite3_create_function_v2(
                self.0.raw,
                name.as_ptr(),
                values,
                flags,
                self.user_data(),
                Some(call),
                None,
                None,
                None,
            )
        };
        self.checked(code)
    }

    /// Prepares the statement at a place in a text. Returns it, or `None` where there is none up to the next semicolon, and
    /// where it ends.
    pub(crate) fn prepare(
        &self,
        text: &CString,
        at: usize,
        is_kept: bool,
    ) -> (Result<Option<Statement>, Failure>, usize) {
        let bytes = text.as_bytes_with_nul();
        let at = at.min(bytes.len() - 1);
        // With its NUL, so that SQLite does not copy it.
        let length = c_int::try_from(bytes.len() - at).unwrap_or(c_int::MAX);
        let flags = if is_kept { ffi::SQLITE_PREPARE_PERSISTENT } else { 0 };
        let (mut raw, mut tail) = (ptr::null_mut(), ptr::null::<c_char>());
        // SAFETY: the text is as long as is said and ends in NUL; SQLite sets both pointers, the second one into the text.
        let code = unsafe {
            let start = bytes.as_ptr().add(at).cast::<c_char>();
            ffi::sqlite3_prepare_v3(
                self.0.raw,
                start,
                length,
                flags as _,
                &raw mut raw,
                &raw mut tail,
            )
        };
        let end = match tail.is_null() {
            true => bytes.len() - 1,
            false => (tail as usize).saturating_sub(bytes.as_ptr() as usize).min(bytes.len() - 1),
        };
        if let Err(failure) = self.checked(code) {
            let offset = failure.offset.map(|offset| at + offset);
            return (Err(Failure { offset, ..failure }), end);
        }
        let statement =
            (!raw.is_null()).then(|| Statement { raw, connection: self.clone(), is_done: true });
        (Ok(statement), end)
    }

    /// Runs one statement of ours.
    pub(crate) fn run(&self, text: &str) -> Result<(), Failure> {
        self.run_with(text, &[])
    }

    /// Runs one statement of ours with these values for its parameters.
    pub(crate) fn run_with(&self, text: &str, values: &[&CStr]) -> Result<(), Failure> {
        let text = CString::new(text).expect("our statements have no NUL");
        let (statement, _) = self.prepare(&text, 0, false);
        let Some(mut statement) = statement? else { return Ok(()) };
        for (index, value) in (1..).zip(values) {
            // SAFETY: the value outlives the statement, which is gone when this function returns.
            let code =
                unsafe { ffi::sqlite3_bind_text(statement.raw, index, value.as_ptr(), -1, None) };
            self.checked(code)?;
        }
        while statement.step()? {}
        Ok(())
    }

    pub(crate) fn host(&self) -> &Rc<Host> {
        &self.0.host
    }

    fn user_data(&self) -> *mut c_void {
        Rc::as_ptr(&self.0.host).cast_mut().cast()
    }

    fn checked(&self, code: c_int) -> Result<(), Failure> {
        match code & 0xff {
            ffi::SQLITE_OK | ffi::SQLITE_ROW | ffi::SQLITE_DONE => Ok(()),
            _ => Err(self.failure(code)),
        }
    }

    fn failure(&self, code: c_int) -> Failure {
        // SAFETY: SQLite returns a NUL-terminated text, also for a connection that could not be opened, which stays until
        // the next call.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.0.raw)) };
        // SAFETY: reads a number of the connection.
        let offset = unsafe { ffi::sqlite3_error_offset(self.0.raw) };
        Failure {
            code,
            message: message.to_string_lossy().into_owned(),
            offset: usize::try_from(offset).ok(),
        }
    }
}

/// Has SQLite's random generator begin anew from the system's, so that copies of the process draw different numbers.
pub(crate) fn reseed() {
    // SAFETY: without a buffer, SQLite forgets the generator's state and writes nothing.
    unsafe { ffi::sqlite3_randomness(0, ptr::null_mut()) };
}

/// A statement that was prepared.
pub(crate) struct Statement {
    raw: *mut ffi::sqlite3_stmt,
    connection: Connection,
    /// Whether it has nothing to be reset.
    is_done: bool,
}

impl Drop for Statement {
    fn drop(&mut self) {
        let _entered = self.connection.host().account().enter();
        // SAFETY: it was prepared and is finalised once, before its connection is closed.
        unsafe { ffi::sqlite3_finalize(self.raw) };
    }
}

/// A value of a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

impl Statement {
    /// Runs it up to its next row. Returns whether there is one.
    pub(crate) fn step(&mut self) -> Result<bool, Failure> {
        self.is_done = false;
        // SAFETY: the statement is live.
        let code = unsafe { ffi::sqlite3_step(self.raw) };
        match code {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => Err(Failure { offset: None, ..self.connection.failure(code) }),
        }
    }

    /// Runs it to its end.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        while self.step()? {}
        Ok(())
    }

    /// Makes it ready to be run anew; it lets go of all values.
    pub(crate) fn reset(&mut self) {
        if !self.is_done {
            // SAFETY: the statement is live. What is returned is the failure of its last step, which is known.
            unsafe { ffi::sqlite3_reset(self.raw) };
            self.is_done = true;
        }
    }

    /// Whether it changes nothing in a database, as far as SQLite can tell.
    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: the statement is live.
        unsafe { ffi::sqlite3_stmt_readonly(self.raw) != 0 }
    }

    /// Returns the name of its first parameter, if it has any.
    pub(crate) fn parameter(&self) -> Option<String> {
        // SAFETY: the statement is live; a name is NUL-terminated and stays with it.
        unsafe {
            let count = ffi::sqlite3_bind_parameter_count(self.raw);
            // Numbered ones may leave numbers out.
            let mut names =
                (1..=count).map(|index| ffi::sqlite3_bind_parameter_name(self.raw, index));
            let named = names.find(|name| !name.is_null());
            let named = named.map(|name| CStr::from_ptr(name).to_string_lossy().into_owned());
            (count > 0).then(|| named.unwrap_or_else(|| "?".to_owned()))
        }
    }

    /// Returns how often SQLite had to prepare it anew, because what it refers to has changed.
    pub(crate) fn prepared_anew(&self) -> c_int {
        // SAFETY: the statement is live; the counter is left as it is.
        unsafe { ffi::sqlite3_stmt_status(self.raw, ffi::SQLITE_STMTSTATUS_REPREPARE, 0) }
    }

    /// Returns the number of columns.
    pub(crate) fn columns(&self) -> c_int {
        // SAFETY: the statement is live.
        unsafe { ffi::sqlite3_column_count(self.raw) }
    }

    /// Returns the name of a column: its alias, or the text of its expression.
    pub(crate) fn name(&self, column: c_int) -> String {
        // SAFETY: the statement is live; the text is NUL-terminated, or null without memory for it, and copied at once.
        unsafe { text(ffi::sqlite3_column_name(self.raw, column)) }.unwrap_or_default()
    }

    /// Returns the type with which a column of a table was declared.
    pub(crate) fn declared_type(&self, column: c_int) -> Option<String> {
        // SAFETY: as for the name.
        unsafe { text(ffi::sqlite3_column_decltype(self.raw, column)) }
    }

    /// Returns the value of a column in the present row; `None` where memory does not suffice for it.
    pub(crate) fn value(&mut self, column: c_int) -> Option<Value<'_>> {
        let raw = self.raw;
        // SAFETY: the statement is live and has a row. Texts and blobs stay until its next step, for which it has to be
        // borrowed anew. Bytes are asked for after the pointer, as SQLite wants it.
        let value = unsafe {
            match ffi::sqlite3_column_type(raw, column) {
                ffi::SQLITE_NULL => Value::Null,
                ffi::SQLITE_INTEGER => Value::Integer(ffi::sqlite3_column_int64(raw, column)),
                ffi::SQLITE_FLOAT => Value::Real(ffi::sqlite3_column_double(raw, column)),
                kind => {
                    let start = match kind {
                        ffi::SQLITE_TEXT => ffi::sqlite3_column_text(raw, column),
                        _ => ffi::sqlite3_column_blob(raw, column).cast::<u8>(),
                    };
                    let bytes = ffi::sqlite3_column_bytes(raw, column);
                    let lacks = start.is_null()
                        && (bytes > 0
                            || ffi::sqlite3_errcode(self.connection.0.raw) == ffi::SQLITE_NOMEM);
                    if lacks {
                        return None;
                    }
                    let bytes = match start.is_null() {
                        true => &[],
                        false => {
                            std::slice::from_raw_parts(start, usize::try_from(bytes).unwrap_or(0))
                        }
                    };
                    if kind == ffi::SQLITE_TEXT { Value::Text(bytes) } else { Value::Blob(bytes) }
                }
            }
        };
        Some(value)
    }
}

/// Copies a text of SQLite's.
///
/// # Safety
/// It must be null or NUL-terminated.
unsafe fn text(start: *const c_char) -> Option<String> {
    // SAFETY: as the caller vouches.
    (!start.is_null()).then(|| unsafe { CStr::from_ptr(start) }.to_string_lossy().into_owned())
}
