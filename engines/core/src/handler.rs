//! The name of a handler that nobody has named, and the message about a module that lacks the function.

use crate::{Module, nearest};
use std::path::Path;

/// The names that a handler has where nobody has named it: the usual one first, then those that Lambda's console and
/// its tools give to the functions that they generate.
pub const HANDLER_NAMES: [&str; 3] = ["handler", "lambda_handler", "lambdaHandler"];

/// The names that a web application has where nobody has named it, and no handler is there.
pub const APPLICATION_NAMES: [&str; 2] = ["app", "application"];

/// Maximum number of functions that a message lists.
const LISTED: usize = 10;

/// Chooses a module's handler where nobody has named it ([`crate::Wanted::Unnamed`]): `handler`, else the function with
/// one of the other [`HANDLER_NAMES`]. `None` where there is none, or more than one.
pub fn unnamed_handler(has: impl Fn(&str) -> bool) -> Option<&'static str> {
    let [usual, others @ ..] = HANDLER_NAMES;
    if has(usual) {
        return Some(usual);
    }
    let mut found = others.into_iter().filter(|name| has(name));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Returns the rest of a message about a module that lacks the function `wanted`: the functions it has, and the
/// nearest. `wanted` is `None` where nobody has named the handler: then they are listed as they would have to be named.
pub fn alternatives(module: &Module, wanted: Option<&str>, names: &[String]) -> String {
    if names.is_empty() {
        return "; it has no functions".to_owned();
    }
    let Some(wanted) = wanted else {
        let file = shown(module);
        let listed = names.iter().map(|name| format!("{file}:{name}"));
        return format!("; say which function it is: {}", list(listed.collect()));
    };
    let mut text = format!("; it has: {}", list(names.to_vec()));
    if let Some(nearest) = nearest(wanted, names) {
        text.push_str(&format!("; did you mean '{nearest}'?"));
    }
    text
}

/// Returns the nearest of a module's functions to one that it lacks, as a handler string names it: `src/app.py:get`.
pub fn nearest_written(module: &Module, wanted: &str, names: &[String]) -> Option<String> {
    nearest(wanted, names).map(|name| format!("{}:{name}", shown(module)))
}

fn list(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let names = names.join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}

/// Returns a module's file as its user would write it: from the working directory, or from the function's folder.
fn shown(module: &Module) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let below = |folder: &Path| module.path.strip_prefix(folder).ok();
    below(&here).or_else(|| below(&module.root)).unwrap_or(&module.path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wanted;

    fn unnamed(names: &[&str]) -> Option<&'static str> {
        unnamed_handler(|name| names.contains(&name))
    }

    #[test]
    fn a_handler_that_nobody_named_has_a_usual_name_or_a_generated_one() {
        assert_eq!(unnamed(&["lambda_handler", "handler", "get"]), Some("handler"));
        assert_eq!(unnamed(&["get", "lambda_handler"]), Some("lambda_handler"));
        assert_eq!(unnamed(&["lambdaHandler"]), Some("lambdaHandler"));
        assert_eq!(unnamed(&["lambda_handler", "lambdaHandler"]), None);
        assert_eq!(unnamed(&["get"]), None);
    }

    fn told(wanted: Option<&str>, names: &[&str]) -> String {
        let module = Module::new("/task", "/task/src/app.py", "src/app", Wanted::Unnamed);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        alternatives(&module, wanted, &names)
    }

    #[test]
    fn alternatives_are_listed_with_the_nearest_name() {
        assert_eq!(
            told(Some("hander"), &["handler", "get"]),
            "; it has: handler, get; did you mean 'handler'?"
        );
        assert_eq!(
            told(Some("Handler"), &["handler"]),
            "; it has: handler; did you mean 'handler'?"
        );
        assert_eq!(told(Some("handler"), &["zebra"]), "; it has: zebra");
        assert_eq!(told(Some("handler"), &[]), "; it has no functions");
    }

    #[test]
    fn the_nearest_function_is_named_as_a_handler_string_names_it() {
        let module =
            Module::new("/task", "/task/src/app.py", "src/app", Wanted::Handler("handlr".into()));
        let names = ["handler".to_owned(), "zebra".to_owned()];
        let near = |wanted| nearest_written(&module, wanted, &names);
        assert_eq!(near("handlr").as_deref(), Some("src/app.py:handler"));
        assert_eq!(near("get_all"), None);
    }

    #[test]
    fn functions_of_an_unnamed_handlers_file_are_listed_as_they_have_to_be_named() {
        assert_eq!(
            told(None, &["get", "post"]),
            "; say which function it is: src/app.py:get, src/app.py:post"
        );
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (0..12).map(|n| format!("f{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(told(Some("zebra"), &names).ends_with("f9 and 2 more"));
    }
}
