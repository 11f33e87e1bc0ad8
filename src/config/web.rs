//! The settings of functions that are web applications.

use super::{SettingError, optional};
use crate::handler::Located;
use std::str::FromStr;
use trine_engine::{Interface, Result};

/// The settings of functions that are web applications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebSettings {
    /// How handlers are called: `TRINE_INTERFACE`, else their languages tell.
    pub interface: Option<Interface>,
    /// How answers to events leave: `TRINE_RESPONSE_MODE`, else whole.
    pub response_mode: ResponseMode,
}

/// How a web application's answer to an event leaves. The event does not tell what its sender can take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// When it is whole.
    #[default]
    Buffered,
    /// While it is made.
    Stream,
}

impl FromStr for ResponseMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "buffered" => Ok(Self::Buffered),
            // As function URLs call it.
            "stream" | "response_stream" => Ok(Self::Stream),
            _ => Err("use buffered or stream".to_owned()),
        }
    }
}

impl WebSettings {
    /// Reads the settings from variables.
    ///
    /// # Errors
    /// [`SettingError`] when one is invalid.
    pub(super) fn read(env: impl Fn(&'static str) -> Option<String>) -> Result<Self, SettingError> {
        let variable = |name| (name, env(name));
        let interface = |text: &str| text.parse::<Interface>().map_err(|e| e.message().to_owned());
        Ok(Self {
            interface: optional(variable("TRINE_INTERFACE"), interface)?.value,
            response_mode: optional(variable("TRINE_RESPONSE_MODE"), str::parse)?
                .value
                .unwrap_or_default(),
        })
    }

    /// Has a handler called as it is set, where it is.
    ///
    /// # Errors
    /// As [`Located::set_interface`].
    pub fn apply_to(&self, handler: &mut Located) -> Result<()> {
        self.interface.map_or(Ok(()), |interface| handler.set_interface(interface))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, text: &'static str) -> Result<WebSettings, SettingError> {
        WebSettings::read(|asked| (asked == name).then(|| text.to_owned()))
    }

    #[test]
    fn settings_of_applications_are_read_and_checked() {
        assert_eq!(read("TRINE_INTERFACE", "").unwrap(), WebSettings::default());
        assert_eq!(read("TRINE_INTERFACE", "wsgi").unwrap().interface, Some(Interface::Wsgi));
        assert_eq!(
            read("TRINE_RESPONSE_MODE", "RESPONSE_STREAM").unwrap().response_mode,
            ResponseMode::Stream
        );
        let error = read("TRINE_RESPONSE_MODE", "streamed").unwrap_err();
        assert!(error.to_string().ends_with("use buffered or stream"), "{error}");
        assert!(
            read("TRINE_INTERFACE", "http").unwrap_err().reason().contains("one of event, asgi")
        );
    }
}
