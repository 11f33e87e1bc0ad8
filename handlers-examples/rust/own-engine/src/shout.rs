//! The language shout: a file is a greeting, and calling it answers with the greeting and the event in capitals.

use std::fs;
use trine_engine::{
    Engine, EngineInfo, Error, ErrorKind, Invocation, Output, Result, Simple, SimpleEnvironment,
    SimpleRuntime,
};

pub(crate) fn engine() -> impl Engine {
    let info = EngineInfo::new("shout", "Shout", "shout 1.0").with_extensions(&["shout"]);
    Simple::new(info, Shout::default)
}

#[derive(Default)]
struct Shout {
    greeting: String,
}

impl SimpleRuntime for Shout {
    fn setup(&mut self, environment: &SimpleEnvironment) -> Result<()> {
        let path = environment.path.display();
        let text = fs::read_to_string(&environment.path);
        let text = text.map_err(|e| Error::new(ErrorKind::ImportModule, format!("{path}: {e}")))?;
        if text.trim().is_empty() {
            let message = format!("{path} is empty: write a greeting into it");
            return Err(Error::new(ErrorKind::UserCodeSyntax, message));
        }
        self.greeting = text.trim().to_owned();
        Ok(())
    }

    fn invoke(&mut self, event: &[u8], _invocation: &Invocation) -> Result<Output> {
        let event: serde_json::Value = serde_json::from_slice(event)
            .map_err(|e| Error::new(ErrorKind::Unmarshal, e.to_string()))?;
        let name = event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        Ok(Output::Json(format!("{} {}", self.greeting, name.to_uppercase()).into()))
    }
}
