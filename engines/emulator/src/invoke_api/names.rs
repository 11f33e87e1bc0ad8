//! The forms in which callers name a function: a name, a partial or a whole ARN, each with or without a qualifier.
//! Contract: AWS Lambda API reference, Invoke, `FunctionName` and `Qualifier`.

/// A function as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionName<'n> {
    /// Its name alone.
    pub name: &'n str,
    /// Its alias or version.
    pub qualifier: Option<String>,
    /// The name as a whole ARN, without the qualifier, where it was given as one.
    pub arn: Option<String>,
}

/// The reason why a name cannot name any function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadName {
    /// It has none of the forms.
    Form,
    /// It has a qualifier, and the query another one.
    TwoQualifiers,
}

impl<'n> FunctionName<'n> {
    /// Reads a name, already decoded, and the qualifier of the query.
    ///
    /// # Errors
    /// When it has none of the forms, or the qualifiers differ.
    pub fn parse(text: &'n str, qualifier: Option<String>) -> Result<Self, BadName> {
        let parts: Vec<&str> = text.split(':').collect();
        let rest = match parts.as_slice() {
            ["arn", partition, "lambda", region, account, rest @ ..] => {
                let is_whole = partition.starts_with("aws")
                    && !region.is_empty()
                    && is_account(account)
                    && rest.first() == Some(&"function");
                if is_whole { &rest[1..] } else { return Err(BadName::Form) }
            }
            // What may be a region or an account is one; `function` only after these, because a function may be called so.
            rest => {
                let is_part: [fn(&str) -> bool; 2] = [is_region, is_account];
                let named = is_part.iter().fold(rest, |rest, is_part| match rest {
                    [part, more @ ..] if !more.is_empty() && is_part(part) => more,
                    rest => rest,
                });
                match named {
                    ["function", more @ ..] if !more.is_empty() && named.len() < rest.len() => more,
                    named => named,
                }
            }
        };
        let (name, own) = match *rest {
            [name] => (name, None),
            [name, qualifier] => (name, Some(qualifier)),
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

/// Whether a text is a region (`eu-west-1`, `us-gov-east-1`).
fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next().is_some_and(|part| part.len() == 2)
        && parts
            .next_back()
            .is_some_and(|part| part.len() == 1 && part.as_bytes()[0].is_ascii_digit())
        && parts.clone().count() > 0
        && parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()))
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
            ("123456789012:f", None, "f", None, false),
            ("123456789012:f:live", None, "f", Some("live"), false),
            ("function:f", None, "function", Some("f"), false),
            ("eu-west-1:123456789012:function:f:7", None, "f", Some("7"), false),
            ("us-gov-east-1:123456789012:f", None, "f", None, false),
            ("eu-west-1", None, "eu-west-1", None, false),
            ("123456789012", None, "123456789012", None, false),
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
        for text in [
            "",
            "a b",
            "f:",
            ":live",
            "a:b:c",
            "12:function:f",
            "eu-west-1:12:f:live",
            "arn:aws:s3:::f",
            "arn:aws:lambda:eu-west-1:123456789012:f",
            "f:$X",
        ] {
            assert_eq!(FunctionName::parse(text, None), Err(BadName::Form), "{text:?}");
        }
        let two = FunctionName::parse("f:live", Some("dev".to_owned()));
        assert_eq!(two, Err(BadName::TwoQualifiers));
    }
}
