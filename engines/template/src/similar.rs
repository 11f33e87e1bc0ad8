//! Suggestions for names that nothing has.

/// The longest name for which one is looked for, and the most names that are looked at: comparing takes its time.
const LONGEST: usize = 100;
const MOST: usize = 500;

/// Returns the name that is most like what was wanted, if any is like it at all.
pub(crate) fn to<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if wanted.len() > LONGEST {
        return None;
    }
    let names = names.into_iter().filter(|name| name.len() <= LONGEST && *name != wanted);
    trine_engine::nearest(wanted, names.take(MOST))
}
