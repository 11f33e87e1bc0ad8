//! The reference engine: *shout*, the language of the tutorial. Its source file is a greeting; calling it answers with
//! the greeting and the event in capitals.

use trine_engine::{
    Engine, EngineInfo, Error, ErrorKind, Invocation, Output, Result, Simple, SimpleEnvironment,
    SimpleRuntime,
};

/// Returns the engine of the *shout* language, for files that end in `.shout`.
///
/// A missing file is an [`ErrorKind::ImportModule`], an empty one an [`ErrorKind::UserCodeSyntax`], and an event that
/// is not UTF-8 an [`ErrorKind::Unmarshal`].
pub fn engine() -> impl Engine {
    let info = EngineInfo::new("shout", "Shout", "shout 1.0").with_extensions(&["shout"]);
    Simple::new(info, Shout::default)
}

/// One handler, with its greeting.
#[derive(Debug, Default)]
struct Shout {
    greeting: String,
}

impl SimpleRuntime for Shout {
    fn setup(&mut self, environment: &SimpleEnvironment) -> Result<()> {
        let path = environment.path.display();
        let source = std::fs::read_to_string(&environment.path)
            .map_err(|e| Error::new(ErrorKind::ImportModule, format!("cannot read {path}: {e}")))?;
        self.greeting = source.trim().to_owned();
        if self.greeting.is_empty() {
            return Err(Error::new(ErrorKind::UserCodeSyntax, format!("{path} has no greeting")));
        }
        Ok(())
    }

    fn invoke(&mut self, event: &[u8], _invocation: &Invocation) -> Result<Output> {
        let event = std::str::from_utf8(event).map_err(|e| {
            Error::new(ErrorKind::Unmarshal, format!("the event is no valid UTF-8: {e}"))
        })?;
        Ok(Output::Json(format!("{} {}", self.greeting, event.to_uppercase()).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::{path::Path, rc::Rc};
    use trine_engine::{Environment, Form, LogSettings, Module, Payload, Wanted};

    /// Loads a handler with this source and calls it once.
    fn run(source: Option<&str>, event: &'static [u8]) -> Result<Bytes> {
        let folder = crate::conformance::TemporaryFolder::new();
        let path = folder.path().join("app.shout");
        if let Some(source) = source {
            std::fs::write(&path, source).unwrap();
        }
        let environment = Environment::new("/opt", LogSettings::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(call(&environment, folder.path(), &path, event))
    }

    async fn call(
        environment: &Environment,
        root: &Path,
        path: &Path,
        event: &'static [u8],
    ) -> Result<Bytes> {
        let instance = engine().start(environment)?;
        let wanted = Wanted::Handler("handler".into());
        let module = Module::new(root, path, "app", wanted);
        let exports = instance.load(&module).await?;
        let (name, function) = &exports.functions[0];
        assert_eq!(name, "handler");
        let invocation = Rc::new(Invocation::default());
        let event = Payload::json(Bytes::from_static(event));
        let answer = instance.call(*function, event, Form::Json, &invocation).await?;
        assert_eq!(instance.usage().calls, 1);
        instance.shutdown();
        Ok(answer.into_bytes()?.0)
    }

    #[test]
    fn it_greets_in_capitals() {
        assert_eq!(run(Some("HELLO\n"), b"\"you\"").unwrap(), r#""HELLO \"YOU\"""#);
    }

    #[test]
    fn what_cannot_be_loaded_is_an_error_of_its_kind() {
        assert_eq!(run(None, b"1").unwrap_err().kind(), ErrorKind::ImportModule);
        assert_eq!(run(Some(" \n"), b"1").unwrap_err().kind(), ErrorKind::UserCodeSyntax);
    }

    #[test]
    fn an_event_that_is_no_text_is_an_error_of_the_invocation() {
        assert_eq!(run(Some("HI"), b"\xff").unwrap_err().kind(), ErrorKind::Unmarshal);
    }
}
