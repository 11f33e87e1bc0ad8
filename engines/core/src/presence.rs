//! The presence of a function in a module, as far as a look at its text tells, before any of its code runs.

/// The answer to whether a module has the function that is sought in it, as far as its text tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// A function that exists, or may: its text does not tell what code does as it runs.
    Possible,
    /// A function that does not exist, whatever the code does.
    Absent {
        /// Names of what it exports.
        others: Vec<String>,
    },
    /// A value of that name that cannot be called, whatever the code does.
    NoFunction {
        /// The name.
        name: String,
        /// Its kind, with its article: `a number`.
        kind: String,
    },
}

impl Presence {
    /// Returns the presence of a function with one of these `names` in a module whose exports are known.
    pub fn of(names: &[&str], exports: Vec<String>) -> Self {
        // Of a path into an export only the export itself can be looked for.
        let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        match names.iter().any(|name| exports.contains(&first(name))) {
            true => Self::Possible,
            false => Self::Absent { others: exports },
        }
    }

    /// Returns the same for a module some of whose exports are known as values of these kinds and not
    /// functions. A path into an export may lead to a function in it.
    pub fn of_values(
        names: &[&str],
        exports: Vec<String>,
        values: &[(String, &'static str)],
    ) -> Self {
        let presence = Self::of(names, exports.clone());
        let value = |name: &&str| values.iter().find(|(known, _)| known == name);
        let there =
            names.iter().filter(|name| Self::of(&[name], exports.clone()) == Self::Possible);
        let mut values = there.map(value);
        match values.next() {
            Some(Some((name, kind))) if values.all(|value| value.is_some()) => {
                Self::NoFunction { name: name.clone(), kind: (*kind).to_owned() }
            }
            _ => presence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_with_the_export_is_possible_and_another_one_is_told_with_what_it_has() {
        let exports = || vec!["api".to_owned(), "parse".to_owned()];
        assert_eq!(Presence::of(&["handler", "api"], exports()), Presence::Possible);
        assert_eq!(Presence::of(&["api.users.get"], exports()), Presence::Possible);
        assert_eq!(Presence::of(&["handler"], exports()), Presence::Absent { others: exports() });
    }

    #[test]
    fn values_that_are_no_functions_are_told_where_nothing_else_has_a_name() {
        let of = |names: &[&str], exports: &[&str]| {
            let exports = exports.iter().map(|name| (*name).to_owned()).collect();
            let values = [("handler".to_owned(), "a number"), ("data".to_owned(), "an object")];
            Presence::of_values(names, exports, &values)
        };
        let number = Presence::NoFunction { name: "handler".into(), kind: "a number".into() };
        assert_eq!(of(&["handler"], &["handler", "data"]), number);
        assert_eq!(of(&["handler", "lambda_handler"], &["handler"]), number);
        assert_eq!(of(&["handler", "run"], &["handler", "run"]), Presence::Possible);
        assert_eq!(of(&["data.get"], &["data"]), Presence::Possible);
        assert_eq!(of(&["run"], &["data"]), Presence::Absent { others: vec!["data".into()] });
    }
}
