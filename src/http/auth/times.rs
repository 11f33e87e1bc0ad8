//! The times in a token: from when and until when it is valid.

use serde_json::{Map, Value};

/// The way in which the times of a token are read. There is no leeway: clocks are taken to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Times {
    /// Whether a time that is 0 counts as none.
    pub(in crate::http) zero_is_absent: bool,
}

impl Times {
    /// Checks the times of a token at this second since the epoch. A time that is absent is not checked.
    ///
    /// # Errors
    /// The reason why the token is not valid now.
    pub(in crate::http) fn check(
        self,
        claims: &Map<String, Value>,
        now: u64,
    ) -> Result<(), String> {
        let now = now as f64;
        match self.time(claims, "exp")? {
            Some(end) if now > end => return Err("it has expired".to_owned()),
            _ => {}
        }
        for name in ["nbf", "iat"] {
            match self.time(claims, name)? {
                Some(begin) if now < begin => {
                    return Err(format!("it is not valid yet ('{name}' is in the future)"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn time(self, claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, String> {
        match claims.get(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(0.0) if self.zero_is_absent => Ok(None),
                Some(time) => Ok(Some(time)),
                None => Err(format!("'{name}' is no number")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(claims: Value, zero_is_absent: bool) -> Result<(), String> {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        Times { zero_is_absent }.check(&claims, 1000)
    }

    #[test]
    fn a_token_is_valid_from_its_first_second_to_its_last() {
        for claims in
            [json!({}), json!({"exp": 1000, "nbf": 1000, "iat": 1000}), json!({"exp": 1000.5})]
        {
            assert_eq!(check(claims, false), Ok(()));
        }
        for (claims, why) in [
            (json!({"exp": 999}), "it has expired"),
            (json!({"nbf": 1001}), "'nbf' is in the future"),
            (json!({"iat": 1001}), "'iat' is in the future"),
            (json!({"exp": "2000"}), "'exp' is no number"),
            (json!({"exp": null}), "'exp' is no number"),
            (json!({"exp": 0}), "it has expired"),
        ] {
            let error = check(claims, false).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(check(json!({"exp": 0, "nbf": 0, "iat": 0}), true), Ok(()));
    }
}
