//! The part of a module that can be told by looking at it, before any of its code runs.

/// The answer to whether a module has the function that is sought in it, as far as its text tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// It has it, or may: what code does as it runs, a text does not tell.
    Possible,
    /// It has not, whatever its code does.
    Absent {
        /// Names of what it exports.
        others: Vec<String>,
    },
}

impl Outlook {
    /// The outlook of a module whose exports are known: with one of these `names` among them, or without.
    pub fn of(names: &[&str], exports: Vec<String>) -> Self {
        // Of a path into an export only the export itself can be looked for.
        let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        match names.iter().any(|name| exports.contains(&first(name))) {
            true => Self::Possible,
            false => Self::Absent { others: exports },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_with_the_export_is_possible_and_another_one_is_told_with_what_it_has() {
        let exports = || vec!["api".to_owned(), "parse".to_owned()];
        assert_eq!(Outlook::of(&["handler", "api"], exports()), Outlook::Possible);
        assert_eq!(Outlook::of(&["api.users.get"], exports()), Outlook::Possible);
        assert_eq!(Outlook::of(&["handler"], exports()), Outlook::Absent { others: exports() });
    }
}
