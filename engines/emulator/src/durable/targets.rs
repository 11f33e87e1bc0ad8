//! The functions that chained invocations name.

use super::{
    super::{
        directory::Directory,
        invoke_api::{FunctionName, UNQUALIFIED},
        options::EmulatorOptions,
    },
    operation::ErrorObject,
};

/// A function that can be invoked.
pub(super) struct Found<'d> {
    pub(super) place: usize,
    pub(super) options: &'d EmulatorOptions,
    pub(super) version: String,
    /// Its ARN as it is invoked.
    pub(super) arn: String,
}

/// The reason why none can.
#[derive(Debug)]
pub(super) enum Unfound {
    /// The name is none.
    Malformed(String),
    /// The operation fails with this.
    Refused(ErrorObject),
}

impl Unfound {
    pub(super) fn into_error(self) -> ErrorObject {
        match self {
            Self::Malformed(what) => ErrorObject::new("InvalidParameterValueException", what),
            Self::Refused(error) => error,
        }
    }
}

/// Finds the function with a name, a partial or a whole ARN.
pub(super) fn find<'d>(directory: &'d Directory, text: &str) -> Result<Found<'d>, Unfound> {
    let named = FunctionName::parse(text, None)
        .map_err(|_| Unfound::Malformed(format!("Invalid function ARN '{text}'")))?;
    let Some((place, options)) = directory.find(named.name) else {
        let message = format!("Function not found: {text}");
        return Err(Unfound::Refused(ErrorObject::new("ResourceNotFoundException", message)));
    };
    if options.durable.is_some() && named.qualifier.is_none() {
        let message = format!("{UNQUALIFIED} Name it {text}:$LATEST.");
        return Err(Unfound::Refused(ErrorObject::new("InvalidParameterValueException", message)));
    }
    let arn = named.arn.unwrap_or_else(|| options.function_arn());
    let arn = named.qualifier.as_ref().map_or(arn.clone(), |own| format!("{arn}:{own}"));
    let version = options.executed_version(named.qualifier.as_deref()).to_owned();
    Ok(Found { place, options, version, arn })
}
