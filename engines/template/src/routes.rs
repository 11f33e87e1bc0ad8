//! Paths of other tools in the form of `trine.toml`, and addresses of functions that have one for themselves.

use crate::{
    project::{EventForm, Function, Route},
    similar,
};

/// The methods that routes may have.
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];

/// The name of the parameter that takes what a platform gives no name.
pub(crate) const PROXY: &str = "proxy";

/// Returns methods of a name in a file: none for any method.
pub(crate) fn methods(written: &str) -> Result<Vec<String>, String> {
    let name = written.trim().to_ascii_uppercase();
    match name.as_str() {
        "ANY" | "*" | "ALL" | "X-AMAZON-APIGATEWAY-ANY-METHOD" => Ok(Vec::new()),
        known if METHODS.contains(&known) => Ok(vec![name]),
        _ => match similar::to(&name, METHODS) {
            Some(near) => Err(format!("'{written}' is no method, {near} is one")),
            None => Err(format!("'{written}' is no method")),
        },
    }
}

/// The longest path, in bytes.
const LONGEST: usize = 8192;

/// Returns a path with parameters in braces, as API Gateway has them, in the form of `trine.toml`.
pub(crate) fn of_gateway(written: &str) -> Result<String, String> {
    if written.len() > LONGEST {
        return Err(format!("the path has more than {LONGEST} bytes"));
    }
    let path = format!("/{}", written.trim().trim_start_matches('/'));
    let inner = path.strip_suffix('/').filter(|inner| !inner.is_empty()).unwrap_or(&path);
    let mut names: Vec<&str> = Vec::new();
    let segments: Vec<_> = inner[1..].split('/').filter(|_| inner.len() > 1).collect();
    for (at, segment) in segments.iter().enumerate() {
        let parameter = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let name = parameter.unwrap_or(segment);
        let greedy = name.strip_suffix('+').filter(|_| parameter.is_some());
        if greedy.is_some() && at + 1 < segments.len() {
            return Err(format!("in '{written}' something follows the greedy parameter"));
        }
        let name = greedy.unwrap_or(name);
        if name.is_empty() || name.contains(['{', '}']) {
            return Err(format!(
                "the part '{segment}' of '{written}' is neither text nor '{{name}}'"
            ));
        }
        if parameter.is_some() && names.contains(&name) {
            return Err(format!("'{written}' has the parameter '{name}' twice"));
        }
        if parameter.is_some() {
            names.push(name);
        }
    }
    Ok(inner.to_owned())
}

/// Returns a path with parameters as `:id`, `:path*` and `*`, as Netlify, Vercel and load balancers have them, in the
/// form of `trine.toml`. `rest` is the name of what `*` takes.
///
/// A path that ends in a star matches without the last part as well, so there may be two.
pub(crate) fn of_pattern(written: &str, rest: &str) -> Result<Vec<String>, String> {
    if written.len() > LONGEST {
        return Err(format!("the path has more than {LONGEST} bytes"));
    }
    let inner = written.trim().trim_start_matches('/').trim_end_matches('/');
    let segments: Vec<_> = inner.split('/').filter(|_| !inner.is_empty()).collect();
    let mut path = String::new();
    for (at, segment) in segments.iter().enumerate() {
        let is_last = at + 1 == segments.len();
        let star = match segment.strip_prefix(':') {
            Some(name) => name
                .strip_suffix('*')
                .map(|name| (name, true))
                .or_else(|| name.strip_suffix('+').map(|name| (name, false))),
            None => matches!(*segment, "*" | "(.*)").then_some((rest, true)),
        };
        let is_plain = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        match (star, segment.strip_prefix(':')) {
            (Some((name, optional)), _) if is_last && is_plain(name) => {
                let greedy = of_gateway(&format!("{path}/{{{name}+}}"))?;
                let mut paths = vec![greedy];
                if optional {
                    paths.insert(0, of_gateway(&path)?);
                }
                return Ok(paths);
            }
            (None, Some(name)) if is_plain(name) => path.push_str(&format!("/{{{name}}}")),
            (None, None) if !segment.contains(['*', '(', ')', '?', '{', '}', '|', '^', '$']) => {
                path.push('/');
                path.push_str(segment);
            }
            _ => return Err(format!("the part '{segment}' of '{written}' is a pattern")),
        }
    }
    Ok(vec![of_gateway(&path)?])
}

/// Returns routes for all requests: to `/`, and to all below.
pub(crate) fn everything(base: Option<&str>, format: EventForm, line: usize) -> Vec<Route> {
    let begin = base.unwrap_or_default();
    let of = |path: String| Route {
        methods: Vec::new(),
        path,
        base_path: base.map(str::to_owned),
        format,
        line,
    };
    let first = if begin.is_empty() { "/".to_owned() } else { begin.to_owned() };
    vec![of(first), of(format!("{begin}/{{{PROXY}+}}"))]
}

/// A function's address of its own, as a function URL is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address {
    /// The function's place among the functions.
    pub(crate) function: usize,
    pub(crate) format: EventForm,
    pub(crate) line: usize,
}

/// Gives routes to functions with addresses of their own: all paths to a single one in a project without other routes, and
/// `/NAME` with all below to each of several.
pub(crate) fn serve_addresses(functions: &mut [Function], addresses: &[Address]) {
    let alone = addresses.len() == 1 && functions.iter().all(|function| function.routes.is_empty());
    for address in addresses {
        let function = &mut functions[address.function];
        let base = format!("/{}", segment(&function.name));
        let base = (!alone).then_some(base.as_str());
        function.routes.extend(everything(base, address.format, address.line));
    }
}

/// Returns a name as a segment of a path.
pub(crate) fn segment(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'~' => text.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
