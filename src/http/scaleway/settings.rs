//! The settings of Scaleway's functions, as their platform's variables say them.

use super::Access;
use std::sync::Arc;
use trine_engine::Conventions;

/// The member of an event that has the headers.
const HEADERS: &str = "headers";
/// The memory that a context tells of where nothing else is set, in MB.
const DEFAULT_MEMORY: u64 = 128;

/// What functions with events of Scaleway's form are told, and who may call them.
#[derive(Debug, Clone)]
pub struct Scaleway {
    /// Who may call them.
    pub access: Access,
    /// Whether to behave as behind the platform's ingress, as their libraries for local tests do: requests get its headers,
    /// responses name its server.
    pub local: bool,
    /// Whether each request is told in the log, in the words of the core runtime.
    pub tells_requests: bool,
    /// Whether `/favicon.ico` reaches functions.
    pub favicon: bool,
    /// `memoryLimitInMb` of contexts.
    pub memory_mb: u64,
    /// `functionName` of contexts; of each function its own where there is none.
    pub function_name: Option<String>,
    /// `functionVersion` of contexts.
    pub function_version: String,
}

impl Default for Scaleway {
    fn default() -> Self {
        Self {
            access: Access::Public,
            local: false,
            tells_requests: false,
            favicon: false,
            memory_mb: DEFAULT_MEMORY,
            function_name: None,
            function_version: String::new(),
        }
    }
}

impl Scaleway {
    /// Reads the variables of the platform. `is_theirs` says that the process was started by it, or in its way: then
    /// functions are private unless a variable says otherwise, elsewhere only where one says so.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>, is_theirs: bool) -> Self {
        let text = |name: &str| variable(name).unwrap_or_default();
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let is_public = match set("SCW_PUBLIC") {
            Some(value) => value == "true",
            None => !is_theirs && set("SCW_PUBLIC_KEY").is_none(),
        };
        let access = match is_public {
            true => Access::Public,
            false => Access::of(
                &text("SCW_PUBLIC_KEY"),
                &text("SCW_NAMESPACE_ID"),
                &text("SCW_APPLICATION_ID"),
            ),
        };
        let favicon = text("SCW_ALLOW_FAVICON");
        Self {
            access,
            local: false,
            tells_requests: is_theirs,
            favicon: ["1", "t", "T", "TRUE", "true", "True"].contains(&favicon.as_str()),
            memory_mb: text("SCW_APPLICATION_MEMORY").parse().unwrap_or(DEFAULT_MEMORY),
            function_name: set("SCW_APPLICATION_NAME"),
            function_version: text("SCW_APPLICATION_VERSION"),
        }
    }

    /// Returns what the handler of this function expects.
    pub(in crate::http) fn conventions(&self, function: &str) -> Arc<Conventions> {
        let name = self.function_name.as_deref().unwrap_or(function);
        let context = serde_json::json!({
            "memoryLimitInMb": self.memory_mb,
            "functionName": name,
            "functionVersion": self.function_version,
        });
        let headers = Some(HEADERS.to_owned());
        Arc::new(Conventions { context: context.to_string(), headers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)], is_theirs: bool) -> Scaleway {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Scaleway::from_variables(find, is_theirs)
    }

    #[test]
    fn functions_are_private_on_the_platform_and_where_a_variable_says_so() {
        let is_public = |variables: &[(&str, &str)], is_theirs| {
            matches!(of(variables, is_theirs).access, Access::Public)
        };
        assert!(is_public(&[], false) && !is_public(&[], true));
        assert!(!is_public(&[("SCW_PUBLIC_KEY", "x")], false));
        for is_theirs in [false, true] {
            assert!(is_public(&[("SCW_PUBLIC", "true"), ("SCW_PUBLIC_KEY", "x")], is_theirs));
            assert!(!is_public(&[("SCW_PUBLIC", "True")], is_theirs));
        }
    }

    #[test]
    fn a_context_has_three_members() {
        let context =
            |variables: &[(&str, &str)]| of(variables, false).conventions("hello").context.clone();
        assert_eq!(
            context(&[]),
            r#"{"memoryLimitInMb":128,"functionName":"hello","functionVersion":""}"#
        );
        let all = [
            ("SCW_APPLICATION_MEMORY", "256"),
            ("SCW_APPLICATION_NAME", "shop"),
            ("SCW_APPLICATION_VERSION", "3"),
        ];
        assert_eq!(
            context(&all),
            r#"{"memoryLimitInMb":256,"functionName":"shop","functionVersion":"3"}"#
        );
        assert_eq!(of(&[("SCW_APPLICATION_MEMORY", "much")], false).memory_mb, 128);
    }
}
