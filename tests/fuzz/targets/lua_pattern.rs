//! What Lua's string functions do with a pattern, a replacement string (a line each) and a subject (the rest): the same
//! as C Lua.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mlua::{Function, Lua, LuaString};
use trine_lua_pattern::{
    Capture, Cursor, Fault, Matcher, Piece, Scratch, Template, find_plain, is_plain,
};

/// Maximum length of a subject: longer ones would show nothing new and take C Lua long.
const LONGEST: usize = 400;
/// Maximum number of times our matcher may ask whether to stop; beyond it C Lua, which cannot be stopped, is not tried.
const QUESTIONS: usize = 5;

/// A script that reports what `find`, `gmatch` and `gsub` do as text: errors, positions and captures.
const DRIVER: &str = r#"
local subject, pattern, template = ...
local function row(good, ...)
  if not good then return "!" .. tostring((...)) end
  local parts = table.pack(...)
  for index = 1, parts.n do parts[index] = tostring(parts[index]) end
  return table.concat(parts, "\1")
end
local rows = { row(pcall(string.find, subject, pattern)) }
local step = string.gmatch(subject, pattern)
while true do
  local values = table.pack(pcall(step))
  if values[1] and values[2] == nil then break end
  rows[#rows + 1] = row(table.unpack(values, 1, values.n))
  if not values[1] then break end
end
rows[#rows + 1] = row(pcall(string.gsub, subject, pattern, template))
return table.concat(rows, "\2")
"#;

thread_local! {
    static REFERENCE: (Lua, Function) = {
        let lua = Lua::new();
        let driver = lua.load(DRIVER).into_function().expect("the driver compiles");
        (lua, driver)
    };
}

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |&byte| byte == b'\n');
    let (Some(pattern), Some(template), Some(subject)) = (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    let subject = &subject[..subject.len().min(LONGEST)];
    let Some(ours) = outcome(subject, pattern, template) else { return };
    let theirs = REFERENCE.with(|(lua, driver)| {
        let text = |bytes: &[u8]| lua.create_string(bytes).expect("a string");
        let arguments = (text(subject), text(pattern), text(template));
        let told = driver.call::<LuaString>(arguments).expect("the driver raises nothing");
        told.as_bytes().to_vec()
    });
    assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs));
});

/// Returns what the driver reports, computed by our matcher; `None` when it takes too long.
fn outcome(subject: &[u8], pattern: &[u8], template: &[u8]) -> Option<Vec<u8>> {
    let mut questions = 0;
    let mut stop = || {
        questions += 1;
        questions > QUESTIONS
    };
    let mut rows = vec![told(find(subject, pattern, &mut stop))?];
    let mut cursor = Cursor::new(0);
    loop {
        let mut scratch = Scratch::new();
        let mut matcher = Matcher::without_anchor(subject, pattern, &mut scratch, &mut stop);
        let found = matcher.next_match(&mut cursor);
        match found.and_then(|found| found.map(|_| captures(&matcher, 1)).transpose()) {
            Ok(None) => break,
            Ok(Some(row)) => rows.push(row.join(&1)),
            Err(fault) => {
                rows.push(told(Err(fault))?);
                break;
            }
        }
    }
    rows.push(told(gsub(subject, pattern, template, &mut stop))?);
    Some(rows.join(&2))
}

/// Formats a row of the driver's report.
fn told(row: Result<Vec<Vec<u8>>, Fault>) -> Option<Vec<u8>> {
    match row {
        Ok(row) => Some(row.join(&1)),
        Err(Fault::Stopped) => None,
        Err(fault) => Some(format!("!{fault}").into_bytes()),
    }
}

fn captures<S: FnMut() -> bool>(
    matcher: &Matcher<'_, '_, S>,
    least: usize,
) -> Result<Vec<Vec<u8>>, Fault> {
    let indices = 0..matcher.captures().max(least);
    indices.map(|index| Ok(bytes(matcher.capture(index)?))).collect()
}

fn bytes(capture: Capture<'_>) -> Vec<u8> {
    match capture {
        Capture::Text(text) => text.to_vec(),
        Capture::Position(position) => number(position),
    }
}

fn number(number: usize) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn find(subject: &[u8], pattern: &[u8], stop: impl FnMut() -> bool) -> Result<Vec<Vec<u8>>, Fault> {
    let nothing = || vec![b"nil".to_vec()];
    if is_plain(pattern) {
        let found = find_plain(subject, pattern, stop)?;
        return Ok(
            found.map_or_else(nothing, |at| vec![number(at + 1), number(at + pattern.len())])
        );
    }
    let mut scratch = Scratch::new();
    let mut matcher = Matcher::new(subject, pattern, &mut scratch, stop);
    let Some(found) = matcher.find(0)? else { return Ok(nothing()) };
    let mut row = vec![number(found.start + 1), number(found.end)];
    row.extend(captures(&matcher, 0)?);
    Ok(row)
}

fn gsub(
    subject: &[u8],
    pattern: &[u8],
    template: &[u8],
    stop: impl FnMut() -> bool,
) -> Result<Vec<Vec<u8>>, Fault> {
    let mut scratch = Scratch::new();
    let mut matcher = Matcher::new(subject, pattern, &mut scratch, stop);
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
                Piece::Capture(index) => text.extend(bytes(matcher.capture(index)?)),
            }
        }
    }
    text.extend_from_slice(&subject[added..]);
    Ok(vec![text, number(count)])
}
