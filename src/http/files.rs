//! Folders whose files are served as they are. The files are looked for and read on threads of their own, where no guest
//! holds them up.

mod conditions;

use self::conditions::Conditions;
use super::{
    body::{FileBody, ReplyBody},
    error::refusal,
    response::{Reply, finish},
    route::decoded,
    service::only,
    site::ServedFunction,
    wire::Hold,
};
use crate::worker;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header, request::Parts};
use http_body_util::Empty;
use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    sync::Arc,
};
use tower_http::services::ServeFile;

/// The one name with a dot in front that is served: what other programs ask for is there (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// A folder whose files are served below a path.
#[derive(Debug, Clone)]
pub(super) struct StaticFolder {
    /// The path as people write it.
    pub(super) path: String,
    /// The segments of the path, decoded.
    pub(super) segments: Vec<String>,
    /// The folder, without links.
    pub(super) folder: PathBuf,
    /// The file that stands for a folder.
    pub(super) index: Option<String>,
    pub(super) cache_control: Option<HeaderValue>,
    /// The file that answers for paths without a file, as seen from the folder.
    pub(super) fallback: Option<PathBuf>,
}

/// What lies at a path.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    File {
        path: PathBuf,
        etag: String,
    },
    /// A folder that was asked for like a file.
    Folder,
    Nothing,
}

impl StaticFolder {
    /// Returns what follows its own path in another one; `None` if that does not begin with it.
    pub(super) fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        let mut left = path;
        for segment in &self.segments {
            let inner = left.strip_prefix('/')?;
            let end = inner.find('/').unwrap_or(inner.len());
            if decoded(&inner[..end]) != segment.as_str() {
                return None;
            }
            left = &inner[end..];
        }
        Some(left)
    }

    /// Whether a function's file lies in it.
    pub(super) fn holds(&self, function: &ServedFunction) -> bool {
        let file = fs::canonicalize(&function.located.module.path);
        file.is_ok_and(|file| file.starts_with(&self.folder))
    }

    /// Answers a request for a path below its own.
    pub(super) async fn answer(self: &Arc<Self>, hold: &Hold, parts: &Parts) -> Reply {
        let (method, path) = (&parts.method, parts.uri.path());
        if !matches!(*method, Method::GET | Method::HEAD) {
            return only(method, path, "GET, HEAD");
        }
        let Some(wanted) = self.below(path).and_then(Wanted::of) else { return missing(method) };
        let folder = self.clone();
        match worker::run_beside(move || folder.look(&wanted)).await {
            Ok(Found::File { path, etag }) => match self.send(&path, &etag, hold, parts).await {
                Ok(reply) => reply,
                Err(error) => unreadable(method, &error),
            },
            Ok(Found::Folder) => with_slash(method, path),
            Ok(Found::Nothing) => missing(method),
            Err(lost) => unreadable(method, &lost),
        }
    }

    /// Looks for what a path means: a file, the index of a folder, or the file that answers where there is none.
    fn look(&self, wanted: &Wanted) -> Found {
        match self.look_at(&wanted.path, wanted.slash) {
            Found::Nothing if wanted.is_page() => match &self.fallback {
                Some(fallback) => self.look_at(fallback, false),
                None => Found::Nothing,
            },
            found => found,
        }
    }

    fn look_at(&self, path: &Path, slash: bool) -> Found {
        let Some(found) = self.within(path) else { return Found::Nothing };
        if !found.is_dir() {
            return if slash { Found::Nothing } else { file(found) };
        }
        match &self.index {
            Some(index) => match self.within(&path.join(index)) {
                Some(_) if !slash => Found::Folder,
                Some(index) => file(index),
                None => Found::Nothing,
            },
            None => Found::Nothing,
        }
    }

    /// Returns where a path leads once links have been followed, if that is in the folder and nothing on the way is hidden.
    fn within(&self, path: &Path) -> Option<PathBuf> {
        let found = fs::canonicalize(self.folder.join(path)).ok()?;
        let inside = found.strip_prefix(&self.folder).ok()?;
        let is_hidden = |part: Component<'_>| {
            let name = part.as_os_str();
            name.as_encoded_bytes().starts_with(b".") && name != WELL_KNOWN
        };
        (!inside.components().any(is_hidden)).then_some(found)
    }

    async fn send(&self, path: &Path, etag: &str, hold: &Hold, parts: &Parts) -> io::Result<Reply> {
        let (mut headers, file) = match Conditions::of(parts).judge(etag) {
            Ok(conditions) => {
                let mut request = Request::new(Empty::<Bytes>::new());
                *request.method_mut() = parts.method.clone();
                *request.headers_mut() = conditions;
                let (head, body) = ServeFile::new(path).try_call(request).await?.into_parts();
                if head.status == StatusCode::NOT_FOUND {
                    // Since it was looked at.
                    return Ok(missing(&parts.method));
                }
                (head.headers, Ok((head.status, body)))
            }
            Err(status) => (HeaderMap::new(), Err(status)),
        };
        if let Ok(etag) = HeaderValue::from_str(etag) {
            headers.insert(header::ETAG, etag);
        }
        if let Some(cache_control) = &self.cache_control {
            headers.insert(header::CACHE_CONTROL, cache_control.clone());
        }
        say_utf8(&mut headers);
        let (status, body) = match file {
            Ok((status, body)) => (status, body),
            Err(status) => return Ok(bare(status, headers)),
        };
        let length = headers.get(header::CONTENT_LENGTH).and_then(|text| text.to_str().ok());
        let length: u64 = length.and_then(|text| text.parse().ok()).unwrap_or(0);
        let is_file = matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT);
        if !is_file || length == 0 || parts.method == Method::HEAD {
            return Ok(bare(status, headers));
        }
        let mut reply = Reply::new(FileBody::new(body, length, hold.clone()).into());
        *reply.status_mut() = status;
        *reply.headers_mut() = headers;
        Ok(reply)
    }
}

/// What a request asks a folder for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    path: PathBuf,
    /// Whether it ends with a slash, as the paths of folders do.
    slash: bool,
}

impl Wanted {
    /// Reads what follows the folder's own path. `None` for what no file can be at: a way out of the folder, a hidden name.
    fn of(below: &str) -> Option<Self> {
        if below.contains("//") {
            return None;
        }
        let Some(inner) = below.strip_prefix('/') else {
            return below.is_empty().then(|| Self { path: PathBuf::new(), slash: false });
        };
        let (inner, slash) = match inner.strip_suffix('/') {
            Some(inner) => (inner, true),
            None => (inner, inner.is_empty()),
        };
        let mut path = PathBuf::new();
        for segment in inner.split('/').filter(|_| !inner.is_empty()) {
            let name = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
            let is_hidden = name.starts_with('.') && name != WELL_KNOWN;
            if is_hidden || name.contains(['/', '\0']) {
                return None;
            }
            path.push(&*name);
        }
        Some(Self { path, slash })
    }

    /// Whether it may be a page of an application, which has no file: the last segment has no dot.
    fn is_page(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default();
        !name.as_encoded_bytes().contains(&b'.')
    }
}

/// Returns a file with its tag, which changes with its size and its time; nothing where it is no ordinary file.
fn file(path: PathBuf) -> Found {
    let Ok(metadata) = fs::metadata(&path) else { return Found::Nothing };
    if !metadata.is_file() {
        return Found::Nothing;
    }
    let modified = metadata.modified().ok();
    let since = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let etag = format!("\"{:x}-{:x}\"", metadata.len(), since.unwrap_or_default().as_nanos());
    Found::File { path, etag }
}

/// Says that text is UTF-8, which it is by now everywhere.
fn say_utf8(headers: &mut HeaderMap) {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else {
        return;
    };
    let is_text =
        kind.starts_with("text/") || kind == "application/json" || kind == "image/svg+xml";
    if is_text && let Ok(kind) = HeaderValue::from_str(&format!("{kind}; charset=utf-8")) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
}

fn bare(status: StatusCode, mut headers: HeaderMap) -> Reply {
    let mut reply = Reply::new(ReplyBody::default());
    if status == StatusCode::NOT_MODIFIED {
        headers.remove(header::CONTENT_TYPE);
    }
    *reply.status_mut() = status;
    *reply.headers_mut() = headers;
    reply
}

fn missing(method: &Method) -> Reply {
    refusal(method, StatusCode::NOT_FOUND, "there is no such file")
}

fn unreadable(method: &Method, error: &io::Error) -> Reply {
    refusal(method, StatusCode::INTERNAL_SERVER_ERROR, &format!("the file cannot be read: {error}"))
}

/// Sends a client to the same path with a slash, so that the relative links of a folder's index are right. The way there is
/// relative itself: no path can be taken for another server's.
fn with_slash(method: &Method, path: &str) -> Reply {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    if let Ok(way) = HeaderValue::from_str(&format!("./{name}/")) {
        headers.insert(header::LOCATION, way);
    }
    finish(method, StatusCode::PERMANENT_REDIRECT, headers, Bytes::new(), "text/plain")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder(path: &str, at: &Path, fallback: Option<&str>) -> StaticFolder {
        let segments = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
        StaticFolder {
            path: path.to_owned(),
            segments: segments.collect(),
            folder: fs::canonicalize(at).unwrap(),
            index: Some("index.html".to_owned()),
            cache_control: None,
            fallback: fallback.map(PathBuf::from),
        }
    }

    #[test]
    fn a_path_leads_below_the_folders_own() {
        let root = tempfile::tempdir().unwrap();
        let assets = folder("/my assets", root.path(), None);
        for (path, below) in [
            ("/my%20assets", Some("")),
            ("/my%20assets/", Some("/")),
            ("/my%20assets/a/b.css", Some("/a/b.css")),
            ("/my%20assetses/a", None),
            ("/", None),
        ] {
            assert_eq!(assets.below(path), below, "{path}");
        }
        assert_eq!(folder("/", root.path(), None).below("/a"), Some("/a"));
    }

    #[test]
    fn what_no_file_can_be_at_is_not_looked_for() {
        let wanted = |below| Wanted::of(below).map(|it| (it.path.display().to_string(), it.slash));
        assert_eq!(wanted(""), Some((String::new(), false)));
        assert_eq!(wanted("/"), Some((String::new(), true)));
        assert_eq!(wanted("/a%20b/c"), Some(("a b/c".to_owned(), false)));
        assert_eq!(wanted("/a/"), Some(("a".to_owned(), true)));
        assert_eq!(wanted("/.well-known/x"), Some((".well-known/x".to_owned(), false)));
        for below in [
            "/..",
            "/a/../b",
            "/%2e%2e/a",
            "/a%2fb",
            "/.",
            "/.git/config",
            "/a//b",
            "//",
            "/%00",
            "/%ff",
            "x",
        ] {
            assert_eq!(wanted(below), None, "{below}");
        }
    }

    #[test]
    fn files_indexes_and_the_fallback_are_found_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let (inside, outside) = (root.path().join("public"), root.path().join("secret.txt"));
        fs::create_dir_all(inside.join("docs")).unwrap();
        fs::create_dir_all(inside.join("empty")).unwrap();
        for name in ["index.html", "app.css", "docs/index.html", ".env"] {
            fs::write(inside.join(name), name).unwrap();
        }
        fs::write(&outside, "secret").unwrap();
        symlink(&outside, inside.join("out.txt")).unwrap();
        symlink(root.path(), inside.join("up")).unwrap();
        symlink(inside.join(".env"), inside.join("env.txt")).unwrap();
        symlink(inside.join("app.css"), inside.join("same.css")).unwrap();
        let found = |fallback, below: &str| {
            let folder = folder("/", &inside, fallback);
            match folder.look(&Wanted::of(below).unwrap()) {
                Found::File { path, .. } => {
                    path.strip_prefix(&folder.folder).unwrap().display().to_string()
                }
                other => format!("{other:?}"),
            }
        };
        for (below, expected) in [
            ("/", "index.html"),
            ("/app.css", "app.css"),
            ("/same.css", "app.css"),
            ("/docs", "Folder"),
            ("/docs/", "docs/index.html"),
            ("/app.css/", "Nothing"),
            ("/empty", "Nothing"),
            ("/empty/", "Nothing"),
            ("/out.txt", "Nothing"),
            ("/up/secret.txt", "Nothing"),
            ("/env.txt", "Nothing"),
            ("/gone", "Nothing"),
        ] {
            assert_eq!(found(None, below), expected, "{below}");
        }
        assert_eq!(found(Some("index.html"), "/users/7"), "index.html");
        assert_eq!(found(Some("index.html"), "/users/7/"), "index.html");
        assert_eq!(found(Some("index.html"), "/gone.css"), "Nothing");
    }

    #[test]
    fn the_tag_of_a_file_changes_with_the_file() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.txt");
        let etag = || match file(path.clone()) {
            Found::File { etag, .. } => etag,
            other => panic!("{other:?}"),
        };
        fs::write(&path, "a").unwrap();
        let first = etag();
        assert_eq!(etag(), first);
        fs::write(&path, "ab").unwrap();
        assert_ne!(etag(), first);
    }
}
