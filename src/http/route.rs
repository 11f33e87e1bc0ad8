//! The routes from a method and a path to a function.

use super::event::Mount;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// Characters of a name that are escaped in a URL.
const IN_URLS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// The first segment of the server's own paths.
pub(super) const OWN: &str = ".trine";

/// The name in events of a route that no file declares.
const DEFAULT_KEY: &str = "$default";

/// A method and a pattern of paths, and the function behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its name in events: `GET /pets/{id}`, or `$default`.
    pub key: String,
    /// The method; `None` for any.
    pub method: Option<Method>,
    /// The path as people write it: `/pets/{id}`.
    pub path: String,
    /// Index of its function.
    pub function: usize,
    /// The mount of its function: the beginning of its path that the function does not see; `None` for no part of it.
    pub base_path: Option<String>,
    segments: Vec<Segment>,
    rest: Option<Rest>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Text(String),
    Parameter(String),
}

/// The part of a path that may follow the segments.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rest {
    /// The parameter that takes it; `None` for a route that does not pass it on.
    name: Option<String>,
    /// Whether it must not be empty.
    required: bool,
}

/// The destination of a request's method and path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Destination<'r> {
    /// A route, with what it took from the path.
    Route(&'r Route, Vec<(String, String)>),
    /// A path that has routes, though none for this method; these are its methods.
    OtherMethods(Vec<String>),
    /// A path that no route has.
    Nowhere,
}

/// All routes of a server, the most specific first.
#[derive(Debug, Clone)]
pub(super) struct Routes(Vec<Route>);

impl Route {
    /// Makes a declared route. `method` may be `ANY`; `path` has `{name}` for one segment and, at its end, `{name+}`
    /// for all that follow.
    ///
    /// # Errors
    /// What is wrong with the method or the path, in words.
    pub(super) fn declared(method: &str, path: &str, function: usize) -> Result<Self, String> {
        let parsed = match method {
            "ANY" | "*" => None,
            name if name.bytes().all(|byte| byte.is_ascii_uppercase()) && !name.is_empty() => Some(
                Method::from_bytes(name.as_bytes()).map_err(|e| format!("method {name:?}: {e}"))?,
            ),
            name => {
                return Err(format!(
                    "{name:?} is no method: write it in capitals, as GET or POST, or ANY for all"
                ));
            }
        };
        let Some(inner) = path.strip_prefix('/') else {
            return Err(format!("the path {path:?} does not begin with a slash"));
        };
        let inner = inner.strip_suffix('/').filter(|inner| !inner.is_empty()).unwrap_or(inner);
        let (mut segments, mut rest) = (Vec::new(), None::<Rest>);
        for segment in inner.split('/').filter(|_| !inner.is_empty()) {
            if rest.is_some() {
                return Err(format!("in the path {path:?} something follows the greedy parameter"));
            }
            let parameter = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
            let name = parameter.unwrap_or(segment);
            let name = name.strip_suffix('+').filter(|_| parameter.is_some()).unwrap_or(name);
            if name.is_empty() || name.contains(['{', '}']) {
                return Err(format!(
                    "the segment {segment:?} of the path {path:?} is neither text nor '{{name}}' \
                     nor '{{name+}}'"
                ));
            }
            let is_known =
                |known: &Segment| matches!(known, Segment::Parameter(other) if other == name);
            if parameter.is_some() && segments.iter().any(is_known) {
                return Err(format!("the path {path:?} has the parameter '{name}' twice"));
            }
            match parameter {
                Some(greedy) if greedy.ends_with('+') => {
                    rest = Some(Rest { name: Some(name.to_owned()), required: true });
                }
                Some(_) => segments.push(Segment::Parameter(name.to_owned())),
                None => segments.push(Segment::Text(decoded(name).into_owned())),
            }
        }
        if matches!(segments.first(), Some(Segment::Text(first)) if first == OWN) {
            return Err(format!("the path {path:?} is the server's own: all below /{OWN} is"));
        }
        let key = format!("{} {path}", if parsed.is_some() { method } else { "ANY" });
        let (path, base_path) = (path.to_owned(), None);
        Ok(Self { key, method: parsed, path, function, base_path, segments, rest })
    }

    /// Returns its segments, decoded, if it has no parameters.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        let texts: Vec<String> = self.leading_texts().map(str::to_owned).collect();
        (texts.len() == self.segments.len() && self.rest.is_none()).then_some(texts)
    }

    /// Returns the segments before its first parameter.
    pub(super) fn leading_texts(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map_while(|segment| match segment {
            Segment::Text(text) => Some(text.as_str()),
            Segment::Parameter(_) => None,
        })
    }

    /// Whether both take the very same requests, whatever their parameters are called.
    pub(super) fn takes_the_same_as(&self, other: &Self) -> bool {
        let alike = |(a, b): (&Segment, &Segment)| match (a, b) {
            (Segment::Text(a), Segment::Text(b)) => a == b,
            (Segment::Parameter(_), Segment::Parameter(_)) => true,
            _ => false,
        };
        self.method == other.method
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(alike)
            && self.rest.is_some() == other.rest.is_some()
    }

    /// Returns the route with its function mounted at `base_path`, with which the route's path begins.
    ///
    /// # Errors
    /// A message that says why it cannot be mounted there.
    pub(super) fn mounted_at(mut self, base_path: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("the base path {base_path:?} {why}"));
        let Some(inner) = base_path.strip_prefix('/') else {
            return wrong("does not begin with a slash");
        };
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let parts: Vec<_> = inner.split('/').filter(|_| !inner.is_empty()).map(decoded).collect();
        let fits = parts.len() <= self.segments.len()
            && parts
                .iter()
                .zip(&self.segments)
                .all(|(part, segment)| matches!(segment, Segment::Text(text) if text == part));
        if !fits {
            return wrong(&format!("is no text that the path {:?} begins with", self.path));
        }
        self.base_path = (!parts.is_empty()).then(|| format!("/{inner}"));
        Ok(self)
    }

    /// Makes the route of a function's name: its path and everything below, passed as the parameter `proxy`.
    pub(super) fn named(name: &str, function: usize) -> Self {
        let path = format!("/{}", utf8_percent_encode(name, IN_URLS));
        Self {
            key: DEFAULT_KEY.to_owned(),
            method: None,
            base_path: Some(path.clone()),
            path,
            function,
            segments: name.split('/').map(|part| Segment::Text(part.to_owned())).collect(),
            rest: Some(Rest { name: Some("proxy".to_owned()), required: false }),
        }
    }

    /// Makes the route of a function that has the server to itself.
    pub(super) fn everything(function: usize) -> Self {
        Self {
            key: DEFAULT_KEY.to_owned(),
            method: None,
            path: "/".to_owned(),
            function,
            base_path: None,
            segments: Vec::new(),
            rest: Some(Rest { name: None, required: false }),
        }
    }

    /// Returns where its function is mounted, and the part of a matching path that lies below that.
    pub(super) fn mount<'a>(&'a self, path: &'a str) -> Option<Mount<'a>> {
        let base_path = self.base_path.as_deref()?;
        // The path may spell the mount differently, with percent signs: what counts is its segments.
        let mut below = path;
        for _ in 0..base_path.split('/').count() - 1 {
            let inner = below.strip_prefix('/').unwrap_or(below);
            below = inner.find('/').map_or("", |slash| &inner[slash..]);
        }
        Some(Mount { base_path, path: if below.is_empty() { "/" } else { below } })
    }

    /// Returns what the route takes from a path, if it matches.
    fn take(&self, path: &str) -> Option<Vec<(String, String)>> {
        let mut left = path.strip_prefix('/').unwrap_or(path);
        let mut parameters = Vec::new();
        for segment in &self.segments {
            let (part, after) = left.split_once('/').unwrap_or((left, ""));
            match segment {
                Segment::Text(text) if part == text || decoded(part) == text.as_str() => {}
                Segment::Parameter(name) if !part.is_empty() => {
                    parameters.push((name.clone(), decoded(part).into_owned()));
                }
                _ => return None,
            }
            left = after;
        }
        match &self.rest {
            None => left.is_empty().then_some(parameters),
            Some(rest) if left.is_empty() && rest.required => None,
            Some(rest) => {
                if let Some(name) = &rest.name {
                    parameters.push((name.clone(), decoded(left).into_owned()));
                }
                Some(parameters)
            }
        }
    }

    /// Returns the ranks of its parts; of two routes that match a path, the more specific one has the smaller ranks.
    fn ranks(&self) -> (Vec<u8>, bool) {
        let mut ranks: Vec<u8> = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Text(_) => 1,
                Segment::Parameter(_) => 2,
            })
            .collect();
        if self.rest.is_some() {
            ranks.push(3);
        }
        (ranks, self.method.is_none())
    }
}

impl Routes {
    /// Orders the routes; of two equal ones the earlier one wins.
    pub(super) fn new(mut routes: Vec<Route>) -> Self {
        routes.sort_by_cached_key(Route::ranks);
        Self(routes)
    }

    /// Returns the routes, the most specific first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }

    /// Finds where a request goes. A `HEAD` goes to a `GET` route if it has none of its own.
    pub(super) fn find(&self, method: &Method, path: &str) -> Destination<'_> {
        let mut others: Vec<String> = Vec::new();
        let mut instead = None;
        for route in &self.0 {
            let Some(parameters) = route.take(path) else { continue };
            match &route.method {
                Some(other) if other != method => {
                    if method == Method::HEAD && other == Method::GET && instead.is_none() {
                        instead = Some((route, parameters));
                    }
                    others.push(other.to_string());
                }
                _ if instead.is_some() => break,
                _ => return Destination::Route(route, parameters),
            }
        }
        match instead {
            Some((route, parameters)) => Destination::Route(route, parameters),
            None if others.is_empty() => Destination::Nowhere,
            None => {
                others.sort();
                others.dedup();
                Destination::OtherMethods(others)
            }
        }
    }
}

/// Decodes the percent signs in a part of a path.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let declared = |text: &str, function| {
            let (method, path) = text.split_once(' ').unwrap();
            Route::declared(method, path, function).unwrap()
        };
        Routes::new(vec![
            Route::named("hello", 0),
            Route::named("pets/js", 1),
            declared("ANY /pets/{proxy+}", 2),
            declared("GET /pets/{id}", 3),
            declared("GET /pets/mine", 4),
            declared("ANY /pets/{id}", 5),
            declared("GET /a/{x}/b/{y}", 6),
        ])
    }

    fn find(method: Method, path: &str) -> Option<(usize, String)> {
        match routes().find(&method, path) {
            Destination::Route(route, parameters) => {
                let text: Vec<_> = parameters.iter().map(|(n, v)| format!("{n}={v}")).collect();
                Some((route.function, text.join("&")))
            }
            _ => None,
        }
    }

    #[test]
    fn the_most_specific_route_wins() {
        assert_eq!(find(Method::GET, "/pets/mine"), Some((4, String::new())));
        assert_eq!(find(Method::GET, "/pets/7"), Some((3, "id=7".into())));
        assert_eq!(find(Method::PUT, "/pets/7"), Some((5, "id=7".into())));
        assert_eq!(find(Method::PUT, "/pets/mine"), Some((5, "id=mine".into())));
        assert_eq!(find(Method::GET, "/pets/7/toys"), Some((2, "proxy=7/toys".into())));
        assert_eq!(find(Method::GET, "/pets/js/x"), Some((1, "proxy=x".into())));
        assert_eq!(find(Method::GET, "/pets"), None);
    }

    #[test]
    fn parameters_are_decoded() {
        let expected = Some((6, "x=1/2&y=a b".into()));
        assert_eq!(find(Method::GET, "/a/1%2F2/b/a%20b"), expected);
        assert_eq!(find(Method::GET, "/a//b/2"), None);
    }

    #[test]
    fn a_functions_name_takes_its_path_and_all_below() {
        for path in ["/hello", "/hello/", "/h%65llo"] {
            assert_eq!(find(Method::DELETE, path), Some((0, "proxy=".into())), "{path}");
        }
        assert_eq!(find(Method::GET, "/hello/a/b"), Some((0, "proxy=a/b".into())));
        assert_eq!(find(Method::GET, "/hellox"), None);
        let all = Routes::new(vec![Route::everything(0)]);
        for path in ["/", "/a/b", "*"] {
            let Destination::Route(_, parameters) = all.find(&Method::GET, path) else { panic!() };
            assert!(parameters.is_empty());
        }
    }

    #[test]
    fn head_is_answered_by_get_and_other_methods_are_told() {
        assert_eq!(find(Method::HEAD, "/pets/mine"), Some((4, String::new())));
        assert_eq!(
            routes().find(&Method::POST, "/a/1/b/2"),
            Destination::OtherMethods(vec!["GET".into()])
        );
        assert_eq!(routes().find(&Method::POST, "/nowhere"), Destination::Nowhere);
    }

    #[test]
    fn wrong_routes_are_told_in_words() {
        for (method, path, part) in [
            ("get", "/x", "capitals"),
            ("", "/x", "capitals"),
            ("GET", "x", "slash"),
            ("GET", "/{a+}/b", "greedy"),
            ("GET", "/{}", "neither"),
            ("GET", "/a{b}", "neither"),
            ("GET", "//", "neither"),
            ("GET", "/{a}/{a}", "the parameter 'a' twice"),
            ("GET", "/{a}/{a+}", "the parameter 'a' twice"),
            ("GET", "/.trine/health", "the server's own"),
        ] {
            let why = Route::declared(method, path, 0).expect_err(path);
            assert!(why.contains(part), "{why}");
        }
        assert_eq!(Route::declared("GET", "/", 0).unwrap().key, "GET /");
    }

    #[test]
    fn routes_that_take_the_same_requests_are_known_whatever_their_parameters_are_called() {
        let same = |a: (&str, &str), b: (&str, &str)| {
            let route = |(method, path)| Route::declared(method, path, 0).unwrap();
            route(a).takes_the_same_as(&route(b))
        };
        assert!(same(("GET", "/a b/{x}"), ("GET", "/a%20b/{y}/")));
        assert!(same(("ANY", "/{x+}"), ("*", "/{rest+}")));
        assert!(!same(("GET", "/a/{x}"), ("ANY", "/a/{x}")));
        assert!(!same(("GET", "/a/{x}"), ("GET", "/a/{x+}")));
        assert!(!same(("GET", "/a/{x}"), ("GET", "/a/x")));
    }

    #[test]
    fn a_mount_is_taken_off_the_path_however_it_is_spelt() {
        let below = |route: &Route, path| route.mount(path).map(|mount| mount.path.to_owned());
        let named = Route::named("my pets/js", 0);
        assert_eq!(named.base_path.as_deref(), Some("/my%20pets/js"));
        for (path, expected) in [
            ("/my%20pets/js", "/"),
            ("/my%20pets/js/", "/"),
            ("/my%20pets/j%73/a%2Fb/", "/a%2Fb/"),
            ("/my%20pets/js//x", "//x"),
            ("/my%20pets/js/my%20pets/js", "/my%20pets/js"),
        ] {
            assert_eq!(below(&named, path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(below(&Route::everything(0), "/a/b"), None);
        let declared = |base: &str| Route::declared("ANY", "/a b/{x}/{y+}", 0)?.mounted_at(base);
        assert_eq!(below(&declared("/a%20b").unwrap(), "/a%20b/1/2").as_deref(), Some("/1/2"));
        assert_eq!(below(&declared("/").unwrap(), "/a%20b/1/2"), None);
        for base in ["a b", "/a", "/a b/1", "/a b/{x}", "/b"] {
            assert!(declared(base).unwrap_err().contains("base path"), "{base}");
        }
    }

    #[test]
    fn a_name_is_encoded_where_a_url_needs_it() {
        assert_eq!(Route::named("my pets/js", 0).path, "/my%20pets/js");
    }
}
