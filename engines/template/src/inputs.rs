//! What a file's values may depend on beside the file.

use std::collections::BTreeMap;

/// The values that a file's author leaves to whoever deploys it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inputs {
    /// Parameters: those of a CloudFormation template, and `${param:NAME}` of the Serverless Framework.
    pub parameters: BTreeMap<String, String>,
    /// Options of the command line, for `${opt:NAME}` of the Serverless Framework: `stage`, `region`.
    pub options: BTreeMap<String, String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
}

impl Inputs {
    /// Returns inputs with the environment variables of this process. Those that are no Unicode are left out.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { environment: std::env::vars_os().filter_map(text).collect(), ..Self::default() }
    }

    /// Returns the region of AWS that these variables choose, else `us-east-1`.
    pub(crate) fn region(&self) -> &str {
        let named = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let mut regions = named.iter().filter_map(|name| self.environment.get(*name));
        regions.find(|region| !region.is_empty()).map_or("us-east-1", String::as_str)
    }
}
