//! The form and the lowest level of log lines, as settings.

use std::str::FromStr;
use trine_emulator::LogForm;
use trine_engine::{Level, LogFormat};

/// A [`LogFormat`] as a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format(pub LogFormat);

impl Format {
    /// Returns the form of the platform's own lines in such a log.
    pub(crate) fn of_platform(self) -> LogForm {
        match self.0 {
            LogFormat::Text => LogForm::Text,
            LogFormat::Json => LogForm::Json,
        }
    }

    /// Returns the name as Lambda writes it.
    pub fn name(self) -> &'static str {
        match self.0 {
            LogFormat::Text => "Text",
            LogFormat::Json => "JSON",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Ok(Self(LogFormat::Text)),
            "json" => Ok(Self(LogFormat::Json)),
            _ => Err("use JSON or Text".to_owned()),
        }
    }
}

/// A lowest level as a setting, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast(pub Option<Level>);

impl FromStr for AtLeast {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(|level| Self(Some(level)))
    }
}
