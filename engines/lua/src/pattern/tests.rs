//! Tests of our functions against Lua's own, on random patterns and subjects.

use super::FUNCTIONS;
use crate::bulk;
use mlua::{Lua, Table, Value};

/// A chunk that runs `ours.name(…)` and `theirs.name(…)` and returns both outcomes, errors included.
const DRIVER: &str = include_str!("compare.lua");

/// A linear congruential generator, so that a failure can be reproduced.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn subject(&mut self) -> Vec<u8> {
        let length = self.below(14);
        (0..length).map(|_| self.of(b"aaabbbccd11 _(((())[]%-.\0\xff\n\x0bZ")).collect()
    }

    fn pattern(&mut self) -> Vec<u8> {
        const ITEMS: &[&[u8]] = &[
            b"a",
            b"b",
            b"1",
            b".",
            b"%a",
            b"%d",
            b"%w",
            b"%s",
            b"%S",
            b"%A",
            b"%p",
            b"%c",
            b"%x",
            b"%g",
            b"%l",
            b"%u",
            b"%z",
            b"%%",
            b"%.",
            b"[ab]",
            b"[^a]",
            b"[a-c1]",
            b"[%w_]",
            b"[]]",
            b"[^]]",
            b"[a-]",
            b"[%-a]",
            b"[%a-z]",
            b"[^%s%d]",
            b"[\x80-\xff]",
            b"\0",
            b"%b()",
            b"%bab",
            b"%b",
            b"%f[%w]",
            b"%f[^a]",
            b"%f[\0]",
            b"%f",
            b"(",
            b"(",
            b")",
            b")",
            b"()",
            b"(a)",
            b"(.-)",
            b"(%w*)",
            b"%1",
            b"%2",
            b"%0",
            b"$",
            b"^",
            b"[",
            b"[^",
            b"[a",
            b"[%",
            b"%",
            b"-",
            b"*",
        ];
        const SUFFIXES: &[&[u8]] = &[b"", b"", b"", b"*", b"+", b"-", b"?"];
        let mut pattern = Vec::new();
        for _ in 0..=self.below(6) {
            pattern.extend_from_slice(self.of(ITEMS));
            pattern.extend_from_slice(self.of(SUFFIXES));
        }
        pattern
    }
}

/// Returns a Lua with its own libraries, and a table of our functions.
fn both() -> (Lua, Table, Table) {
    let lua = Lua::new();
    let ours = lua.create_table().unwrap();
    for (_, name, function) in FUNCTIONS.into_iter().chain(bulk::FUNCTIONS) {
        // SAFETY: these are C functions written for this purpose.
        ours.set(name, unsafe { lua.create_c_function(function).unwrap() }).unwrap();
    }
    let theirs: Table = lua.globals().get("string").unwrap();
    (lua, ours, theirs)
}

#[test]
fn patterns_match_as_luas_own_do() {
    let (lua, ours, theirs) = both();
    let compare: mlua::Function = lua.load(DRIVER).call((ours, theirs)).unwrap();
    let mut random = Random(2026);
    let mut matched = 0;
    for case in 0..120_000 {
        let name = ["find", "match", "gmatch", "gsub"][case % 4];
        let (subject, pattern) = (random.subject(), random.pattern());
        let (third, fourth) = match name {
            "gsub" => (
                Value::Integer(1 + random.below(14) as i64),
                random.of(&[None, Some(-1), Some(0), Some(2)]),
            ),
            _ => {
                let init = [None, None, Some(1), Some(3), Some(-2), Some(0), Some(99), Some(-99)];
                let init = random.of(&init);
                (init.map_or(Value::Nil, Value::Integer), None)
            }
        };
        let fourth = match fourth {
            Some(number) => Value::Integer(number),
            None if name == "find" && random.below(4) == 0 => Value::Boolean(true),
            None => Value::Nil,
        };
        let text = |bytes: &[u8]| lua.create_string(bytes).unwrap();
        let arguments = (name, text(&subject), text(&pattern), third.clone(), fourth.clone());
        let (left, right): (String, String) = {
            let (left, right): (mlua::LuaString, mlua::LuaString) =
                compare.call(arguments).unwrap();
            (left.to_string_lossy(), right.to_string_lossy())
        };
        matched += usize::from(right.starts_with("boolean:true") && !right.contains("nil:nil"));
        assert_eq!(
            left,
            right,
            "{name}({:?}, {:?}, {third:?}, {fourth:?})",
            String::from_utf8_lossy(&subject),
            String::from_utf8_lossy(&pattern)
        );
    }
    // The generator must not make only patterns that fail.
    assert!(matched > 20_000, "{matched}");
}

#[test]
fn limits_and_messages_are_luas() {
    let (lua, ours, theirs) = both();
    let compare: mlua::Function = lua.load(DRIVER).call((ours, theirs)).unwrap();
    let captures = |count| "()".repeat(count);
    for (name, subject, pattern) in [
        ("find", "a".repeat(300), "a?".repeat(250)),
        ("find", "a".repeat(300), "(a".repeat(40)),
        ("match", "a".repeat(5), captures(32)),
        ("match", "a".repeat(5), captures(33)),
        ("gmatch", "a,b,,c".to_owned(), "([^,]*)".to_owned()),
        ("gmatch", "abc".to_owned(), "^a".to_owned()),
        ("gmatch", "abc".to_owned(), String::new()),
        ("find", "a".repeat(3_000), ".-b".to_owned()),
        ("match", "x".repeat(3_000), "(x*)(x*)$".to_owned()),
        ("find", format!("{}b", "a".repeat(70_000)), "[^b]*b".to_owned()),
    ] {
        let (left, right): (String, String) = compare.call((name, &*subject, &*pattern)).unwrap();
        assert_eq!(left, right, "{name} {pattern}");
    }
    for call in [
        "f()",
        "f('a')",
        "f({}, 'a')",
        "f('a', nil)",
        "f('a', 'a', 'x')",
        "f(12, 2)",
        "f('a', 'a', 1.5)",
        "f('a', 'a', select)",
        "f('a', 'a', io.stdout)",
        "f('a', 'a', 'b', 'c')",
        "f('aaa', 'a', 'b', 2.0)",
    ] {
        for name in ["find", "match", "gmatch", "gsub"] {
            let text = format!(
                "local s = ... local f = s.{name} return select(2, pcall(function() return {call} end))"
            );
            let run = |library: &Table| {
                let value: Value = lua.load(&*text).call(library).unwrap();
                if value.is_function() { "function".to_owned() } else { value.to_string().unwrap() }
            };
            let (ours, theirs): (Table, Table) = compare_libraries(&lua);
            assert_eq!(run(&ours), run(&theirs), "{name}: {call}");
        }
    }
}

fn compare_libraries(lua: &Lua) -> (Table, Table) {
    let ours = lua.create_table().unwrap();
    for (_, name, function) in FUNCTIONS {
        // SAFETY: these are C functions written for this purpose.
        ours.set(name, unsafe { lua.create_c_function(function).unwrap() }).unwrap();
    }
    (ours, lua.globals().get("string").unwrap())
}

#[test]
fn repetitions_and_moves_are_luas() {
    let (lua, ours, _) = both();
    lua.load(include_str!("bulk.lua")).call::<()>(ours).unwrap();
}
