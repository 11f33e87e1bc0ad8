//! The environment of a WSAPI application: the metavariables of CGI, an input and an error stream. Contract: WSAPI 1.7, of
//! which RFC 3875 says what the variables are.

use super::{
    WebCall,
    request::{self, Occurrence, Table},
};
use crate::host::Host;
use bytes::Bytes;
use mlua::ffi::{self, lua_State};

/// The longest name of a header that becomes a variable, in bytes. It stands on the stack.
const LONGEST: usize = 256;

/// Pushes the environment of a call.
///
/// # Safety
/// `state` runs in protected mode with room for ten values and belongs to `host`.
pub(super) unsafe fn push(state: *mut lua_State, host: &Host, call: &WebCall) {
    let request = &*call.request;
    // SAFETY: as for `request::push`.
    unsafe {
        ffi::lua_createtable(state, 0, 18 + request.headers.len() as i32);
        let mut env = Table::on_top(state, host);
        env.set(b"GATEWAY_INTERFACE", b"CGI/1.1");
        env.set(b"SERVER_SOFTWARE", concat!("trine/", env!("CARGO_PKG_VERSION")).as_bytes());
        env.set(b"SERVER_NAME", request.server.0.as_bytes());
        env.set_stashed(b"SERVER_PORT", Bytes::from(request.server.1.to_string()));
        env.set_stashed(b"SERVER_PROTOCOL", Bytes::from(format!("HTTP/{}", request.version)));
        env.set(b"REQUEST_METHOD", request.method.as_bytes());
        env.set_stashed(b"REQUEST_URI", target(call));
        match request::decoded(&request.mount) {
            Some(mount) => env.set_stashed(b"SCRIPT_NAME", Bytes::from(mount)),
            None => env.set(b"SCRIPT_NAME", request.mount.as_bytes()),
        }
        env.set(b"PATH_INFO", call.path());
        env.set(b"QUERY_STRING", request.query.as_deref().unwrap_or_default().as_bytes());
        if request.client.is_some() {
            env.set_stashed(b"REMOTE_ADDR", request::client_of(call));
        }
        if request.scheme == "https" {
            env.set(b"HTTPS", b"on");
        }
        let mut length = 0;
        for (index, (name, value)) in request.headers.iter().enumerate() {
            let joined = match request::occurrence(&request.headers, index, name) {
                Occurrence::Only => None,
                Occurrence::First => Some(request::joined(&request.headers, name)),
                Occurrence::Later => continue,
            };
            let mut buffer = [0; LONGEST];
            let variable = match name {
                b"content-type" => &b"CONTENT_TYPE"[..],
                b"content-length" => {
                    length = number(value);
                    b"CONTENT_LENGTH"
                }
                name => match variable(name, &mut buffer) {
                    Some(variable) => variable,
                    None => continue,
                },
            };
            match joined {
                Some(joined) => env.set_stashed(variable, joined),
                None => env.set(variable, value),
            }
        }
        // Applications read as much as they are told that there is.
        let known = call.body.length().filter(|known| *known > 0);
        if let Some(known) = known
            && !request.headers.contains("content-length")
        {
            length = known as i64;
            env.set_stashed(b"CONTENT_LENGTH", Bytes::from(known.to_string()));
        }
        env.begin(b"input");
        ffi::lua_createtable(state, 0, 1);
        call.owner.set(ffi::lua_topointer(state, -1));
        ffi::lua_pushinteger(state, length);
        ffi::lua_setfield(state, -2, c"length".as_ptr());
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, host.web().keys.get().input.into());
        ffi::lua_setmetatable(state, -2);
        ffi::lua_rawset(state, env.index);
        env.begin(b"error");
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, host.web().keys.get().error.into());
        ffi::lua_rawset(state, env.index);
        env.mark(host.web().keys.get().environment);
        env.close();
    }
}

/// Returns the path with the query, as they were sent.
fn target(call: &WebCall) -> Bytes {
    let request = &call.request;
    Bytes::from(match &request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.clone(),
    })
}

/// Returns the variable of a header: `HTTP_USER_AGENT`. None of `proxy`, which programs take for a setting of their own, nor
/// of names with an underscore, which would be taken for those with a hyphen.
fn variable<'b>(name: &[u8], buffer: &'b mut [u8; LONGEST]) -> Option<&'b [u8]> {
    const PREFIX: &[u8] = b"HTTP_";
    let length = PREFIX.len() + name.len();
    if length > LONGEST || name == b"proxy" || name.contains(&b'_') {
        return None;
    }
    let (prefix, rest) = buffer.split_at_mut(PREFIX.len());
    prefix.copy_from_slice(PREFIX);
    for (place, byte) in rest.iter_mut().zip(name) {
        *place = if *byte == b'-' { b'_' } else { byte.to_ascii_uppercase() };
    }
    Some(&buffer[..length])
}

fn number(value: &[u8]) -> i64 {
    std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_variables_unless_these_would_be_taken_for_others() {
        let name = |header: &str| {
            let mut buffer = [0; LONGEST];
            variable(header.as_bytes(), &mut buffer)
                .map(|name| String::from_utf8_lossy(name).into_owned())
        };
        assert_eq!(name("x-forwarded-for").as_deref(), Some("HTTP_X_FORWARDED_FOR"));
        assert_eq!(name("proxy"), None);
        assert_eq!(name("x_forwarded-for"), None);
        assert_eq!(name(&"a".repeat(LONGEST)), None);
    }
}
