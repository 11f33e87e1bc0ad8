//! A look at a module before it runs: whether it compiles, and whether it can have the function that is sought.
//!
//! What a Lua module has is known only when it has run. Yet a name that stands nowhere in its text, as a name or in a
//! string, is hardly that of a function in it; unless the module is a function itself, which needs no name.

use crate::{
    limits::internal,
    loader::{compile_in, read},
};
use mlua::{Lua, LuaOptions, StdLib};
use trine_engine::{Module, Outlook, Result};

/// Looks at a module. Nothing of it runs.
pub(crate) fn check(module: &Module) -> Result<Outlook> {
    let source = read(module)?;
    // Compiling needs none of the libraries.
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::default()).map_err(|e| internal(&e))?;
    compile_in(&lua, module, &source)?;
    Ok(outlook(&String::from_utf8_lossy(&source), &module.seek.names()))
}

fn outlook(source: &str, names: &[&str]) -> Outlook {
    let words = words(source);
    // A key that is computed may be any name, so that a word in which one stands counts too.
    let stands = |name: &&str| words.iter().any(|word| word.contains(*name));
    if names.is_empty() || names.iter().any(stands) || may_be_a_function(&words) {
        return Outlook::Possible;
    }
    Outlook::Absent { others: functions(&words) }
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

/// What follows each `return` that is the module's own and not that of a function in it.
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

/// Names of the functions that a module defines with their names, in the order of the text.
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

/// Names, signs and strings, these with their quotes, without comments. The text is known to compile.
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

/// Length of `[==[…`, and that of the `]==]` after it, where the text begins with a long bracket.
fn long_bracket(text: &str) -> Option<(usize, usize)> {
    let level = text.strip_prefix('[')?.bytes().take_while(|byte| *byte == b'=').count();
    text[1 + level..].strip_prefix('[')?;
    let close = format!("]{}]", "=".repeat(level));
    let end = text.find(&close)?;
    Some((end, close.len()))
}

/// Where a string ends that begins the text, its quote included.
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

    fn of(source: &str) -> Outlook {
        outlook(source, &["handler"])
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
        ] {
            assert_eq!(of(source), Outlook::Possible, "{source}");
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
            let Outlook::Absent { others: told } = of(source) else { panic!("{source}") };
            assert_eq!(told.join(" "), others, "{source}");
        }
    }

    #[test]
    fn words_are_names_signs_and_strings_without_comments() {
        assert_eq!(words("a.b='x\\'y'--c\nd"), ["a", ".", "b", "=", "'x\\'y'", "d"]);
        assert_eq!(words("[=[é]]]=] \"é\""), ["[=[é]]", "\"é\""]);
        assert!(words("--[[ a ]] --").is_empty());
    }
}
