//! A check of a module before it runs: whether it compiles, and whether it can have the function that is sought.
//!
//! The contents of a Lua module are known only once it has run. Yet a name that does not occur in its text, as a name
//! or in a string, is hardly that of a function in it, unless the module is itself a function, which needs no name.

use crate::{
    limits::internal,
    loader::{compile_in, read},
};
use mlua::{Lua, LuaOptions, StdLib};
use trine_engine::{Interface, Module, Presence, Result, Wanted};

/// Checks a module. None of it runs.
pub(crate) fn check(module: &Module) -> Result<Presence> {
    let source = read(module)?;
    // Compiling needs none of the libraries.
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::default()).map_err(|e| internal(&e))?;
    compile_in(&lua, module, &source)?;
    let source = String::from_utf8_lossy(&source);
    Ok(match presence(&source, &module.wanted.names()) {
        Presence::Possible => Presence::Possible,
        absent if may_be_an_application(&source, module, &absent) => Presence::Possible,
        absent => absent,
    })
}

/// Whether what is no function may be a web application: a table, or the module itself, with one of these functions.
fn may_be_an_application(source: &str, module: &Module, presence: &Presence) -> bool {
    if module.interface == Some(Interface::Event) {
        return false;
    }
    let may_be = match presence {
        Presence::NoFunction { kind, .. } => kind == "a table",
        _ => module.wanted == Wanted::Unnamed,
    };
    may_be && may_have_an_application(&words(source))
}

/// Whether something may be given one of an application's functions: by its name, by a string, or by a framework.
fn may_have_an_application(words: &[&str]) -> bool {
    let is_name = |word: &str| matches!(word, "run" | "fetch");
    let is_part = |word: &&&str| {
        matches!(**word, "." | ":")
            || word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    };
    words.iter().enumerate().any(|(at, word)| {
        let is_string = word.starts_with(['"', '\'', '[']) && word.len() > 1;
        if word.contains("wsapi") || word.contains("orbit") {
            return true;
        }
        if is_string {
            return is_name(word.trim_matches(['"', '\'', '[', ']', '=']));
        }
        let is_assigned = words.get(at + 1) == Some(&"=");
        // `function M.api:fetch(`
        let path = words[..at].iter().rev().take_while(is_part);
        let is_defined =
            || path.take_while(|word| **word != "return").any(|word| *word == "function");
        is_name(word) && (is_assigned || is_defined())
    })
}

fn presence(source: &str, names: &[&str]) -> Presence {
    let words = words(source);
    if names.is_empty() || may_be_a_function(&words) {
        return Presence::Possible;
    }
    // A computed key may be any name, so a word that contains a name counts too.
    let stands = |(_, word): &(usize, &&str)| names.iter().any(|name| word.contains(name));
    let mut places = words.iter().enumerate().filter(stands).peekable();
    let Some((_, first)) = places.peek().copied() else {
        return Presence::Absent { others: functions(&words) };
    };
    // The kind of value that is assigned to one of the names, not to something that only contains it.
    let value = |(at, word): (usize, &&str)| {
        let assigned = names.contains(word) && words.get(at + 1) == Some(&"=");
        kind(&words[at..], 2).filter(|_| assigned)
    };
    // Anybody who has a table may make it callable.
    let kinds: Option<Vec<&str>> = places.map(value).collect();
    match kinds.as_deref() {
        Some([kind, ..]) if !words.contains(&"setmetatable") => {
            Presence::NoFunction { name: (*first).to_owned(), kind: (*kind).to_owned() }
        }
        _ => Presence::Possible,
    }
}

/// Returns what the expression at `from` is, with its article, if it is written out, ends there and is not a function.
fn kind(words: &[&str], from: usize) -> Option<&'static str> {
    let (first, mut end) = (*words.get(from)?, from + 1);
    let first_byte = first.as_bytes().first().copied()?;
    let kind = match first {
        "true" | "false" => "a boolean",
        "nil" => "nil",
        "-" => return kind(words, from + 1).filter(|kind| *kind == "a number"),
        "{" => {
            let mut depth = 1;
            while depth > 0 {
                match *words.get(end)? {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                end += 1;
            }
            "a table"
        }
        _ if first_byte.is_ascii_digit() => {
            let is_part = |word: &&str| *word == "." || word.as_bytes()[0].is_ascii_digit();
            end += words[end..].iter().take_while(|word| is_part(word)).count();
            "a number"
        }
        _ if matches!(first_byte, b'"' | b'\'') || first.len() > 1 && first_byte == b'[' => {
            "a string"
        }
        _ => return None,
    };
    // An operator or a call would make something else of it.
    let ends = match words.get(end) {
        None => true,
        Some(next) => {
            matches!(*next, "," | ";" | "}")
                || next.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && !matches!(*next, "and" | "or")
        }
    };
    ends.then_some(kind)
}

/// Whether what the module returns may be a function, or a table that can be called: anything but a table that is
/// written out, a local variable that was made as one, or nothing.
fn may_be_a_function(words: &[&str]) -> bool {
    let mut returns = own_returns(words).peekable();
    returns.peek().is_some() && words.contains(&"setmetatable")
        || returns.any(|returned| match *returned {
            [] | ["end" | ";" | "else" | "elseif", ..] | ["{", ..] => false,
            [name] | [name, ";" | "end", ..] => {
                !words.windows(4).any(|made| made == ["local", name, "=", "{"])
            }
            _ => true,
        })
}

/// Returns what follows each `return` that is the module's own and not that of a function in it.
fn own_returns<'a>(words: &'a [&'a str]) -> impl Iterator<Item = &'a [&'a str]> {
    let mut blocks: Vec<&str> = Vec::new();
    words.iter().enumerate().filter_map(move |(at, word)| {
        match *word {
            "function" | "do" | "if" | "repeat" => blocks.push(word),
            "end" | "until" => drop(blocks.pop()),
            "return" if !blocks.contains(&"function") => return Some(&words[at + 1..]),
            _ => {}
        }
        None
    })
}

/// Returns the names of the functions that a module defines by name, in the order of the text.
fn functions(words: &[&str]) -> Vec<String> {
    let after = |at: usize| words.get(at).copied().unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for (at, _) in words.iter().enumerate().filter(|(_, word)| **word == "function") {
        // `function M.name(`, `function name(`, `name = function(`.
        let name = match (after(at + 1), after(at + 2), at) {
            ("(", _, 2..) if after(at - 1) == "=" => after(at - 2),
            ("(", ..) => continue,
            (_, ".", _) => after(at + 3),
            (name, "(", _) => name,
            _ => continue,
        };
        if at == 0 || after(at - 1) != "local" {
            names.push(name.to_owned());
        }
    }
    names.dedup();
    names
}

/// Splits a text, which is known to compile, into names, signs and strings (with their quotes), without comments.
fn words(source: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut left = source;
    while let Some(first) = left.chars().next() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = if let Some(comment) = left.strip_prefix("--") {
            2 + long_bracket(comment).map_or_else(
                || comment.find('\n').unwrap_or(comment.len()),
                |(inner, close)| inner + close,
            )
        } else if let Some((inner, close)) = long_bracket(left) {
            words.push(&left[..inner]);
            inner + close
        } else if matches!(first, '"' | '\'') {
            let end = end_of_string(left, first);
            words.push(&left[..end]);
            end
        } else if is_name(first) {
            let end = left.find(|c| !is_name(c)).unwrap_or(left.len());
            words.push(&left[..end]);
            end
        } else {
            if !first.is_whitespace() {
                words.push(&left[..first.len_utf8()]);
            }
            first.len_utf8()
        };
        left = &left[length..];
    }
    words
}

/// Returns the lengths of `[==[…` and of the `]==]` after it, if the text begins with a long bracket.
fn long_bracket(text: &str) -> Option<(usize, usize)> {
    let level = text.strip_prefix('[')?.bytes().take_while(|byte| *byte == b'=').count();
    text[1 + level..].strip_prefix('[')?;
    let close = format!("]{}]", "=".repeat(level));
    let end = text.find(&close)?;
    Some((end, close.len()))
}

/// Returns where the string at the beginning of the text ends, its quote included.
fn end_of_string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> Presence {
        presence(source, &["handler"])
    }

    #[test]
    fn a_module_that_may_have_a_handler_is_possible() {
        for source in [
            "return { handler = function() end }",
            "local M = {} function M.handler() end return M",
            "function handler() end",
            "local M = {} M['handler'] = print return M",
            "local M = {} M[[[handler]]] = print return M",
            "return function() end",
            "local function f() end return f",
            "return require 'other'",
            "local M = {} return setmetatable(M, { __call = print })",
            "local M = make() return M",
            "if x then return f end return {}",
            "_G['han' .. 'dler'] = print -- handler in a comment does not count\nreturn f()",
            "return { handler = 5 and print }",
            "return { handler = ({}) }",
            "return { handler = 1 + x }",
            "return { handler = 'x' .. y }",
            "return { handler = setmetatable({}, { __call = print }) }",
            "local M = { handler = {} } setmetatable(M.handler, { __call = print }) return M",
            "local M = { handler = {} } for _, v in pairs(M) do setmetatable(v, mt) end return M",
            "local M = { handler = 5 } M.handler = print return M",
            "local M = { handler = 5 } M[ [[handler]] ] = print return M",
            "handler = 5 function handler() end",
            "if x.handler == 5 then f() end",
        ] {
            assert_eq!(of(source), Presence::Possible, "{source}");
        }
    }

    #[test]
    fn a_module_that_cannot_have_one_is_told_with_its_functions() {
        for (source, others) in [
            (
                "local M = {} function M.parse() end function M.format() end return M",
                "parse format",
            ),
            ("return { parse = function() end }", "parse"),
            ("-- handler\n--[==[ handler\n]] handler ]==]\nfunction run() return 1 end", "run"),
            ("local function hidden() end local M = {}; return M;", ""),
            ("", ""),
            ("print 'a'", ""),
            ("function f() for i = 1, 2 do if i then return i end end return 'end' end", "f"),
            ("local M = {} function M.f() return f end if x then return M end return {}", "f"),
        ] {
            let Presence::Absent { others: told } = of(source) else { panic!("{source}") };
            assert_eq!(told.join(" "), others, "{source}");
        }
    }

    #[test]
    fn what_has_the_name_and_is_no_function_is_told_with_what_it_is() {
        for (source, kind) in [
            ("return { handler = 5 }", "a number"),
            ("return { handler = -1.5e3, other = print }", "a number"),
            ("return { handler = 0x1F; }", "a number"),
            ("local M = {} M.handler = 'x' return M", "a string"),
            ("local M = {} M.handler = [[x]] return M", "a string"),
            ("handler = { get = function() return {} end }", "a table"),
            ("handler = true\nprint 'a'", "a boolean"),
            ("handler = nil", "nil"),
            ("handler = 1 -- handler\nhandler = 2", "a number"),
        ] {
            let expected = Presence::NoFunction { name: "handler".into(), kind: kind.into() };
            assert_eq!(of(source), expected, "{source}");
        }
        let both =
            presence("handler = 5 function lambda_handler() end", &["handler", "lambda_handler"]);
        assert_eq!(both, Presence::Possible);
    }

    #[test]
    fn functions_of_applications_are_seen_where_they_are_given_and_not_where_they_are_called() {
        for source in [
            "function M.run(env) end",
            "function app.api:fetch(request) end",
            "function fetch(request) end",
            "return { run = run }",
            "M.fetch = f",
            "M['fetch'] = f",
            "M[ [[run]] ] = f",
            "local M = {} require('orbit').new(M) return M",
        ] {
            assert!(may_have_an_application(&words(source)), "{source}");
        }
        for source in [
            "local r = trine.fetch('x') print(r)",
            "function M.parse() return M.run(1) end",
            "return { parse = function() return trine.fetch(x) end }",
            "local run",
            "",
        ] {
            assert!(!may_have_an_application(&words(source)), "{source}");
        }
    }

    #[test]
    fn words_are_names_signs_and_strings_without_comments() {
        assert_eq!(words("a.b='x\\'y'--c\nd"), ["a", ".", "b", "=", "'x\\'y'", "d"]);
        assert_eq!(words("[=[é]]]=] \"é\""), ["[=[é]]", "\"é\""]);
        assert!(words("--[[ a ]] --").is_empty());
    }
}
