//! The syntax of variables: `${source:address, fallback}`, within texts and within each other.

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Text(&'t str),
    /// What stands between `${` and its `}`.
    Variable(&'t str),
}

/// Splits a text into what is plain and what is a variable.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut plain, mut from) = (0, 0);
    while let Some(found) = text[from..].find("${") {
        let start = from + found;
        let Some(length) = closing(&text[start + 2..]) else {
            from = start + 2;
            continue;
        };
        let (content, end) = (&text[start + 2..start + 2 + length], start + 3 + length);
        from = end;
        let is_escaped = text[..start].ends_with('\\');
        if !is_escaped && !is_variable(content) {
            // Variables of CloudFormation may hold some of ours.
            from = start + 2;
            continue;
        }
        let before = if is_escaped { start - 1 } else { start };
        if plain < before {
            parts.push(Part::Text(&text[plain..before]));
        }
        parts.push(if is_escaped {
            Part::Text(&text[start..end])
        } else {
            Part::Variable(content)
        });
        plain = end;
    }
    if plain < text.len() {
        parts.push(Part::Text(&text[plain..]));
    }
    parts
}

/// The longest variable, in bytes. What is longer is a text: looking for each end would take its time.
const LONGEST: usize = 2048;

/// Returns the offset of the brace that closes a variable.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().take(LONGEST).enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether it begins as a source does: a word, perhaps with parameters, and a colon that is not CloudFormation's.
fn is_variable(content: &str) -> bool {
    let content = content.trim_start();
    let word =
        content.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count();
    let rest = &content[word..];
    let is_quoted = content.starts_with(['\'', '"']);
    let is_call = rest.starts_with('(') && word > 0;
    is_quoted || is_call || word > 0 && rest.starts_with(':') && !rest.starts_with("::")
}

/// A place where a variable's value may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source<'t> {
    /// A value that stands there itself; whether it is in quotes.
    Literal(&'t str, bool),
    /// `kind(parameters):address`.
    Lookup { kind: &'t str, parameters: Option<&'t str>, address: &'t str },
}

/// Returns the sources of a variable's content, the first choice first.
pub(super) fn sources(content: &str) -> Vec<Source<'_>> {
    let mut sources = Vec::new();
    let (mut depth, mut quote, mut start) = (0_usize, None, 0);
    for (at, byte) in content.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'{' | b'(') => depth += 1,
            (None, b'}' | b')') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 => {
                sources.push(source(&content[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    sources.push(source(&content[start..]));
    sources
}

fn source(written: &str) -> Source<'_> {
    let written = written.trim();
    for quote in ['\'', '"'] {
        let inner = written.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return Source::Literal(inner, true);
        }
    }
    if !is_variable(written) {
        return Source::Literal(written, false);
    }
    let word = written.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(0);
    let (kind, rest) = written.split_at(word);
    let Some(inside) = rest.strip_prefix('(') else {
        return Source::Lookup { kind, parameters: None, address: rest.trim_start_matches(':') };
    };
    let end = inside.rfind("):").or_else(|| inside.rfind(')')).unwrap_or(inside.len());
    let address = inside.get(end + 1..).unwrap_or_default();
    let address = address.strip_prefix(':').unwrap_or(address);
    Source::Lookup { kind, parameters: Some(&inside[..end]), address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_told_from_texts_and_from_those_of_cloudformation() {
        assert_eq!(parts("plain"), [Part::Text("plain")]);
        assert_eq!(parts("${self:a}"), [Part::Variable("self:a")]);
        assert_eq!(
            parts("a-${self:b.${opt:c}}-${AWS::Region}"),
            [Part::Text("a-"), Part::Variable("self:b.${opt:c}"), Part::Text("-${AWS::Region}"),]
        );
        assert_eq!(parts("\\${self:a}"), [Part::Text("${self:a}")]);
        assert_eq!(parts("${Table}${open"), [Part::Text("${Table}${open")]);
    }

    #[test]
    fn sources_are_split_at_commas_outside_of_quotes_and_braces() {
        let lookup = |kind, address| Source::Lookup { kind, parameters: None, address };
        assert_eq!(
            sources("opt:stage, env:${self:a, 'b,c'}, 'd, e', 5"),
            [
                lookup("opt", "stage"),
                lookup("env", "${self:a, 'b,c'}"),
                Source::Literal("d, e", true),
                Source::Literal("5", false),
            ]
        );
        let parameters = Some("./x.${opt:stage}.yml");
        let address = "a.b";
        assert_eq!(
            sources("file(./x.${opt:stage}.yml):a.b"),
            [Source::Lookup { kind: "file", parameters, address }]
        );
    }
}
