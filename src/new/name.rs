//! The names of projects: what Lambda takes as a function's name, and servers as a folder's.

use super::NewError;

/// The longest name that a function has on Lambda.
const LONGEST: usize = 64;

/// Folders that are no functions to a server, and what they are instead.
const RESERVED: &[(&str, &str)] = &[
    ("node_modules", "packages"),
    ("package", "packages"),
    ("vendor", "packages"),
    ("middlewares", "middlewares"),
    ("deploy", "what deploys functions"),
    ("target", "what was built"),
];

/// Checks that a function can have a name, on Lambda and in a folder that is served.
///
/// # Errors
/// [`NewError::Name`] with what is wrong and what to do.
pub(crate) fn check(name: &str) -> Result<(), NewError> {
    let refused = |why: String| Err(NewError::Name { name: name.to_owned(), why });
    if name.is_empty() {
        return refused(
            "is empty: choose one such as hello, or . for the working directory".into(),
        );
    }
    if name.chars().all(|c| c == '.') {
        return refused(
            "is no name: choose one such as hello, or . for the working directory".into(),
        );
    }
    if let Some((folder, last)) = name.rsplit_once(['/', '\\']) {
        let advice = match last {
            "" | "." | ".." => "choose one such as hello".to_owned(),
            last if folder.is_empty() => {
                format!("go to the folder above, and name it '{last}' there")
            }
            last => format!("go to the folder '{folder}', and name it '{last}' there"),
        };
        return refused(format!("is a path: {advice}"));
    }
    if let Some(odd) = name.chars().find(|c| !is_usual(*c)) {
        return refused(format!("has {odd:?}: functions' names are letters, digits, - and _"));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return refused("begins with neither a letter nor a digit".into());
    }
    if name.len() > LONGEST {
        let length = name.len();
        return refused(format!("has {length} characters: Lambda takes {LONGEST} at the most"));
    }
    if let Some((_, what)) = RESERVED.iter().find(|(reserved, _)| *reserved == name) {
        return refused(format!("is reserved: servers take a folder of this name for {what}"));
    }
    Ok(())
}

/// Returns a name that a function can have, made of a folder's.
pub(crate) fn derived(folder: &str) -> String {
    let usual: String = folder.chars().map(|c| if is_usual(c) { c } else { '-' }).collect();
    let name = usual.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let name = name[..name.len().min(LONGEST)].trim_end_matches('-');
    if check(name).is_ok() { name.to_owned() } else { "function".to_owned() }
}

fn is_usual(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_functions_have_are_good() {
        for name in ["hello", "Cart-2", "a", "7up", "my_function", &"a".repeat(64)] {
            assert!(check(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn other_names_are_told_with_the_reason() {
        for (name, why) in [
            ("", "is empty"),
            ("..", "is no name"),
            ("a/b", "is a path: go to the folder 'a', and name it 'b' there"),
            ("../b", "is a path: go to the folder '..', and name it 'b' there"),
            ("/b", "is a path"),
            ("a\\b", "is a path"),
            ("a/..", "is a path: choose one such as hello"),
            ("a b", "has ' '"),
            ("a.b", "has '.'"),
            ("größe", "has 'ö'"),
            ("a\n", "has '\\n'"),
            ("-a", "begins with neither"),
            ("_a", "begins with neither"),
            ("node_modules", "is reserved"),
            ("middlewares", "servers take a folder of this name for middlewares"),
            (&"a".repeat(65), "has 65 characters"),
        ] {
            let told = check(name).unwrap_err().to_string();
            assert!(told.contains(why), "{name:?}: {told}");
        }
    }

    #[test]
    fn any_folder_has_a_name_for_a_function() {
        for (folder, name) in [
            ("hello", "hello"),
            ("My App", "My-App"),
            (".config", "config"),
            ("größe", "gr--e"),
            ("___", "function"),
            ("target", "function"),
            ("", "function"),
            (&"é".repeat(40), "function"),
        ] {
            assert_eq!(derived(folder), name, "{folder:?}");
        }
        assert_eq!(derived(&"a".repeat(100)).len(), 64);
    }
}
