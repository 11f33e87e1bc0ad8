//! The name that was probably meant, for messages about one that does not exist.

/// Similarity from which a name is offered instead of one that does not exist.
pub const ALIKE: f64 = 0.8;

/// Returns the similarity of two names, from 0 to 1, whatever the case of their letters (Jaro-Winkler: what differs at
/// the beginning counts most).
pub fn likeness(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(&a.to_lowercase(), &b.to_lowercase())
}

/// Returns the name that is most like a wanted one, the first of equals; `None` where none is [`ALIKE`].
///
/// ```
/// assert_eq!(trine_engine::nearest("hander", ["get", "handler"]), Some("handler"));
/// assert_eq!(trine_engine::nearest("handler", ["zebra"]), None);
/// ```
pub fn nearest<'n, N>(wanted: &str, names: impl IntoIterator<Item = &'n N>) -> Option<&'n str>
where
    N: AsRef<str> + ?Sized + 'n,
{
    let mut best = None;
    for name in names.into_iter().map(AsRef::as_ref) {
        let score = likeness(wanted, name);
        if score >= ALIKE && best.is_none_or(|(known, _)| score > known) {
            best = Some((score, name));
        }
    }
    best.map(|(_, name)| name)
}
