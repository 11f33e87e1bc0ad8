//! What functions may do, as variables and flags say.

use super::{Origin, Setting, SettingError};
use trine_engine::{Access, Extent, Permissions};

/// The variable that allows everything.
const ALLOW_ALL: &str = "TRINE_ALLOW_ALL";

/// The variables that allow and deny, by kind of access.
const VARIABLES: [(Access, &str, &str); 6] = [
    (Access::Net, "TRINE_ALLOW_NET", "TRINE_DENY_NET"),
    (Access::Read, "TRINE_ALLOW_READ", "TRINE_DENY_READ"),
    (Access::Write, "TRINE_ALLOW_WRITE", "TRINE_DENY_WRITE"),
    (Access::Env, "TRINE_ALLOW_ENV", "TRINE_DENY_ENV"),
    (Access::Run, "TRINE_ALLOW_RUN", "TRINE_DENY_RUN"),
    (Access::Ffi, "TRINE_ALLOW_FFI", "TRINE_DENY_FFI"),
];

/// Reads how much of a kind of access a text names.
///
/// # Errors
/// The reason why it names none.
pub fn extent(access: Access, text: &str) -> Result<Extent, String> {
    let extent: Extent = text.parse()?;
    Permissions::default().allow(access, extent.clone())?;
    Ok(extent)
}

/// Reads what the variables say.
pub(super) fn from_environment(
    variable: impl Fn(&'static str) -> (&'static str, Option<String>),
) -> Result<Setting<Permissions>, SettingError> {
    let mut permissions = Setting { value: Permissions::default(), origin: Origin::Default };
    let all = Setting::read(
        variable(ALLOW_ALL),
        |text| match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("use true or false".to_owned()),
        },
        || false,
    )?;
    if all.value {
        permissions.value.allow_all();
        permissions.origin = all.origin;
    }
    for (access, allowed, denied) in VARIABLES {
        for (name, is_denied) in [(allowed, false), (denied, true)] {
            let (name, text) = variable(name);
            let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
            let said = extent(access, &text).and_then(|extent| match is_denied {
                false => permissions.value.allow(access, extent),
                true => permissions.value.deny(access, extent),
            });
            said.map_err(|reason| SettingError { name, text, reason })?;
            permissions.origin = Origin::Environment(name);
        }
    }
    Ok(permissions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&'static str, &str)]) -> Result<Setting<Permissions>, SettingError> {
        from_environment(|name| {
            let value = variables.iter().find(|(known, _)| *known == name);
            (name, value.map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn variables_narrow_what_functions_may_do() {
        assert!(!read(&[]).unwrap().value.are_narrowed());
        let net = read(&[("TRINE_ALLOW_NET", "*"), ("TRINE_DENY_NET", "10.0.0.0/8")]).unwrap();
        assert_eq!(net.origin, Origin::Environment("TRINE_DENY_NET"));
        assert!(net.value.narrow(Access::Net) && net.value.narrow(Access::Run));
        let all = read(&[("TRINE_ALLOW_NET", "a"), ("TRINE_ALLOW_ALL", "true")]).unwrap();
        assert!(!all.value.are_narrowed());
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_variable() {
        let told = |name, text| read(&[(name, text)]).unwrap_err().to_string();
        assert_eq!(
            told("TRINE_ALLOW_ALL", "yes"),
            "the environment variable TRINE_ALLOW_ALL is \"yes\": use true or false"
        );
        let url = told("TRINE_DENY_NET", "https://a.example");
        assert!(url.starts_with("the environment variable TRINE_DENY_NET is "), "{url}");
        assert!(url.ends_with("did you mean \"a.example:443\"?"), "{url}");
    }
}
