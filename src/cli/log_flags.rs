//! `--log-format` and `--log-level`, as the commands have them that run functions.

use crate::config::{Format, Settings};
use trine_engine::{Level, LogFormat};

/// The flags.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct LogFlags {
    /// Form of what functions log: text or json [default: the variable AWS_LAMBDA_LOG_FORMAT, else text]
    #[arg(long, value_name = "text|json")]
    log_format: Option<Format>,
    /// Lowest level of what functions log: trace, debug, info, warn, error or fatal [default: the variable
    /// AWS_LAMBDA_LOG_LEVEL, else each language's own]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<Level>,
}

impl LogFlags {
    /// Applies the flags, which take precedence over the variables.
    pub(super) fn apply_to(&self, settings: &mut Settings) {
        settings.set_log(self.log_format, self.log_level);
    }

    /// Returns the variables that say the same to a runtime.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let format = self.log_format;
        let format = format.map(|format| ("AWS_LAMBDA_LOG_FORMAT", format.name().to_owned()));
        let level = self.log_level.map(|level| ("AWS_LAMBDA_LOG_LEVEL", level.name().to_owned()));
        format.into_iter().chain(level).collect()
    }

    /// Returns the form that the flag asks for, else the variable, which `set` looks up.
    pub(super) fn form(&self, set: impl Fn(&str) -> Option<String>) -> Format {
        let variable = || set("AWS_LAMBDA_LOG_FORMAT").and_then(|text| text.parse().ok());
        self.log_format.or_else(variable).unwrap_or(Format(LogFormat::Text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AtLeast, Origin};

    #[test]
    fn flags_take_precedence_over_variables() {
        let variables = |name: &str| match name {
            "AWS_LAMBDA_LOG_FORMAT" => Some("JSON".to_owned()),
            "AWS_LAMBDA_LOG_LEVEL" => Some("ERROR".to_owned()),
            _ => None,
        };
        let mut settings = Settings::from_environment(variables).unwrap();
        let none = LogFlags::default();
        none.apply_to(&mut settings);
        assert_eq!(settings.log_format.value, Format(LogFormat::Json));
        assert_eq!(
            (none.form(variables), none.form(|_| None)),
            (Format(LogFormat::Json), Format(LogFormat::Text))
        );
        assert_eq!(none.form(|_| Some("xml".to_owned())), Format(LogFormat::Text));
        assert_eq!(none.variables(), []);
        let flags =
            LogFlags { log_format: Some(Format(LogFormat::Text)), log_level: Some(Level::Warn) };
        flags.apply_to(&mut settings);
        assert_eq!(settings.log_format.value, Format(LogFormat::Text));
        assert_eq!(settings.log_format.origin, Origin::Flag("--log-format"));
        assert_eq!(settings.log_level.value, AtLeast(Some(Level::Warn)));
        assert_eq!(flags.form(variables), Format(LogFormat::Text));
        let told = flags.variables();
        assert_eq!(
            told.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
            ["AWS_LAMBDA_LOG_FORMAT=Text", "AWS_LAMBDA_LOG_LEVEL=WARN"]
        );
    }
}
