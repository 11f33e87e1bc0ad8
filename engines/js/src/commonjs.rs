//! What CommonJS exports, as far as its text shows, found without parsing it. An ES module that imports CommonJS has to know
//! before anything runs, and a parser takes longer for a large module than V8 takes to run it.
//!
//! What is found is what `deno_ast` finds. Where a text is not of the kinds that people and compilers usually write, nothing
//! is found at all, and the parser is asked.

#[cfg(test)]
mod tests;
mod tokens;

use deno_resolver::cjs::analyzer::ModuleExportsAndReExports;
use std::collections::{HashMap, HashSet};
use tokens::{ARROW, Kind, SPREAD, Token};

/// Finds the exports of a CommonJS module. `None` where that takes a parser, or where it may not be CommonJS.
pub(crate) fn exports_of(source: &str) -> Option<ModuleExportsAndReExports> {
    let tokens = tokens::of(source)?;
    let mut search = Search { source, tokens, found: Found::default() };
    for place in 0..search.tokens.len() {
        search.look_at(place)?;
    }
    let Found { names, others, unsafe_names, .. } = search.found;
    let sorted = |names: HashSet<&str>| {
        let names = names.into_iter().filter(|name| !unsafe_names.contains(name));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    let (exports, reexports) = (sorted(names), sorted(others));
    Some(ModuleExportsAndReExports { exports, reexports, member_reexports: Vec::new() })
}

#[derive(Default)]
struct Found<'s> {
    names: HashSet<&'s str>,
    /// Requests for modules whose exports are exported, too.
    others: HashSet<&'s str>,
    /// Names with a getter that does more than to name a value.
    unsafe_names: HashSet<&'s str>,
    /// Requests by the variables that hold their modules.
    variables: HashMap<&'s str, &'s str>,
}

struct Search<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    found: Found<'s>,
}

/// What a getter is for the exports.
enum Getter {
    Value,
    Computation,
}

impl<'s> Search<'s> {
    fn look_at(&mut self, place: usize) -> Option<()> {
        let word = self.word(place);
        if word.is_empty() || self.is_member(place) {
            return Some(());
        }
        match word {
            "exports" => self.exports(place + 1, self.is_declared(place)),
            "module" if self.is(place + 1, b'.') && self.word(place + 2) == "exports" => {
                if self.is(place + 3, b'=') {
                    self.right_side(place + 4)
                } else {
                    self.member(place + 3)
                }
            }
            // By another way of writing it.
            "module" if self.is(place + 1, b'[') => None,
            "Object" if self.word(place + 2) == "defineProperty" && self.is(place + 3, b'(') => {
                self.definition(place + 4)
            }
            // Not where it is defined.
            "__export" | "__exportStar" if self.word(place.wrapping_sub(1)) == "function" => {
                Some(())
            }
            "__export" | "__exportStar" => self.star(place),
            "require" | "_interopRequireWildcard" => {
                self.variable(place);
                Some(())
            }
            "import" if self.is(place + 1, b'(') => Some(()),
            "import" | "export" => None,
            "await" if !self.source.contains("async") => None,
            _ => {
                // `tslib.__exportStar(…)`
                if self.is(place + 1, b'.')
                    && matches!(self.word(place + 2), "__export" | "__exportStar")
                {
                    self.star(place + 2)?;
                }
                Some(())
            }
        }
    }

    /// Looks at what follows a plain `exports`.
    fn exports(&mut self, place: usize, declared: bool) -> Option<()> {
        if declared || !self.is(place, b'=') {
            return self.member(place);
        }
        let is_harmless = match self.kind(place + 1) {
            // Looked at when their turn comes.
            Kind::Word if matches!(self.word(place + 1), "module" | "exports") => true,
            Kind::Word => !self.is(place + 2, b'(') && !self.is(place + 2, b'='),
            Kind::Sign(b'{') => false,
            _ => true,
        };
        is_harmless.then_some(())
    }

    /// Looks at what follows `exports` or `module.exports`: an assignment to a member.
    fn member(&mut self, place: usize) -> Option<()> {
        if self.is(place, b'.') && self.is(place + 2, b'=') {
            let name = self.word(place + 1);
            self.found.names.insert(name);
        } else if self.is(place, b'[') && self.is(place + 2, b']') && self.is(place + 3, b'=') {
            if self.kind(place + 1) == Kind::Text {
                let name = self.text(place + 1)?;
                self.found.names.insert(name);
            } else {
                // exports[key] = other[key]
                let key = self.word(place + 1);
                self.add_keyed(place + 4, key);
            }
        }
        Some(())
    }

    /// Looks at the right side of `module.exports =`.
    fn right_side(&mut self, place: usize) -> Option<()> {
        match self.kind(place) {
            Kind::Sign(b'{') => return self.object(place + 1),
            Kind::Word => {}
            _ => return Some(()),
        }
        if let Some((request, end)) = self.request(place) {
            let next = self.token(end);
            let ends = next.is_none_or(|next| {
                matches!(next.kind, Kind::Sign(b';' | b',' | b')' | b'}'))
                    || (next.on_new_line && next.kind == Kind::Word)
            });
            self.found.others.clear();
            self.found.others.insert(request);
            return ends.then_some(());
        }
        let mut end = place + 1;
        while self.is(end, b'.') {
            end += 2;
        }
        if self.is(end, b'=') { self.right_side(end + 1) } else { Some(()) }
    }

    /// Looks at the members of an object that is exported as a whole.
    fn object(&mut self, mut place: usize) -> Option<()> {
        loop {
            let name = match self.kind(place) {
                Kind::Sign(b'}') => return Some(()),
                Kind::Sign(SPREAD) => {
                    if let Some((request, end)) = self.request(place + 1)
                        && self.ends_member(end)
                    {
                        self.found.others.insert(request);
                    }
                    place = self.next_member(place + 1)?;
                    continue;
                }
                Kind::Sign(b'[') => {
                    place = self.next_member(place)?;
                    continue;
                }
                Kind::Word => self.word(place),
                Kind::Text => self.text(place)?,
                _ => return None,
            };
            match self.kind(place + 1) {
                Kind::Sign(b':' | b'(' | b',' | b'}') => {
                    self.found.names.insert(name);
                }
                Kind::Word | Kind::Text => match name {
                    "get" => {
                        let name = self.name(place + 1)?;
                        match self.getter_body(place + 2)? {
                            Getter::Value => self.found.names.insert(name),
                            Getter::Computation => self.found.unsafe_names.insert(name),
                        };
                    }
                    "async" => {
                        let name = self.name(place + 1)?;
                        self.found.names.insert(name);
                    }
                    _ => return None,
                },
                _ => return None,
            }
            place = self.next_member(place + 1)?;
        }
    }

    /// Looks at the arguments of `Object.defineProperty`.
    fn definition(&mut self, place: usize) -> Option<()> {
        let place = match self.word(place) {
            "exports" => place + 1,
            "module" if self.word(place + 2) == "exports" => place + 3,
            _ => return Some(()),
        };
        if !self.is(place, b',') || !self.is(place + 2, b',') {
            return Some(());
        }
        let (key, object) = (place + 1, place + 3);
        match self.kind(key) {
            Kind::Text => {
                let name = self.text(key)?;
                if !self.is(object, b'{') {
                    self.found.unsafe_names.insert(name);
                    return Some(());
                }
                match self.getter_of(object + 1)? {
                    Getter::Value => self.found.names.insert(name),
                    Getter::Computation => self.found.unsafe_names.insert(name),
                };
            }
            Kind::Word if self.is(object, b'{') => self.keyed_definition(key, object + 1)?,
            _ => {}
        }
        Some(())
    }

    /// Looks at a property that is defined for each key of another module.
    fn keyed_definition(&mut self, key: usize, place: usize) -> Option<()> {
        let mut member = place;
        while !self.is(member, b'}') {
            if self.word(member) == "get" {
                let value = self.function_of(member + 1)?;
                if self.word(value) == "return" {
                    self.add_keyed(value + 1, self.word(key));
                }
                return Some(());
            }
            member = self.next_member(member)?;
        }
        Some(())
    }

    /// Finds the getter in a description of a property. Without one, it has a value.
    fn getter_of(&self, mut place: usize) -> Option<Getter> {
        while !self.is(place, b'}') {
            if self.word(place) == "get" || self.text(place) == Some("get") {
                return match (self.kind(place + 1), self.kind(place + 2)) {
                    (Kind::Sign(b'('), _) => self.getter_body(place + 1),
                    (Kind::Sign(b':'), Kind::Word) if self.word(place + 2) == "function" => {
                        let named = self.kind(place + 3) == Kind::Word;
                        self.getter_body(if named { place + 4 } else { place + 3 })
                    }
                    (Kind::Sign(b':'), Kind::Sign(b'(')) if self.is(place + 4, ARROW) => {
                        self.arrow_body(place + 5)
                    }
                    _ => None,
                };
            }
            place = self.next_member(place)?;
        }
        Some(Getter::Value)
    }

    /// Looks at `() { return value; }`.
    fn getter_body(&self, place: usize) -> Option<Getter> {
        if !self.is(place, b'(') || !self.is(place + 1, b')') || !self.is(place + 2, b'{') {
            return None;
        }
        if self.word(place + 3) != "return" {
            return Some(Getter::Computation);
        }
        let end = self.chain(place + 4)?;
        let end = if self.is(end, b';') { end + 1 } else { end };
        Some(if self.is(end, b'}') { Getter::Value } else { Getter::Computation })
    }

    /// Looks at what follows `() =>`.
    fn arrow_body(&self, place: usize) -> Option<Getter> {
        if self.kind(place) != Kind::Word {
            return None;
        }
        let end = self.chain(place)?;
        Some(if self.ends_member(end) { Getter::Value } else { Getter::Computation })
    }

    /// Returns the end of a name with members; `None` where there is something else.
    fn chain(&self, place: usize) -> Option<usize> {
        if self.kind(place) != Kind::Word {
            return None;
        }
        let mut end = place + 1;
        loop {
            if self.is(end, b'.') {
                end += 2;
            } else if self.is(end, b'[') && self.kind(end + 1) == Kind::Text {
                end += 3;
            } else {
                return Some(end);
            }
        }
    }

    /// Returns the first token in the body of the function that a member is.
    fn function_of(&self, place: usize) -> Option<usize> {
        let place = if self.is(place, b':') && self.word(place + 1) == "function" {
            if self.kind(place + 2) == Kind::Word { place + 3 } else { place + 2 }
        } else {
            place
        };
        let is_function =
            self.is(place, b'(') && self.is(place + 1, b')') && self.is(place + 2, b'{');
        is_function.then_some(place + 3)
    }

    /// Looks at `__exportStar(require("other"), exports)` and its like.
    fn star(&mut self, place: usize) -> Option<()> {
        // (0, tslib.__exportStar)(…)
        let is_indirect = place >= 5
            && self.is(place + 1, b')')
            && self.is(place - 1, b'.')
            && self.is(place - 3, b',')
            && self.is(place - 5, b'(');
        let place = if is_indirect { place + 2 } else { place + 1 };
        if !self.is(place, b'(') {
            return Some(());
        }
        let (request, end) = match self.request(place + 1) {
            Some(found) => found,
            None => match self.found.variables.get(self.word(place + 1)) {
                Some(request) => (*request, place + 2),
                None => return Some(()),
            },
        };
        let is_whole = self.is(end, b')')
            || (self.is(end, b',') && self.word(end + 1) == "exports" && self.is(end + 2, b')'));
        if is_whole {
            self.found.others.insert(request);
        }
        Some(())
    }

    /// Looks at a `require`, whether a variable holds what it returns.
    fn variable(&mut self, place: usize) {
        let Some(before) = place.checked_sub(2) else { return };
        if !self.is(before + 1, b'=') || self.kind(before) != Kind::Word {
            return;
        }
        if let Some((request, _)) = self.request(place) {
            let name = self.word(before);
            self.found.variables.insert(name, request);
        }
    }

    /// Looks at `other[key]`, of which each key of another module is exported.
    fn add_keyed(&mut self, place: usize, key: &str) {
        if self.is(place + 1, b'[')
            && self.word(place + 2) == key
            && self.is(place + 3, b']')
            && let Some(request) = self.found.variables.get(self.word(place))
        {
            self.found.others.insert(request);
        }
    }

    /// Reads `require("other")`. Returns what is required, and the place behind.
    fn request(&self, place: usize) -> Option<(&'s str, usize)> {
        match self.word(place) {
            "require" if self.is(place + 1, b'(') && self.is(place + 3, b')') => {
                Some((self.text(place + 2)?, place + 4))
            }
            "_interopRequireWildcard" if self.is(place + 1, b'(') => {
                let (request, end) = self.request(place + 2)?;
                self.is(end, b')').then_some((request, end + 1))
            }
            _ => None,
        }
    }

    /// Returns the place of the next member of an object, or of its end.
    fn next_member(&self, mut place: usize) -> Option<usize> {
        let mut depth = 0_usize;
        loop {
            match self.token(place)?.kind {
                Kind::Sign(b'(' | b'[' | b'{') => depth += 1,
                Kind::Sign(b'}') if depth == 0 => return Some(place),
                Kind::Sign(b')' | b']' | b'}') => depth = depth.checked_sub(1)?,
                Kind::Sign(b',') if depth == 0 => return Some(place + 1),
                _ => {}
            }
            place += 1;
        }
    }

    fn ends_member(&self, place: usize) -> bool {
        self.is(place, b',') || self.is(place, b'}')
    }

    fn token(&self, place: usize) -> Option<Token> {
        self.tokens.get(place).copied()
    }

    /// Returns the kind of a token; behind the end, one that is nothing.
    fn kind(&self, place: usize) -> Kind {
        self.token(place).map_or(Kind::Sign(0), |token| token.kind)
    }

    fn is(&self, place: usize, sign: u8) -> bool {
        self.kind(place) == Kind::Sign(sign)
    }

    /// Returns a word; nothing where there is something else.
    fn word(&self, place: usize) -> &'s str {
        let word = self.token(place).filter(|token| token.kind == Kind::Word);
        word.map_or("", |token| &self.source[token.start..token.end])
    }

    /// Returns what stands in a string without escapes.
    fn text(&self, place: usize) -> Option<&'s str> {
        let token = self.token(place).filter(|token| token.kind == Kind::Text)?;
        let text = &self.source[token.start + 1..token.end - 1];
        (!text.contains('\\')).then_some(text)
    }

    fn name(&self, place: usize) -> Option<&'s str> {
        if self.kind(place) == Kind::Text { self.text(place) } else { Some(self.word(place)) }
    }

    fn is_member(&self, place: usize) -> bool {
        let before = place.checked_sub(1).map_or(Kind::Sign(0), |place| self.kind(place));
        matches!(before, Kind::Sign(b'.' | b'#' | tokens::OPTIONAL))
    }

    /// Whether a word is the name of a variable that is declared here.
    fn is_declared(&self, place: usize) -> bool {
        let before = place.checked_sub(1).map_or("", |place| self.word(place));
        matches!(before, "var" | "let" | "const")
    }
}
