//! Tests of the matcher against C Lua's `string.find`, `match`, `gmatch` and `gsub`: their results and their errors.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use mlua::{Function, Lua, LuaString};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{RngSeed, TestCaseResult},
};
use std::ops::Range;
use trine_lua_pattern::{
    Capture, Cursor, Fault, Matcher, Piece, Scratch, Template, find_plain, is_plain,
};

/// Maximum number of matches of one subject that are compared.
const ROWS: usize = 60;

/// A chunk that calls `string[name]` and writes the result as [`Written`] does.
const DRIVER: &str = r#"
local name, subject, pattern, third, rows = ...
local function row(...)
  local parts = table.pack(...)
  for index = 1, parts.n do
    parts[index] = math.type(parts[index]) and ("n%d;"):format(parts[index]) or "s" .. tostring(parts[index]) .. ";"
  end
  return table.concat(parts)
end
local function tell(good, ...)
  return good and row(...) or "error: " .. tostring((...))
end
if name ~= "gmatch" then
  return tell(pcall(string[name], subject, pattern, third))
end
local told, step = {}, string.gmatch(subject, pattern, third)
for index = 1, rows do
  local values = table.pack(pcall(step))
  if values[1] and values[2] == nil then break end
  told[index] = tell(table.unpack(values, 1, values.n))
  if not values[1] then break end
end
return table.concat(told, "|")
"#;

/// Values in the driver's form.
#[derive(Default)]
struct Written(Vec<u8>);

impl Written {
    fn number(mut self, number: usize) -> Self {
        self.0.extend_from_slice(format!("n{number};").as_bytes());
        self
    }

    fn text(mut self, text: &[u8]) -> Self {
        self.0.push(b's');
        self.0.extend_from_slice(text);
        self.0.push(b';');
        self
    }

    fn captures<S: FnMut() -> bool>(
        mut self,
        matcher: &Matcher<'_, '_, S>,
        count: usize,
    ) -> Result<Self, Fault> {
        for index in 0..count {
            self = match matcher.capture(index)? {
                Capture::Text(text) => self.text(text),
                Capture::Position(position) => self.number(position),
            };
        }
        Ok(self)
    }
}

/// Returns what the driver writes for the outcome of a function that may return nothing.
fn told(outcome: Result<Option<Written>, Fault>) -> Vec<u8> {
    match outcome {
        Ok(Some(written)) => written.0,
        Ok(None) => b"snil;".to_vec(),
        Err(fault) => format!("error: {fault}").into_bytes(),
    }
}

fn find(subject: &[u8], pattern: &[u8], init: usize) -> Result<Option<Written>, Fault> {
    if init > subject.len() {
        return Ok(None);
    }
    let written =
        |found: Range<usize>| Written::default().number(found.start + 1).number(found.end);
    if is_plain(pattern) {
        let found = find_plain(&subject[init..], pattern, || false)?;
        return Ok(found.map(|at| written(init + at..init + at + pattern.len())));
    }
    let mut scratch = Scratch::new();
    let mut matcher = Matcher::new(subject, pattern, &mut scratch, || false);
    let Some(found) = matcher.find(init)? else { return Ok(None) };
    written(found).captures(&matcher, matcher.captures()).map(Some)
}

fn match_(subject: &[u8], pattern: &[u8], init: usize) -> Result<Option<Written>, Fault> {
    let mut scratch = Scratch::new();
    let mut matcher = Matcher::new(subject, pattern, &mut scratch, || false);
    let found = matcher.find(init)?;
    found.map(|_| Written::default().captures(&matcher, matcher.captures().max(1))).transpose()
}

fn gmatch(subject: &[u8], pattern: &[u8], init: usize) -> Vec<u8> {
    let mut cursor = Cursor::new(init);
    let mut rows: Vec<Vec<u8>> = Vec::new();
    while rows.len() < ROWS {
        // Like Lua's iterator, which keeps nothing else from one step to the next.
        let mut scratch = Scratch::new();
        let mut matcher = Matcher::without_anchor(subject, pattern, &mut scratch, || false);
        let row = matcher.next_match(&mut cursor).and_then(|found| {
            found
                .map(|_| Written::default().captures(&matcher, matcher.captures().max(1)))
                .transpose()
        });
        match row {
            Ok(None) => break,
            Ok(Some(row)) => rows.push(row.0),
            Err(fault) => {
                rows.push(told(Err(fault)));
                break;
            }
        }
    }
    rows.join(&b"|"[..])
}

fn gsub(subject: &[u8], pattern: &[u8], template: &[u8]) -> Result<Option<Written>, Fault> {
    let mut scratch = Scratch::new();
    let mut matcher = Matcher::new(subject, pattern, &mut scratch, || false);
    let mut cursor = Cursor::new(0);
    let (mut text, mut added, mut count) = (Vec::new(), 0, 0);
    while let Some(found) = matcher.next_match(&mut cursor)? {
        count += 1;
        text.extend_from_slice(&subject[added..found.start]);
        added = found.end;
        for piece in Template::new(template) {
            match piece? {
                Piece::Text(piece) => text.extend_from_slice(piece),
                Piece::Match => text.extend_from_slice(&subject[found.clone()]),
                Piece::Capture(index) => match matcher.capture(index)? {
                    Capture::Text(piece) => text.extend_from_slice(piece),
                    Capture::Position(position) => text.extend(position.to_string().bytes()),
                },
            }
        }
    }
    text.extend_from_slice(&subject[added..]);
    Ok(Some(Written::default().text(&text).number(count)))
}

/// C Lua and its driver.
struct Reference {
    lua: Lua,
    driver: Function,
}

impl Reference {
    fn new() -> Self {
        let lua = Lua::new();
        let driver = lua.load(DRIVER).into_function().unwrap();
        Self { lua, driver }
    }

    fn call(&self, name: &str, subject: &[u8], pattern: &[u8], third: mlua::Value) -> Vec<u8> {
        let text = |bytes: &[u8]| self.lua.create_string(bytes).unwrap();
        let arguments = (name, text(subject), text(pattern), third, ROWS);
        self.driver.call::<LuaString>(arguments).unwrap().as_bytes().to_vec()
    }

    /// Compares all four functions; `init` counts from 0.
    fn compare(
        &self,
        subject: &[u8],
        pattern: &[u8],
        init: usize,
        template: &[u8],
    ) -> TestCaseResult {
        let third = mlua::Value::Integer(init as i64 + 1);
        let template_value = mlua::Value::String(self.lua.create_string(template).unwrap());
        for (name, third, ours) in [
            ("find", third.clone(), told(find(subject, pattern, init))),
            ("match", third.clone(), told(match_(subject, pattern, init))),
            ("gmatch", third, gmatch(subject, pattern, init)),
            ("gsub", template_value, told(gsub(subject, pattern, template))),
        ] {
            let theirs = self.call(name, subject, pattern, third);
            prop_assert_eq!(
                String::from_utf8_lossy(&ours),
                String::from_utf8_lossy(&theirs),
                "{} of {:?} in {:?}",
                name,
                String::from_utf8_lossy(pattern),
                String::from_utf8_lossy(subject)
            );
        }
        Ok(())
    }
}

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
    b"%b\0a",
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
const LETTERS: &[u8] = b"aaabbbccd11 _(((())[]%-.\0\xff\n\x0bZ";

fn pattern() -> impl Strategy<Value = Vec<u8>> {
    let items = vec((select(ITEMS), select(SUFFIXES)), 0..7);
    let built = items.prop_map(|items| {
        items.into_iter().flat_map(|(item, suffix)| [item, suffix].concat()).collect()
    });
    prop_oneof![4 => built, 1 => vec(select(b"^$*+?.([])%-abf1\0".as_slice()), 0..10)]
}

fn template() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&[u8]] = &[b"%0", b"%1", b"%2", b"%%", b"x", b"<", b"", b"%", b"%x"];
    vec(select(PIECES), 0..4).prop_map(|pieces| pieces.concat())
}

/// Returns a configuration with the same cases in every ordinary run; `PROPTEST_CASES=100000` tries that many new ones.
fn config(ordinary: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => config,
        None => ProptestConfig { cases: ordinary, rng_seed: RngSeed::Fixed(2026), ..config },
    }
}

#[test]
fn whatever_the_pattern_the_outcome_is_luas() {
    let reference = Reference::new();
    proptest!(config(20_000), |(
        subject in vec(select(LETTERS), 0..20),
        pattern in pattern(),
        init in 0_usize..12,
        template in template(),
    )| {
        reference.compare(&subject, &pattern, init, &template)?;
    });
}

#[test]
fn limits_are_luas() {
    let reference = Reference::new();
    let captures = |count| "()".repeat(count);
    for (subject, pattern) in [
        ("a".repeat(300), "a?".repeat(250)),
        ("a".repeat(300), "(a".repeat(40)),
        ("a".repeat(5), captures(32)),
        ("a".repeat(5), captures(33)),
        ("a,b,,c".to_owned(), "([^,]*)".to_owned()),
        ("abc".to_owned(), "^a".to_owned()),
        ("^abc^".to_owned(), "^^".to_owned()),
        ("abc".to_owned(), String::new()),
        ("a".repeat(3_000), ".-b".to_owned()),
        ("x".repeat(3_000), "(x*)(x*)$".to_owned()),
        (format!("{}b", "a".repeat(70_000)), "[^b]*b".to_owned()),
    ] {
        reference.compare(subject.as_bytes(), pattern.as_bytes(), 0, b"<%0%1>").unwrap();
    }
}

#[test]
fn a_pattern_that_backtracks_without_end_is_stopped() {
    let subject = [b'a'; 50];
    let pattern = format!("{}b", "a-".repeat(30));
    let mut asked = 0;
    let mut scratch = Scratch::new();
    let mut matcher = Matcher::new(&subject, pattern.as_bytes(), &mut scratch, || {
        asked += 1;
        asked == 3
    });
    assert_eq!(matcher.find(0), Err(Fault::Stopped));
    assert_eq!(asked, 3);
}

#[test]
fn what_takes_long_in_one_go_counts_as_many_steps() {
    let subject = [b'x'; 1 << 20];
    for pattern in ["(x+)y", "%bxy", "[^%d]*$y", "y", "%f[y]"] {
        let mut scratch = Scratch::new();
        let mut matcher = Matcher::new(&subject, pattern.as_bytes(), &mut scratch, || true);
        assert_eq!(matcher.find(0), Err(Fault::Stopped), "{pattern}");
    }
}
