//! The names of functions in handler strings, and those of the symbols that they mean.

use trine_engine::{HANDLER_NAMES, Hook, Wanted, unnamed_handler};

/// The symbol of a handler with the usual name.
pub(crate) const HANDLE: &str = "trine_handle";
/// The symbol by which answers are given back.
pub(crate) const FREE: &str = "trine_free";
/// What symbols of handlers with other names begin with.
const NAMED: &str = "trine_handle_";
/// What symbols of hooks begin with.
pub(crate) const HOOK: &str = "trine_hook_";
/// Names that mean [`HANDLE`].
const USUAL: [&str; 2] = [HANDLER_NAMES[0], "handle"];

/// Returns the symbol of a function in a library that has these symbols; `None` where it has no such function.
fn symbol_of(name: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    let named = format!("{NAMED}{name}");
    if has(&named) {
        return Some(named);
    }
    (USUAL.contains(&name) && has(HANDLE)).then(|| HANDLE.to_owned())
}

/// Returns the symbol that a function of this name has to have, for messages.
pub(crate) fn expected_symbol(name: &str) -> String {
    if USUAL.contains(&name) { HANDLE.to_owned() } else { format!("{NAMED}{name}") }
}

/// Returns the symbol of a hook.
pub(crate) fn symbol_of_hook(hook: Hook) -> String {
    format!("{HOOK}{}", hook.name())
}

/// Returns the names of the handlers among a library's symbols, as handler strings name them.
pub(crate) fn handlers(symbols: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for symbol in symbols {
        match symbol.strip_prefix(NAMED) {
            Some(name) => names.push(name.to_owned()),
            None if symbol == HANDLE => names.insert(0, HANDLER_NAMES[0].to_owned()),
            None => {}
        }
    }
    names.dedup();
    names
}

/// Chooses the handler that is wanted in a library that has certain symbols: its name, and its symbol; `None` where it
/// has none.
pub(crate) fn choose(wanted: &Wanted, has: &dyn Fn(&str) -> bool) -> Option<(String, String)> {
    let name = match wanted {
        Wanted::Handler(name) if !name.is_empty() => name.as_str(),
        _ => unnamed_handler(|name| symbol_of(name, has).is_some())?,
    };
    symbol_of(name, has).map(|symbol| (name.to_owned(), symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn chosen(wanted: &str, names: &[&str]) -> Option<String> {
        let wanted = match wanted {
            "" => Wanted::Unnamed,
            name => Wanted::Handler(name.to_owned()),
        };
        choose(&wanted, &|symbol| names.contains(&symbol)).map(|(_, symbol)| symbol)
    }

    #[test]
    fn the_usual_names_mean_the_plain_symbol_unless_there_is_a_longer_one() {
        let plain = ["trine_handle", "trine_free"];
        for name in ["", "handler", "handle"] {
            assert_eq!(chosen(name, &plain).as_deref(), Some("trine_handle"), "{name:?}");
        }
        let both = ["trine_handle", "trine_handle_handle"];
        assert_eq!(chosen("handle", &both).as_deref(), Some("trine_handle_handle"));
        assert_eq!(chosen("handler", &both).as_deref(), Some("trine_handle"));
    }

    #[test]
    fn other_names_mean_their_own_symbols_and_nothing_else() {
        let names = ["trine_handle_get", "get", "post"];
        assert_eq!(chosen("get", &names).as_deref(), Some("trine_handle_get"));
        assert_eq!(chosen("post", &names), None);
        assert_eq!(chosen("", &names), None);
        assert_eq!(
            chosen("", &["trine_handle_lambda_handler"]).as_deref(),
            Some("trine_handle_lambda_handler")
        );
    }

    #[test]
    fn what_a_library_has_is_listed_as_handler_strings_name_it() {
        let names =
            symbols(&["trine_handle_get", "trine_free", "trine_handle", "trine_hook_after"]);
        assert_eq!(handlers(&names), ["handler", "get"]);
        assert_eq!(symbol_of_hook(Hook::After), "trine_hook_after");
        assert_eq!(expected_symbol("get"), "trine_handle_get");
    }
}
