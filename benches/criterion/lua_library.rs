//! The cost of the library functions that Trine brings for Lua so that they can be stopped, next to those of Lua's own
//! library (`c`): patterns, repetitions. Each is run by a loop of the guest's, many times a call. Also what a loop costs
//! under a hook that the guest has set.

use crate::{bed::Guest, bench, language::LANGUAGES};
use bytes::Bytes;
use criterion::Criterion;
use mlua::{Function, Lua};
use std::time::{Duration, Instant};

/// What is run, by its name.
const BODIES: [(&str, &str); 13] = [
    ("plain text, found at once", "find('key=value', '=', 1, true)"),
    ("plain text, not found", "find(text, 'nowhere to be found', 1, true)"),
    ("plain byte, found at the end of 1 MB", "find(long, 'y', 1, true)"),
    ("short match with captures", "match('2026-01-31T23:59', '(%d+)-(%d+)-(%d+)')"),
    ("trim", "match('  trimmed  ', '^%s*(.-)%s*$')"),
    ("long search", "find(text, '%d+ times, no')"),
    ("short split", "for w in gmatch('a,b,cc,ddd', '[^,]+') do end"),
    ("words of 11 KB", "for w in gmatch(text, '%a+') do end"),
    ("replacement by a template", "gsub(text, '%w+', '<%0>')"),
    ("replacement from a table", "gsub(text, '[aeiou]', {a = 'A'})"),
    ("replacement of nothing", "gsub(text, 'nothing', '')"),
    ("repetition", "rep('x', 100)"),
    ("repetition with a separator", "rep('ab', 1000, ',')"),
];

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lua library");
    for (question, body) in BODIES {
        let source = source("", body);
        bench(&mut group, question, "lua", || guest(&source), calls);
        let make = || plain(&source);
        bench(&mut group, question, "c", make, |(_, run), count| taken(run, count));
    }
    // Without its debug library, plain Lua has no hooks.
    let hook = "debug.sethook(function() end, '', 10000)";
    for (question, before) in [("loop of 1000", ""), ("loop of 1000 under a hook", hook)] {
        let source = source(before, "local n = 0 for i = 1, 1000 do n = n + i % 7 end");
        bench(&mut group, question, "lua", || guest(&source), calls);
    }
    group.finish();
}

/// Returns a module whose handler runs `body` as many times as its event says.
fn source(before: &str, body: &str) -> String {
    format!(
        "local find, match, gmatch, gsub, rep = string.find, string.match, string.gmatch, string.gsub, string.rep\n\
         local text = rep('The quick brown fox jumps over the lazy dog, 12 times; ', 200)\n\
         local long = rep('x', 1000000) .. 'y'\n\
         return {{ handler = function(count) {before} for i = 1, count do {body} end return count end }}\n"
    )
}

fn guest(source: &str) -> Guest {
    let lua = LANGUAGES.into_iter().find(|language| language.id == "lua").expect("Lua is listed");
    Guest::new(lua, source, &Bytes::from_static(b"1"), &1.into())
}

fn calls(guest: &mut Guest, count: u64) -> Duration {
    guest.calls(&Bytes::from(count.to_string()), 1)
}

/// Loads the module into a state of Lua without Trine.
fn plain(source: &str) -> (Lua, Function) {
    let lua = Lua::new();
    let module: mlua::Table = lua.load(source).eval().expect("the module loads");
    let run = module.get("handler").expect("it has a handler");
    (lua, run)
}

fn taken(run: &Function, count: u64) -> Duration {
    let started = Instant::now();
    run.call::<u64>(count).expect("the handler answers");
    started.elapsed()
}
