//! The request as `fetch` gets it: a table, with members that are made when they are asked for.

use super::WebCall;
use crate::{context, convert::Forms, host::Host};
use bytes::Bytes;
use mlua::ffi::{self, lua_State};
use std::ffi::c_int;
use trine_engine::Fields;

/// Pushes the request of a call.
///
/// # Safety
/// `state` runs in protected mode with room for ten values and belongs to `host`.
pub(super) unsafe fn push(state: *mut lua_State, host: &Host, call: &WebCall) {
    let request = &*call.request;
    // SAFETY: as the caller vouches. Tables are new and have no metatable; what is pushed belongs to the request, which the
    // call keeps, or to the host's stash. Nothing in this frame has a destructor.
    unsafe {
        ffi::lua_createtable(state, 0, 12);
        let mut table = Table::on_top(state, host);
        table.set(b"method", request.method.as_bytes());
        table.set(b"scheme", request.scheme.as_bytes());
        table.set(b"path", call.path());
        table.set(b"raw_path", request.path_in_mount().as_bytes());
        table.set(b"mount", request.mount.as_bytes());
        if let Some(query) = &request.query {
            table.set(b"query_string", query.as_bytes());
        }
        match request.headers.get("host") {
            Some(name) => table.set(b"host", name),
            None => table.set_stashed(b"host", server_of(call)),
        }
        if request.client.is_some() {
            table.set_stashed(b"client", client_of(call));
        }
        table.begin(b"headers");
        ffi::lua_createtable(state, 0, request.headers.len() as c_int);
        let mut headers = Table::on_top(state, host);
        for (index, (name, value)) in request.headers.iter().enumerate() {
            match occurrence(&request.headers, index, name) {
                Occurrence::Only => headers.set(name, value),
                Occurrence::First => headers.set_stashed(name, joined(&request.headers, name)),
                Occurrence::Later => {}
            }
        }
        headers.mark(host.web().keys.get().headers);
        headers.close();
        ffi::lua_rawset(state, table.index);
        call.owner.set(ffi::lua_topointer(state, table.index));
        table.mark(host.web().keys.get().request);
        table.close();
    }
}

/// A table that is filled, with the table of known keys above it on the stack.
pub(super) struct Table<'h> {
    state: *mut lua_State,
    host: &'h Host,
    pub(super) index: c_int,
}

impl<'h> Table<'h> {
    /// Takes the table on top of the stack.
    ///
    /// # Safety
    /// `state` runs in protected mode and belongs to `host`. There is room for four values until [`Table::close`].
    pub(super) unsafe fn on_top(state: *mut lua_State, host: &'h Host) -> Self {
        // SAFETY: as the caller vouches.
        unsafe {
            let index = ffi::lua_gettop(state);
            host.forms().push_keys(state);
            Self { state, host, index }
        }
    }

    fn forms(&self) -> &'h Forms {
        self.host.forms()
    }

    /// Sets a member.
    ///
    /// # Safety
    /// As for [`Table::on_top`].
    pub(super) unsafe fn set(&mut self, name: &[u8], value: &[u8]) {
        // SAFETY: as the caller vouches.
        unsafe {
            self.begin(name);
            ffi::lua_pushlstring(self.state, value.as_ptr().cast(), value.len());
            ffi::lua_rawset(self.state, self.index);
        }
    }

    /// Sets a member to a text that was made for it.
    ///
    /// # Safety
    /// As for [`Table::on_top`].
    pub(super) unsafe fn set_stashed(&mut self, name: &[u8], value: Bytes) {
        // SAFETY: as the caller vouches; the host keeps the text.
        unsafe {
            let value = self.host.stash(value);
            self.set(name, value);
        }
    }

    /// Pushes the name of a member, whose value is to follow.
    ///
    /// # Safety
    /// As for [`Table::on_top`].
    pub(super) unsafe fn begin(&mut self, name: &[u8]) {
        // SAFETY: as the caller vouches; the known keys are above the table.
        unsafe { self.forms().push_key(self.state, self.index + 1, name) };
    }

    /// Gives it a metatable that the registry holds under this key.
    ///
    /// # Safety
    /// As for [`Table::on_top`].
    pub(super) unsafe fn mark(&mut self, key: c_int) {
        // SAFETY: as the caller vouches.
        unsafe {
            ffi::lua_rawgeti(self.state, ffi::LUA_REGISTRYINDEX, key.into());
            ffi::lua_setmetatable(self.state, self.index);
        }
    }

    /// Leaves the table alone on top of the stack.
    ///
    /// # Safety
    /// As for [`Table::on_top`].
    pub(super) unsafe fn close(self) {
        // SAFETY: as the caller vouches.
        unsafe { ffi::lua_settop(self.state, self.index) };
    }
}

/// Where a field stands among those of its name.
pub(super) enum Occurrence {
    Only,
    First,
    Later,
}

/// Says where the field at `index` stands among those of its name.
pub(super) fn occurrence(fields: &Fields, index: usize, name: &[u8]) -> Occurrence {
    let mut others =
        fields.iter().enumerate().filter(|(at, (other, _))| *at != index && *other == name);
    match others.next() {
        None => Occurrence::Only,
        Some((first, _)) if first < index => Occurrence::Later,
        Some(_) => Occurrence::First,
    }
}

/// Joins the values of the fields of a name, as one field has them.
pub(super) fn joined(fields: &Fields, name: &[u8]) -> Bytes {
    let separator: &[u8] = if name == b"cookie" { b"; " } else { b", " };
    let values = fields.iter().filter(|(other, _)| *other == name).map(|(_, value)| value);
    Bytes::from(values.collect::<Vec<_>>().join(separator))
}

/// Returns the host and the port at which the request came in.
fn server_of(call: &WebCall) -> Bytes {
    let (name, port) = &call.request.server;
    Bytes::from(format!("{name}:{port}"))
}

/// Returns the client's address as text, empty where it is not known.
pub(super) fn client_of(call: &WebCall) -> Bytes {
    let address = call.request.client_ip().map(|address| address.to_string());
    Bytes::from(address.unwrap_or_default())
}

/// Decodes what has percent signs; `None` where there are none. What is no code stays as it is.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    if !text.contains('%') {
        return None;
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let digit = |byte: u8| char::from(byte).to_digit(16);
        match code.and_then(|code| Some(digit(code[0])? * 16 + digit(code[1])?)) {
            Some(code) => {
                out.push(code as u8);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    Some(out)
}

/// Implements `web_event(owner)`: returns the text of the event that the running call's request was made of; nil where there
/// was none.
pub(super) unsafe extern "C-unwind" fn event(state: *mut lua_State) -> c_int {
    // SAFETY: the prelude calls this with the request or its environment; the call is alive while its code runs.
    unsafe {
        let call = Host::of(state).web().running().map(|call| &*call);
        match call.and_then(|call| call.request.event.as_ref()) {
            Some(event) => {
                ffi::lua_pushlstring(state, event.as_ptr().cast(), event.len());
            }
            None => ffi::lua_pushnil(state),
        }
    }
    1
}

/// Implements `web_context()`: returns the context of the running call; nil where there is none.
pub(super) unsafe extern "C-unwind" fn context(state: *mut lua_State) -> c_int {
    // SAFETY: as for `event`, with room for ten values. An error goes to the host before anything may raise.
    unsafe {
        ffi::luaL_checkstack(state, 10, std::ptr::null());
        let host = Host::of(state);
        let Some(call) = host.web().running() else { return 0 };
        match context::push(state, host, &(*call).invocation) {
            Ok(()) => 1,
            Err(error) => crate::stream::fail(state, host, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_are_decoded_where_they_are_codes() {
        let read = |text| decoded(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(read("/a b"), None);
        assert_eq!(read("/caf%C3%A9%2fx").as_deref(), Some("/café/x"));
        assert_eq!(read("%").as_deref(), Some("%"));
        assert_eq!(read("%4").as_deref(), Some("%4"));
        assert_eq!(read("%zz%41%+1").as_deref(), Some("%zzA%+1"));
    }

    #[test]
    fn fields_of_one_name_are_joined_at_the_first_of_them() {
        let fields =
            Fields::from_iter([("a", "1"), ("cookie", "x=1"), ("a", "2"), ("cookie", "y=2")]);
        assert_eq!(joined(&fields, b"a"), "1, 2");
        assert_eq!(joined(&fields, b"cookie"), "x=1; y=2");
        assert!(matches!(occurrence(&fields, 0, b"a"), Occurrence::First));
        assert!(matches!(occurrence(&fields, 2, b"a"), Occurrence::Later));
        let one = Fields::from_iter([("a", "1")]);
        assert!(matches!(occurrence(&one, 0, b"a"), Occurrence::Only));
    }
}
