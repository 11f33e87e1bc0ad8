//! Header fields: names and values in their order, in one piece of memory.

use std::fmt;

/// The header fields of a request or a response, or its trailers, in their order; a name may occur several times.
///
/// Names are in lower case where they come from a front door; engines may write them as guests do. Values are bytes, as HTTP
/// has them: what a language makes of those beyond ASCII is its convention's affair.
///
/// ```
/// use trine_engine::Fields;
///
/// let mut fields = Fields::default();
/// fields.push("accept", "text/html");
/// fields.push("set-cookie", "a=1");
/// fields.push("set-cookie", "b=2");
/// assert_eq!(fields.get("Accept"), Some(&b"text/html"[..]));
/// assert_eq!(fields.all("set-cookie").count(), 2);
/// assert_eq!(fields.iter().last(), Some((&b"set-cookie"[..], &b"b=2"[..])));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// Names and values, one after the other.
    text: Vec<u8>,
    /// Where each name and its value end.
    ends: Vec<(u32, u32)>,
}

impl Fields {
    /// Makes an empty list with room for so many fields, of so many bytes together.
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), ends: Vec::with_capacity(fields) }
    }

    /// Adds a field.
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.text.extend_from_slice(name.as_ref());
        let name_end = self.text.len() as u32;
        self.text.extend_from_slice(value.as_ref());
        self.ends.push((name_end, self.text.len() as u32));
    }

    /// Returns the fields: names with their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.ends.iter().enumerate().map(|(at, (name_end, end))| {
            let start = at.checked_sub(1).map_or(0, |before| self.ends[before].1);
            let part = |from: u32, to: u32| &self.text[from as usize..to as usize];
            (part(start, *name_end), part(*name_end, *end))
        })
    }

    /// Returns the first value of a name, whatever its case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// Returns all values of a name, whatever its case.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let is_it = move |found: &[u8]| found.eq_ignore_ascii_case(name.as_bytes());
        self.iter().filter(move |(found, _)| is_it(found)).map(|(_, value)| value)
    }

    /// Whether there is a field of this name, whatever its case.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the number of fields.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut list = Self::default();
        list.extend(fields);
        list
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Extend<(N, V)> for Fields {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, fields: I) {
        for (name, value) in fields {
            self.push(name, value);
        }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |bytes| String::from_utf8_lossy(bytes).into_owned();
        f.debug_list()
            .entries(self.iter().map(|(name, value)| (shown(name), shown(value))))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_their_bytes_and_their_number() {
        let mut fields = Fields::with_capacity(3, 32);
        fields.push("a", "");
        fields.push("", "b");
        fields.push(b"A", b"\xff");
        let listed: Vec<_> = fields.iter().collect();
        assert_eq!(listed, [(&b"a"[..], &b""[..]), (b"", b"b"), (b"A", b"\xff")]);
        assert_eq!(fields.all("a").collect::<Vec<_>>(), [&b""[..], b"\xff"]);
        assert_eq!((fields.len(), fields.is_empty(), fields.contains("c")), (3, false, false));
        assert_eq!(Fields::from_iter([("a", "")]).iter().next(), Some((&b"a"[..], &b""[..])));
    }
}
