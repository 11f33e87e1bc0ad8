//! The conditions under which a client wants a file, or a part of it (RFC 9110, sections 13 and 14). Those on times are
//! judged where the file is opened.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};

/// The conditions of a request.
pub(super) struct Conditions<'p> {
    method: &'p Method,
    headers: &'p HeaderMap,
}

impl<'p> Conditions<'p> {
    pub(super) fn of(parts: &'p Parts) -> Self {
        Self { method: &parts.method, headers: &parts.headers }
    }

    /// Judges the conditions on the tag of a file. Returns those that are left: on its time, and the part that is wanted.
    ///
    /// # Errors
    /// The status of the answer, where it is not the file.
    pub(super) fn judge(&self, etag: &str) -> Result<HeaderMap, StatusCode> {
        let mut left = HeaderMap::new();
        let mut keep = |name: HeaderName| {
            if let Some(value) = self.headers.get(&name) {
                left.insert(name, value.clone());
            }
        };
        if self.headers.contains_key(header::IF_MATCH) {
            if !self.names(header::IF_MATCH, etag, false) {
                return Err(StatusCode::PRECONDITION_FAILED);
            }
        } else {
            keep(header::IF_UNMODIFIED_SINCE);
        }
        if self.headers.contains_key(header::IF_NONE_MATCH) {
            if self.names(header::IF_NONE_MATCH, etag, true) {
                return Err(StatusCode::NOT_MODIFIED);
            }
        } else {
            keep(header::IF_MODIFIED_SINCE);
        }
        if self.wants_part(etag) {
            keep(header::RANGE);
        }
        Ok(left)
    }

    /// Whether a list of tags has this one, or is `*`. `weak` tags may count for the same.
    fn names(&self, list: HeaderName, etag: &str, weak: bool) -> bool {
        let lists = self.headers.get_all(list).into_iter().filter_map(|list| list.to_str().ok());
        lists.flat_map(|list| list.split(',')).map(str::trim).any(|tag| {
            let tag = tag.strip_prefix("W/").filter(|_| weak).unwrap_or(tag);
            tag == "*" || tag == etag
        })
    }

    /// Whether a part is wanted and can be given: one of a `GET`, of the very file that the client knows.
    fn wants_part(&self, etag: &str) -> bool {
        let Some(range) = self.headers.get(header::RANGE).and_then(text) else { return false };
        // Several parts at once may be answered with the whole, and other units must be.
        if self.method != Method::GET || range.contains(',') || !range.starts_with("bytes=") {
            return false;
        }
        // A time there is no strong condition: what has changed twice within a second has the same one.
        self.headers.get(header::IF_RANGE).is_none_or(|known| text(known) == Some(etag))
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const ETAG: &str = "\"5-1\"";

    /// Judges a request with these headers; returns the names of the headers that are left.
    fn judge(method: &str, headers: &[(&str, &str)]) -> Result<Vec<String>, u16> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let left = Conditions::of(&parts).judge(ETAG).map_err(|status| status.as_u16())?;
        let mut names: Vec<String> = left.keys().map(ToString::to_string).collect();
        names.sort();
        Ok(names)
    }

    #[test]
    fn a_tag_goes_before_a_time() {
        let time = ("if-modified-since", "Sat, 28 Nov 2026 00:00:00 GMT");
        for list in [ETAG, "*", "\"a\", \"5-1\"", "W/\"5-1\""] {
            assert_eq!(judge("GET", &[("if-none-match", list), time]), Err(304), "{list}");
        }
        assert_eq!(judge("GET", &[("if-none-match", "\"other\""), time]), Ok(vec![]));
        assert_eq!(judge("GET", &[time]), Ok(vec!["if-modified-since".to_owned()]));
        assert_eq!(judge("GET", &[("if-match", "\"other\"")]), Err(412));
        assert_eq!(judge("GET", &[("if-match", "W/\"5-1\"")]), Err(412));
        assert_eq!(judge("GET", &[("if-match", ETAG)]), Ok(vec![]));
    }

    #[test]
    fn a_part_is_given_of_the_file_that_the_client_knows() {
        let range = ("range", "bytes=0-1");
        let kept = Ok(vec!["range".to_owned()]);
        assert_eq!(judge("GET", &[range]), kept);
        assert_eq!(judge("GET", &[range, ("if-range", ETAG)]), kept);
        for headers in [
            &[range, ("if-range", "\"other\"")][..],
            &[range, ("if-range", "Sat, 28 Nov 2026 00:00:00 GMT")],
            &[("range", "bytes=0-1,3-4")],
            &[("range", "lines=0-1")],
        ] {
            assert_eq!(judge("GET", headers), Ok(vec![]), "{headers:?}");
        }
        assert_eq!(judge("HEAD", &[range]), Ok(vec![]));
    }
}
