//! Patterns of paths in the spellings of other programs, and how they are written here.

/// Returns how a pattern is written here that is in the spelling of Express, Flask, Rails, Axum, Go or Next; `None` for one
/// that is in none of them.
pub(super) fn here(pattern: &str) -> Option<String> {
    let mut changed = false;
    let segments = pattern.split('/').map(|segment| match renamed(segment) {
        Some(renamed) => {
            changed = true;
            renamed
        }
        None => segment.to_owned(),
    });
    let written = segments.collect::<Vec<_>>().join("/");
    changed.then_some(written)
}

fn renamed(segment: &str) -> Option<String> {
    let within = |open: &str, close: &str| {
        segment.strip_prefix(open).and_then(|inner| inner.strip_suffix(close))
    };
    if let Some(name) = segment.strip_prefix(':') {
        // What follows the name says what the segment may be: `:id(\\d+)`, `:id?`.
        return parameter(name.split(['(', '?']).next().unwrap_or_default(), false);
    }
    if let Some(name) = segment.strip_prefix("**").or_else(|| segment.strip_prefix('*')) {
        return parameter(if name.is_empty() { "path" } else { name }, true);
    }
    if let Some(inner) = within("<", ">") {
        let (kind, name) = inner.split_once(':').unwrap_or(("", inner));
        return parameter(name, kind == "path");
    }
    if let Some(name) = within("[...", "]") {
        return parameter(name, true);
    }
    if let Some(name) = within("[", "]") {
        return parameter(name, false);
    }
    let inner = within("{", "}")?;
    if let Some(name) = inner.strip_prefix('*') {
        return parameter(name.trim_start_matches('*'), true);
    }
    if let Some(name) = inner.strip_suffix("...").or_else(|| inner.strip_suffix('*')) {
        return parameter(name, true);
    }
    let (name, kind) = inner.split_once(':')?;
    parameter(name, kind == "path")
}

/// Returns a segment with this parameter, if that may be its name.
fn parameter(name: &str, greedy: bool) -> Option<String> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || !name.chars().all(fits) {
        return None;
    }
    Some(format!("{{{name}{}}}", if greedy { "+" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_others_are_known() {
        for (theirs, ours) in [
            ("/pets/:id", "/pets/{id}"),
            ("/pets/:id(\\d+)/toys/:toy?", "/pets/{id}/toys/{toy}"),
            ("/files/*", "/files/{path+}"),
            ("/files/**", "/files/{path+}"),
            ("/files/*rest", "/files/{rest+}"),
            ("/pets/<id>", "/pets/{id}"),
            ("/pets/<int:id>", "/pets/{id}"),
            ("/files/<path:rest>", "/files/{rest+}"),
            ("/files/{rest:path}", "/files/{rest+}"),
            ("/pets/{id:[0-9]+}", "/pets/{id}"),
            ("/files/{*rest}", "/files/{rest+}"),
            ("/files/{**rest}", "/files/{rest+}"),
            ("/files/{rest...}", "/files/{rest+}"),
            ("/pets/[id]", "/pets/{id}"),
            ("/files/[...rest]", "/files/{rest+}"),
        ] {
            assert_eq!(here(theirs).as_deref(), Some(ours), "{theirs}");
        }
        for ours in ["/", "/pets/{id}", "/files/{path+}", "/a:b", "/v1/items:batch", "/a*", "/:"] {
            assert_eq!(here(ours), None, "{ours}");
        }
    }
}
