//! The forms in which callers name a function: a name, a partial or a whole ARN, each with or without a qualifier.
//! Contract: AWS Lambda API reference, Invoke, `FunctionName` and `Qualifier`.

/// A function as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionName<'n> {
    pub(crate) name: &'n str,
    /// Its alias or version.
    pub(crate) qualifier: Option<String>,
    /// The name as a whole ARN, without the qualifier, where it was given as one.
    pub(crate) arn: Option<String>,
}

/// The reason why a name cannot name any function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadName {
    /// It has none of the forms.
    Form,
    /// It has a qualifier, and the query another one.
    TwoQualifiers,
}

impl<'n> FunctionName<'n> {
    /// Reads a name, already decoded, and the qualifier of the query.
    pub(crate) fn parse(text: &'n str, qualifier: Option<String>) -> Result<Self, BadName> {
        let parts: Vec<&str> = text.split(':').collect();
        let (name, own) = match *parts.as_slice() {
            [name] => (name, None),
            [name, qualifier] => (name, Some(qualifier)),
            [account, "function", name] if is_account(account) => (name, None),
            [account, "function", name, own] if is_account(account) => (name, Some(own)),
            ["arn", partition, "lambda", region, account, "function", name, ref rest @ ..]
                if partition.starts_with("aws") && !region.is_empty() && is_account(account) =>
            {
                match *rest {
                    [] => (name, None),
                    [own] => (name, Some(own)),
                    _ => return Err(BadName::Form),
                }
            }
            _ => return Err(BadName::Form),
        };
        let is_word = |text: &str, more: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c) || more.contains(c))
        };
        let is_qualifier = |text: &str| text == "$LATEST" || is_word(text, "");
        if !is_word(name, ".") || !own.into_iter().chain(qualifier.as_deref()).all(is_qualifier) {
            return Err(BadName::Form);
        }
        if let (Some(own), Some(other)) = (own, &qualifier)
            && own != other
        {
            return Err(BadName::TwoQualifiers);
        }
        let arn = (parts[0] == "arn").then(|| parts[..7].join(":"));
        Ok(Self { name, qualifier: own.map(str::to_owned).or(qualifier), arn })
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_is_understood() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        for (text, query, name, qualifier, is_arn) in [
            ("my-f_1.x", None, "my-f_1.x", None, false),
            ("f:live", None, "f", Some("live"), false),
            ("f:live", Some("live"), "f", Some("live"), false),
            ("f", Some("$LATEST"), "f", Some("$LATEST"), false),
            ("123456789012:function:f", None, "f", None, false),
            ("123456789012:function:f:7", None, "f", Some("7"), false),
            (arn, Some("7"), "f", Some("7"), true),
            (&format!("{arn}:live"), None, "f", Some("live"), true),
        ] {
            let found = FunctionName::parse(text, query.map(str::to_owned)).unwrap();
            assert_eq!((found.name, found.qualifier.as_deref()), (name, qualifier), "{text}");
            assert_eq!(found.arn.as_deref(), is_arn.then_some(arn), "{text}");
        }
    }

    #[test]
    fn what_names_nothing_is_told() {
        for text in ["", "a b", "f:", ":live", "a:b:c", "12:function:f", "arn:aws:s3:::f", "f:$X"] {
            assert_eq!(FunctionName::parse(text, None), Err(BadName::Form), "{text:?}");
        }
        let two = FunctionName::parse("f:live", Some("dev".to_owned()));
        assert_eq!(two, Err(BadName::TwoQualifiers));
    }
}
