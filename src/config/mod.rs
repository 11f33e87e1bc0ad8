//! The settings of a process: defaults, then the environment, then flags. Every value knows where it came from.

use crate::handler::SearchPaths;
use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};
use trine_engine::{Environment, FunctionInfo, Level, LogFormat, LogSettings, LogSink};

/// Where a setting's value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nothing was said.
    Default,
    /// An environment variable of this name.
    Environment(&'static str),
    /// A flag of this name.
    Flag(&'static str),
    /// What the command was told to work on.
    Argument,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::Flag(name) => write!(f, "the flag {name}"),
            Self::Argument => f.write_str("the command's argument"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// The value of a flag if it was given, of the variable if it is set, else the default.
    ///
    /// # Errors
    /// [`SettingError`] when the variable's text is no such value.
    pub fn resolve(
        flag: (&'static str, Option<T>),
        variable: (&'static str, Option<String>),
        default: impl FnOnce() -> T,
    ) -> Result<Self, SettingError>
    where
        T: FromStr<Err: fmt::Display>,
    {
        if let (name, Some(value)) = flag {
            return Ok(Self { value, origin: Origin::Flag(name) });
        }
        match variable {
            (name, Some(text)) if !text.is_empty() => match text.parse() {
                Ok(value) => Ok(Self { value, origin: Origin::Environment(name) }),
                Err(error) => Err(SettingError { name, text, reason: error.to_string() }),
            },
            _ => Ok(Self { value: default(), origin: Origin::Default }),
        }
    }
}

/// An environment variable whose text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} is {text:?}: {reason}")]
pub struct SettingError {
    name: &'static str,
    text: String,
    reason: String,
}

/// The settings that hold for every front door.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The function's folder: `LAMBDA_TASK_ROOT`, else the working directory.
    pub task_root: Setting<PathBuf>,
    /// Where layers are unpacked: `TRINE_LAYER_ROOT`, else `/opt`.
    pub layer_root: Setting<PathBuf>,
    /// Form of log lines: `AWS_LAMBDA_LOG_FORMAT` (`JSON` or `Text`), else text.
    pub log_format: Setting<Format>,
    /// Lowest level of log lines: `AWS_LAMBDA_LOG_LEVEL`; none leaves each language its own default.
    pub log_level: Setting<AtLeast>,
    /// What the platform says about the function.
    pub function: FunctionInfo,
}

/// [`LogFormat`] as a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format(pub LogFormat);

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

/// A lowest level, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast(pub Option<Level>);

impl FromStr for AtLeast {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(|level| Self(Some(level)))
    }
}

impl Settings {
    /// Settings from the environment, which `env` looks up.
    ///
    /// # Errors
    /// When a variable's text is not what it should be.
    pub fn from_environment(
        env: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, SettingError> {
        let variable = |name: &'static str| (name, env(name));
        Ok(Self {
            task_root: Setting::resolve(("", None), variable("LAMBDA_TASK_ROOT"), || {
                std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
            })?,
            layer_root: Setting::resolve(("", None), variable("TRINE_LAYER_ROOT"), || {
                PathBuf::from("/opt")
            })?,
            log_format: Setting::resolve(("", None), variable("AWS_LAMBDA_LOG_FORMAT"), || {
                Format(LogFormat::Text)
            })?,
            log_level: Setting::resolve(("", None), variable("AWS_LAMBDA_LOG_LEVEL"), || {
                AtLeast(None)
            })?,
            function: FunctionInfo {
                name: env("AWS_LAMBDA_FUNCTION_NAME"),
                version: env("AWS_LAMBDA_FUNCTION_VERSION"),
                memory_mb: env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
                log_group: env("AWS_LAMBDA_LOG_GROUP_NAME"),
                log_stream: env("AWS_LAMBDA_LOG_STREAM_NAME"),
            },
        })
    }

    /// Where a handler is looked for.
    pub fn search_paths(&self) -> SearchPaths {
        SearchPaths {
            layer_root: self.layer_root.value.clone(),
            ..SearchPaths::new(&self.task_root.value)
        }
    }

    /// Where guests and the runtime write to.
    pub fn log(&self, sink: impl LogSink + 'static) -> LogSettings {
        LogSettings {
            sink: Arc::new(sink),
            format: self.log_format.value.0,
            level: self.log_level.value.0,
        }
    }

    /// What an instance on the main thread of a process is told that takes one invocation at a time.
    pub fn sequential_environment(&self, log: LogSettings) -> Environment {
        Environment {
            layer_root: self.layer_root.value.clone(),
            function: self.function.clone(),
            log,
            main_thread: true,
            trace_in_environment: true,
            memory_limit: None,
        }
    }

    /// What an instance on one of several threads is told.
    pub fn concurrent_environment(&self, log: LogSettings) -> Environment {
        Environment {
            main_thread: false,
            trace_in_environment: false,
            ..self.sequential_environment(log)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&'static str, &str)]) -> Result<Settings, SettingError> {
        Settings::from_environment(|name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn a_value_knows_where_it_came_from() {
        let settings = settings(&[("LAMBDA_TASK_ROOT", "/var/task")]).unwrap();
        assert_eq!(settings.task_root.value, PathBuf::from("/var/task"));
        assert_eq!(settings.task_root.origin, Origin::Environment("LAMBDA_TASK_ROOT"));
        assert_eq!(settings.layer_root.origin, Origin::Default);
        let flag = Setting::resolve(("--port", Some(1_u16)), ("PORT", Some("2".into())), || 3);
        assert_eq!(flag.unwrap(), Setting { value: 1, origin: Origin::Flag("--port") });
    }

    #[test]
    fn a_wrong_text_is_named_with_its_variable() {
        let error = settings(&[("AWS_LAMBDA_LOG_FORMAT", "xml")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable AWS_LAMBDA_LOG_FORMAT is \"xml\": use JSON or Text"
        );
    }

    #[test]
    fn log_format_and_level_are_read_in_any_case() {
        let settings =
            settings(&[("AWS_LAMBDA_LOG_FORMAT", "json"), ("AWS_LAMBDA_LOG_LEVEL", "Warn")]);
        let settings = settings.unwrap();
        assert_eq!(settings.log_format.value.0, LogFormat::Json);
        assert_eq!(settings.log_level.value.0, Some(Level::Warn));
    }
}
