//! The functions that a plug-in has found in a file, and the choice among them.

use crate::{
    convert::{fault, shortened},
    library::Library,
};
use serde_json::Value;
use trine_engine::{Error, ErrorKind, Hook, Module, Result, Wanted, alternatives, unnamed_handler};

/// The name that answers to the name of any handler.
const ANY: &str = "*";

/// A function, by its name and the plug-in's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) number: u32,
    /// The hook that it is.
    pub(crate) hook: Option<Hook>,
}

/// Reads what `load` has given: names and numbers.
pub(crate) fn read(library: &Library, bytes: &[u8]) -> Result<Vec<(String, u32)>> {
    parse(bytes).map_err(|why| {
        fault(library, &format!("`load` has given no functions: {why}: {}", shortened(bytes)))
    })
}

fn parse(bytes: &[u8]) -> Result<Vec<(String, u32)>, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let functions = value.get("functions").and_then(Value::as_object);
    let functions = functions.ok_or("it has no object \"functions\"")?;
    let number = |(name, number): (&String, &Value)| match number.as_u64().map(u32::try_from) {
        Some(Ok(number)) => Ok((name.clone(), number)),
        _ => {
            Err(format!("the number of {name:?} is {number}, which is none from 0 to {}", u32::MAX))
        }
    };
    functions.iter().map(number).collect()
}

/// The functions that are wanted of a module, and the names of the others.
pub(crate) type Chosen = (Vec<Function>, Vec<String>);

/// Chooses what is wanted of a module.
pub(crate) fn choose(module: &Module, found: Vec<(String, u32)>) -> Result<Chosen> {
    if module.wanted == Wanted::Hooks {
        // `wrap` gets a function as its value, and functions have no form that crosses.
        let hook = |name: &str| Hook::named(name).filter(|hook| *hook != Hook::Wrap);
        let (hooks, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(name, _)| hook(name).is_some());
        let hooks = hooks.into_iter().map(|(name, number)| {
            let hook = hook(&name);
            Function { name, number, hook }
        });
        return Ok((hooks.collect(), others.into_iter().map(|(name, _)| name).collect()));
    }
    let has = |wanted: &str| found.iter().find(|(name, _)| name == wanted);
    let wanted = match &module.wanted {
        Wanted::Handler(name) => Some(name.as_str()),
        _ => None,
    };
    let chosen = match wanted {
        Some(name) => has(name),
        None => unnamed_handler(|name| has(name).is_some()).and_then(has),
    };
    let chosen = chosen.or_else(|| has(ANY)).or(match found.as_slice() {
        // What nobody has named is the only one that there is.
        [only] if wanted.is_none_or(str::is_empty) => Some(only),
        _ => None,
    });
    if let Some((name, number)) = chosen {
        let name = if name == ANY { wanted.unwrap_or("handler") } else { name };
        let function = Function { name: name.to_owned(), number: *number, hook: None };
        return Ok((vec![function], Vec::new()));
    }
    let names: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
    let rest = alternatives(module, wanted, &names);
    let what = wanted.map_or_else(|| "handler".to_owned(), |name| format!("function '{name}'"));
    let message = format!("module '{}' has no {what}{rest}", module.name);
    Err(Error::new(ErrorKind::HandlerNotFound, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: Wanted, found: &[&str]) -> Result<(Vec<String>, Vec<String>)> {
        let module = Module::new("/task", "/task/app.up", "app", wanted);
        let found = found.iter().zip(0..).map(|(name, number)| ((*name).to_owned(), number));
        let (functions, others) = choose(&module, found.collect())?;
        Ok((functions.into_iter().map(|function| function.name).collect(), others))
    }

    fn handler(name: &str) -> Wanted {
        Wanted::Handler(name.to_owned())
    }

    #[test]
    fn numbers_are_those_that_a_call_can_name() {
        assert_eq!(
            parse(br#"{"functions": {"a": 0, "b": 4294967295}, "more": 1}"#).unwrap(),
            [("a".to_owned(), 0), ("b".to_owned(), u32::MAX)]
        );
        for number in ["-1", "4294967296", "1.5", "\"1\"", "null"] {
            let text = format!("{{\"functions\": {{\"a\": {number}}}}}");
            let told = parse(text.as_bytes()).unwrap_err();
            assert!(told.starts_with(&format!("the number of \"a\" is {number}")), "{told}");
        }
        assert!(
            parse(b"[]").is_err() && parse(b"").is_err() && parse(b"{\"functions\": []}").is_err()
        );
    }

    #[test]
    fn the_handler_is_the_one_that_was_named_or_answers_to_any_name() {
        assert_eq!(chosen(handler("get"), &["put", "get"]).unwrap().0, ["get"]);
        assert_eq!(chosen(handler("get"), &["put", "*"]).unwrap().0, ["get"]);
        assert_eq!(chosen(handler(""), &["only"]).unwrap().0, ["only"]);
        assert_eq!(chosen(Wanted::Unnamed, &["only"]).unwrap().0, ["only"]);
        assert_eq!(chosen(Wanted::Unnamed, &["other", "handler"]).unwrap().0, ["handler"]);
        assert_eq!(chosen(Wanted::Unnamed, &["*"]).unwrap().0, ["handler"]);
        let missing = chosen(handler("gett"), &["get", "put"]).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::HandlerNotFound);
        assert_eq!(
            missing.message(),
            "module 'app' has no function 'gett'; it has: get, put; did you mean 'get'?"
        );
        let unnamed = chosen(Wanted::Unnamed, &["get", "put"]).unwrap_err();
        assert_eq!(
            unnamed.message(),
            "module 'app' has no handler; say which function it is: app.up:get, app.up:put"
        );
    }

    #[test]
    fn hooks_are_known_by_their_names_and_others_are_told() {
        let (hooks, others) =
            chosen(Wanted::Hooks, &["before", "helper", "wrap", "after"]).unwrap();
        assert_eq!(
            (hooks, others),
            (vec!["before".into(), "after".into()], vec!["helper".into(), "wrap".into()])
        );
    }
}
