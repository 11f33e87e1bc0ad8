//! Source maps, revision 3: from a place in generated code to the place in its source.

use deno_runtime::deno_core::{
    ModuleSpecifier,
    serde::{self, Deserialize},
};

/// A parsed source map. Lines and columns start at 0, as in the format.
#[derive(Debug, Default)]
pub(crate) struct SourceMap {
    /// Absolute URLs, or the texts themselves where they do not form a URL.
    sources: Vec<String>,
    names: Vec<String>,
    /// The mappings in the order of the generated code.
    mappings: Vec<Mapping>,
}

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    pub(crate) source: &'a str,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// The name that the code at this place has in the source.
    pub(crate) name: Option<&'a str>,
}

#[derive(Debug, Clone, Copy)]
struct Mapping {
    line: u32,
    column: u32,
    /// `None` for code that is not in any source.
    origin: Option<Original>,
}

#[derive(Debug, Clone, Copy)]
struct Original {
    source: usize,
    line: u32,
    column: u32,
    name: Option<usize>,
}

/// The content of a map's JSON. Maps are written by all kinds of tools: what is absent is empty.
#[derive(Deserialize)]
#[serde(crate = "serde", rename_all = "camelCase")]
struct Raw {
    #[serde(default)]
    source_root: Option<String>,
    #[serde(default)]
    sources: Vec<Option<String>>,
    #[serde(default)]
    names: Vec<serde_json::Value>,
    #[serde(default)]
    mappings: String,
    #[serde(default)]
    sections: Vec<Section>,
}

#[derive(Deserialize)]
#[serde(crate = "serde")]
struct Section {
    offset: Offset,
    map: Option<Box<Raw>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(crate = "serde")]
struct Offset {
    line: u32,
    column: u32,
}

impl SourceMap {
    /// Parses a map that lies at `base`. Returns `None` when it is invalid: a broken map is as good as no map.
    pub(crate) fn parse(json: &[u8], base: &ModuleSpecifier) -> Option<Self> {
        // The first line may protect it from being run as a script.
        let json = match json.starts_with(b")]}'") {
            true => json.splitn(2, |byte| *byte == b'\n').nth(1)?,
            false => json,
        };
        let mut map = Self::default();
        map.add(serde_json::from_slice(json).ok()?, base, Offset { line: 0, column: 0 })?;
        map.mappings.sort_by_key(|mapping| (mapping.line, mapping.column));
        Some(map)
    }

    /// Finds the origin of the code at a place: the mapping at it, or the last one before it, counts.
    pub(crate) fn find(&self, line: u32, column: u32) -> Option<Origin<'_>> {
        let after = self
            .mappings
            .partition_point(|mapping| (mapping.line, mapping.column) <= (line, column));
        let origin = self.mappings[..after].last()?.origin?;
        Some(Origin {
            source: self.sources.get(origin.source)?,
            line: origin.line,
            column: origin.column,
            name: origin.name.and_then(|name| self.names.get(name)).map(String::as_str),
        })
    }

    /// Adds the mappings of a map, or of its sections, each of which begins at an offset in the generated code.
    fn add(&mut self, raw: Raw, base: &ModuleSpecifier, offset: Offset) -> Option<()> {
        for section in raw.sections {
            let own = section.offset;
            let column =
                if own.line == 0 { offset.column.checked_add(own.column)? } else { own.column };
            let offset = Offset { line: offset.line.checked_add(own.line)?, column };
            self.add(*section.map?, base, offset)?;
        }
        let (first_source, first_name) = (self.sources.len(), self.names.len());
        let root = raw.source_root.as_deref().unwrap_or_default();
        self.sources.extend(raw.sources.iter().map(|source| match source {
            Some(source) => absolute(root, source, base),
            None => base.to_string(),
        }));
        self.names.extend(raw.names.into_iter().map(|name| match name {
            serde_json::Value::String(name) => name,
            other => other.to_string(),
        }));
        let mut running = Running::default();
        for (line, text) in raw.mappings.split(';').enumerate() {
            let line = u32::try_from(line).ok()?;
            running.column = 0;
            for segment in text.split(',').filter(|segment| !segment.is_empty()) {
                let origin = running.step(segment)?;
                let column = u32::try_from(running.column).ok()?;
                self.mappings.push(Mapping {
                    line: offset.line.checked_add(line)?,
                    column: if line == 0 { offset.column.checked_add(column)? } else { column },
                    origin: origin.and_then(|mut origin| {
                        origin.source = origin.source.checked_add(first_source)?;
                        origin.name = origin.name.map(|name| name + first_name);
                        Some(origin)
                    }),
                });
            }
        }
        Some(())
    }
}

/// Returns the URL of a source as written in a map.
fn absolute(root: &str, source: &str, base: &ModuleSpecifier) -> String {
    let rooted = match root {
        "" => source.to_owned(),
        _ if ModuleSpecifier::parse(source).is_ok() => source.to_owned(),
        root => format!("{}/{source}", root.trim_end_matches('/')),
    };
    // Nothing can be resolved against a `data:` URL; then the text itself is the best name.
    base.join(&rooted).map_or(rooted, String::from)
}

/// The numbers of the previous segment: each number is the difference from it.
#[derive(Default)]
struct Running {
    column: i64,
    source: i64,
    line: i64,
    original_column: i64,
    name: i64,
}

impl Running {
    /// Advances to a segment of one, four or five numbers. Returns `None` for an invalid one.
    fn step(&mut self, segment: &str) -> Option<Option<Original>> {
        let numbers = Numbers(segment.bytes()).collect::<Option<Vec<i64>>>()?;
        let add = |value: &mut i64, difference: i64| {
            *value = value.checked_add(difference)?;
            u32::try_from(*value).ok()
        };
        add(&mut self.column, *numbers.first()?)?;
        let [_, source, line, column, ref name @ ..] = numbers[..] else {
            return (numbers.len() == 1).then_some(None);
        };
        let source = add(&mut self.source, source)? as usize;
        let line = add(&mut self.line, line)?;
        let column = add(&mut self.original_column, column)?;
        let name = match name {
            [] => None,
            [name] => Some(add(&mut self.name, *name)? as usize),
            _ => return None,
        };
        Some(Some(Original { source, line, column, name }))
    }
}

/// The numbers of a segment: digits in base 32, the lowest first, with the sign in the lowest bit of the first.
struct Numbers<'a>(std::str::Bytes<'a>);

impl Iterator for Numbers<'_> {
    /// A number; `None` where the text breaks off or is something else.
    type Item = Option<i64>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut byte = self.0.next()?;
        let (mut value, mut shift) = (0i64, 0);
        loop {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return Some(None),
            };
            value |= i64::from(digit & 31) << shift;
            if digit & 32 == 0 {
                let magnitude = value >> 1;
                return Some(Some(if value & 1 == 1 { -magnitude } else { magnitude }));
            }
            shift += 5;
            byte = match self.0.next() {
                Some(byte) if shift <= 30 => byte,
                _ => return Some(None),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> ModuleSpecifier {
        ModuleSpecifier::parse("file:///app/dist/mod.mjs.map").expect("a URL")
    }

    fn parse(json: &str) -> Option<SourceMap> {
        SourceMap::parse(json.as_bytes(), &base())
    }

    fn origin(source: &str, line: u32, column: u32) -> Option<Origin<'_>> {
        Some(Origin { source, line, column, name: None })
    }

    #[test]
    fn the_mapping_at_a_place_or_before_it_counts() {
        // Line 0: column 0 from 0:0, column 8 from 2:4; line 2: column 2 from 3:0.
        let map = parse(r#"{"version":3,"sources":["../src/a.ts"],"mappings":"AAAA,QAEI;;EACJ"}"#);
        let map = map.expect("a map");
        let source = "file:///app/src/a.ts";
        assert_eq!(map.find(0, 0), origin(source, 0, 0));
        assert_eq!(map.find(0, 7), origin(source, 0, 0));
        assert_eq!(map.find(0, 90), origin(source, 2, 4));
        assert_eq!(map.find(2, 2), origin(source, 3, 0));
        assert_eq!(map.find(9, 0), origin(source, 3, 0));
    }

    #[test]
    fn code_before_the_first_mapping_or_of_no_source_has_no_origin() {
        let map = parse(r#"{"version":3,"sources":["a.ts"],"mappings":"EAAA,E"}"#).expect("a map");
        assert_eq!(map.find(0, 0), None);
        assert_eq!(map.find(0, 2), origin("file:///app/dist/a.ts", 0, 0));
        assert_eq!(map.find(0, 4), None);
    }

    #[test]
    fn sources_are_found_from_the_root_and_from_where_the_map_lies() {
        for (root, source, url) in [
            ("", "../src/a b.ts", "file:///app/src/a%20b.ts"),
            ("../src", "a.ts", "file:///app/src/a.ts"),
            ("../src/", "a.ts", "file:///app/src/a.ts"),
            ("/elsewhere", "a.ts", "file:///elsewhere/a.ts"),
            ("", "/elsewhere/a.ts", "file:///elsewhere/a.ts"),
            ("file:///root/", "a.ts", "file:///root/a.ts"),
            ("", "webpack://shop/./src/a.ts", "webpack://shop/src/a.ts"),
            ("/ignored", "file:///app/src/a.ts", "file:///app/src/a.ts"),
        ] {
            let map = serde_json::json!({
                "version": 3, "sourceRoot": root, "sources": [source], "mappings": "AAAA"
            });
            let map = parse(&map.to_string()).expect("a map");
            assert_eq!(map.find(0, 0), origin(url, 0, 0), "{root} {source}");
        }
        let nowhere = ModuleSpecifier::parse("data:text/javascript,1").expect("a URL");
        let map = SourceMap::parse(br#"{"sources":["a.ts"],"mappings":"AAAA"}"#, &nowhere);
        assert_eq!(map.expect("a map").find(0, 0), origin("a.ts", 0, 0));
    }

    #[test]
    fn sections_are_maps_that_begin_at_their_offset() {
        let map = parse(
            r#"{"version":3,"sections":[
                {"offset":{"line":0,"column":0},"map":{"version":3,"sources":["a.ts"],"mappings":"AAAA"}},
                {"offset":{"line":1,"column":10},"map":{"version":3,"sources":["b.ts"],"names":["f"],"mappings":"AAEAA;AACA"}}
            ]}"#,
        );
        let map = map.expect("a map");
        assert_eq!(map.find(1, 9), origin("file:///app/dist/a.ts", 0, 0));
        let b = "file:///app/dist/b.ts";
        let named = Origin { source: b, line: 2, column: 0, name: Some("f") };
        assert_eq!(map.find(1, 10), Some(named));
        assert_eq!(map.find(2, 0), origin(b, 3, 0));
    }

    #[test]
    fn the_line_that_protects_a_map_is_passed_over() {
        let map = parse(")]}'\n{\"sources\":[\"a.ts\"],\"mappings\":\"AAAA\"}").expect("a map");
        assert_eq!(map.find(0, 0), origin("file:///app/dist/a.ts", 0, 0));
    }

    #[test]
    fn a_broken_map_is_no_map() {
        for text in [
            "",
            "null",
            "<html>",
            ")]}'",
            "{\"version\":3,\"sources\":7}",
            r#"{"sources":["a.ts"],"mappings":"!"}"#,
            r#"{"sources":["a.ts"],"mappings":"AA"}"#,
            r#"{"sources":["a.ts"],"mappings":"AAAAAA"}"#,
            r#"{"sources":["a.ts"],"mappings":"g"}"#,
            r#"{"sources":["a.ts"],"mappings":"gggggggggggggggggggggggg"}"#,
            r#"{"sources":["a.ts"],"mappings":"D"}"#,
            r#"{"sections":[{"offset":{"line":0,"column":0},"url":"other.map"}]}"#,
            r#"{"sections":[{"offset":{"line":-1,"column":0},"map":{}}]}"#,
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
        let deep = format!(
            "{}{}",
            r#"{"sections":[{"offset":{"line":0,"column":0},"map":"#.repeat(500),
            "{}"
        );
        assert!(parse(&deep).is_none());
        let elsewhere = parse(r#"{"sources":["a.ts"],"mappings":"ACAA"}"#).expect("a map");
        assert_eq!(elsewhere.find(0, 0), None, "a source that is not listed");
        assert_eq!(parse("{}").expect("an empty map").find(0, 0), None);
    }
}
