//! Environment variables, as guests see them: those of the process, or an instance's own copy of them.
//!
//! Functions that are served side by side would see in `process.env` what another one has set there. So their instances
//! start with a copy, and keep changes to themselves: `process.env`, `Deno.env`, `process.loadEnvFile`, worker threads
//! and child processes all see the copy. Only the time zone is the process's, in the C library and in V8 alike.

use deno_runtime::{
    deno_core::{OpDecl, OpState, op2, v8},
    deno_os::{OsError, ProcessEnvGuard},
    deno_permissions::{OpenAccessKind, PermissionCheckError, PermissionsContainer},
};
use std::{
    borrow::Cow,
    collections::HashMap,
    fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use trine_engine::{Access, Permits};
use trine_process::trace;

/// The variable from which the C library and V8 take the time zone.
const TIME_ZONE: &str = "TZ";

/// The environment variables of an instance and its worker threads.
#[derive(Clone)]
pub(crate) enum Variables {
    /// Those of the process.
    Process,
    /// A copy that began as those of the process.
    Own(Arc<Mutex<HashMap<String, String>>>),
}

impl Variables {
    /// Makes a copy of the process's variables, with these on top of them; of all that, what the permits let guests see.
    pub(crate) fn copied(more: &[(String, String)], permits: Option<&Permits>) -> Self {
        let mut own = of_process();
        own.extend(more.iter().cloned());
        if let Some(permits) = permits {
            // A program that gets one of these starts with code of others: Deno starts none then, unless all may run.
            let loads_code = |name: &str| name.starts_with("LD_") && !permits.has_all(Access::Run);
            let is_seen = |name: &str| permits.sees_variable(name) && !loads_code(name);
            own.retain(|name, _| name == trace::NAME || is_seen(name));
        }
        Self::Own(Arc::new(Mutex::new(own)))
    }

    /// Sets the trace of an invocation in a copy; the process has it already.
    pub(crate) fn follow_trace(&self, trace: Option<&str>) {
        let Self::Own(own) = self else { return };
        match trace {
            Some(trace) => lock(own).insert(trace::NAME.to_owned(), trace.to_owned()),
            None => lock(own).remove(trace::NAME),
        };
    }

    fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Process => ProcessEnvGuard::lock().var_os(name)?.into_string().ok(),
            Self::Own(own) => lock(own).get(name).cloned(),
        }
    }

    fn all(&self) -> HashMap<String, String> {
        match self {
            Self::Process => of_process(),
            Self::Own(own) => lock(own).clone(),
        }
    }

    /// Sets a variable, or removes it. Returns whether the time zone may have changed.
    fn put(&self, name: &str, value: Option<&str>) -> bool {
        if let Self::Own(own) = self {
            match value {
                Some(value) => lock(own).insert(name.to_owned(), value.to_owned()),
                None => lock(own).remove(name),
            };
        }
        if matches!(self, Self::Process) || name == TIME_ZONE {
            let process = ProcessEnvGuard::lock();
            match value {
                Some(value) => process.set_var(name, value),
                None => process.remove_var(name),
            }
        }
        name == TIME_ZONE
    }
}

fn lock(own: &Mutex<HashMap<String, String>>) -> MutexGuard<'_, HashMap<String, String>> {
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the process's variables. Those that are not Unicode have no form in JavaScript and are left out.
fn of_process() -> HashMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    ProcessEnvGuard::lock().vars_os().into_iter().filter_map(text).collect()
}

/// Replaces Deno's operations on the process's environment.
pub(crate) fn redirect(op: OpDecl) -> OpDecl {
    match op.name {
        "op_env" => op.with_implementation_from(&op_trine_env()),
        "op_get_env" => op.with_implementation_from(&op_trine_get_env()),
        "op_get_env_no_permission_check" => op.with_implementation_from(&op_trine_get_env()),
        "op_set_env" => op.with_implementation_from(&op_trine_set_env()),
        "op_delete_env" => op.with_implementation_from(&op_trine_delete_env()),
        "op_node_load_env_file" => op.with_implementation_from(&op_trine_load_env_file()),
        _ => op,
    }
}

fn check_name(name: &str) -> Result<(), OsError> {
    match name {
        "" => Err(OsError::EnvEmptyKey),
        _ if name.contains(['=', '\0']) => Err(OsError::EnvInvalidKey(name.to_owned())),
        _ => Ok(()),
    }
}

/// Asks whether the guest may set a variable. One that it may not see is not there; setting it is refused.
fn ask(state: &OpState, name: &str) -> Result<(), PermissionCheckError> {
    // As above.
    state.try_borrow::<PermissionsContainer>().map_or(Ok(()), |own| own.check_env(name))
}

fn variables(state: &OpState) -> Variables {
    // While a snapshot's isolate bootstraps, nothing has been put there yet.
    state.try_borrow::<Variables>().cloned().unwrap_or(Variables::Process)
}

/// Returns a variable as the guest with this state sees it.
pub(crate) fn variable(state: &OpState, name: &str) -> Option<String> {
    variables(state).get(name)
}

#[op2]
#[serde]
fn op_trine_env(state: &mut OpState) -> HashMap<String, String> {
    variables(state).all()
}

#[op2]
#[string]
fn op_trine_get_env(state: &mut OpState, #[string] name: &str) -> Result<Option<String>, OsError> {
    check_name(name)?;
    Ok(variables(state).get(name))
}

#[op2(fast)]
fn op_trine_set_env(
    state: &mut OpState,
    scope: &mut v8::PinScope<'_, '_>,
    #[string] name: &str,
    #[string] value: &str,
) -> Result<(), OsError> {
    check_name(name)?;
    ask(state, name)?;
    if value.contains('\0') {
        return Err(OsError::EnvInvalidValue(value.to_owned()));
    }
    if variables(state).put(name, Some(value)) {
        notice_time_zone(scope);
    }
    Ok(())
}

#[op2(fast)]
fn op_trine_delete_env(
    state: &mut OpState,
    scope: &mut v8::PinScope<'_, '_>,
    #[string] name: &str,
) -> Result<(), OsError> {
    check_name(name)?;
    ask(state, name)?;
    if variables(state).put(name, None) {
        notice_time_zone(scope);
    }
    Ok(())
}

/// Implements `process.loadEnvFile(path)`. Variables that are already set stay, as in Node.
#[op2(fast)]
#[undefined]
fn op_trine_load_env_file(
    state: &mut OpState,
    scope: &mut v8::PinScope<'_, '_>,
    #[string] path: &str,
) -> Result<(), io::Error> {
    let open = |own: &PermissionsContainer| {
        let api = Some("process.loadEnvFile()");
        let path = own.check_open(Cow::Borrowed(Path::new(path)), OpenAccessKind::Read, api);
        path.map_err(PermissionCheckError::into_io_error)
            .and_then(|path| fs::read(path.into_path()))
    };
    let text = open(state.borrow::<PermissionsContainer>())?;
    let variables = variables(state);
    let (mut time_zone, mut refused) = (false, None);
    deno_dotenv::parse_env_content_hook(&String::from_utf8_lossy(&text), &mut |name, value| {
        let until_nul = |text: &str| text.split('\0').next().unwrap_or_default().to_owned();
        let (name, value) = (until_nul(name), until_nul(value));
        if check_name(&name).is_ok() && variables.get(&name).is_none() {
            match ask(state, &name) {
                Ok(()) => time_zone |= variables.put(&name, Some(&value)),
                Err(error) => refused = refused.take().or(Some(error)),
            }
        }
    });
    if time_zone {
        notice_time_zone(scope);
    }
    refused.map_or(Ok(()), |error| Err(error.into_io_error()))
}

fn notice_time_zone(isolate: &mut v8::Isolate) {
    isolate.date_time_configuration_change_notification(v8::TimeZoneDetection::Redetect);
}
