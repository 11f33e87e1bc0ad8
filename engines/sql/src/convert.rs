//! Rows to JSON: an object of a row's columns, with the types that the tables' columns were declared with.

mod times;

use crate::{
    host::Host,
    limits::{out_of_memory, stopped},
    sqlite::{Statement, Value},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{collections::HashSet, ffi::c_int, io::Write as _};
use trine_engine::{Error, ErrorKind, Result};

/// A number that JSON has no form for.
#[derive(Debug)]
pub(crate) struct Infinite;

/// What a column's declared type makes of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    Plain,
    Boolean,
    Time,
}

/// A column of a result.
struct Column {
    index: c_int,
    name: String,
    /// The name as JSON, and a colon.
    key: Vec<u8>,
    declared: Declared,
}

/// The columns of a statement's result, of which the last one of a name counts.
pub(crate) struct Columns {
    list: Vec<Column>,
    /// [`Statement::prepared_anew`] when they were looked at.
    as_of: c_int,
}

impl Columns {
    pub(crate) fn of(statement: &Statement) -> Self {
        let mut seen = HashSet::new();
        let mut list = Vec::new();
        for index in (0..statement.columns()).rev() {
            let name = statement.name(index);
            if !seen.insert(name.clone()) {
                continue;
            }
            let mut key = Vec::new();
            write_text(&name, &mut key);
            key.push(b':');
            let declared = declared(statement.declared_type(index).as_deref());
            list.push(Column { index, name, key, declared });
        }
        list.reverse();
        Self { list, as_of: statement.prepared_anew() }
    }

    /// Whether these are still the statement's columns.
    pub(crate) fn hold(&self, statement: &Statement) -> bool {
        self.as_of == statement.prepared_anew()
    }

    /// Writes the present row as a JSON object.
    ///
    /// # Errors
    /// When a value has no JSON form, or memory does not suffice.
    pub(crate) fn write_row(
        &self,
        statement: &mut Statement,
        host: &Host,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let mut separator = b'{';
        for column in &self.list {
            out.push(separator);
            separator = b',';
            out.extend_from_slice(&column.key);
            let Some(value) = statement.value(column.index) else {
                return Err(if host.is_stopped() { stopped() } else { out_of_memory() });
            };
            column.write(&value, host, out)?;
        }
        if self.list.is_empty() {
            out.push(b'{');
        }
        out.push(b'}');
        Ok(())
    }
}

impl Column {
    fn write(&self, value: &Value<'_>, host: &Host, out: &mut Vec<u8>) -> Result<()> {
        if let Value::Text(bytes) | Value::Blob(bytes) = value
            && host.account().is_short_of(out.len() + bytes.len())
        {
            return Err(out_of_memory());
        }
        match (self.declared, value) {
            (Declared::Boolean, Value::Integer(number)) => {
                out.extend_from_slice(if *number > 0 { b"true" } else { b"false" });
                return Ok(());
            }
            (Declared::Time, Value::Integer(number)) => {
                if let Some(time) = times::of_number(*number) {
                    write_text(&time, out);
                    return Ok(());
                }
            }
            (Declared::Time, Value::Text(text)) => {
                if let Some(time) = std::str::from_utf8(text).ok().and_then(times::of_text) {
                    write_text(&time, out);
                    return Ok(());
                }
            }
            _ => {}
        }
        write_value(value, out).map_err(|Infinite| {
            let message = format!(
                "column '{}' is infinite, which JSON has no form for: use NULL or a text",
                self.name
            );
            Error::new(ErrorKind::Marshal, message)
        })
    }
}

/// Returns what a declared type makes of values. Contract: the earlier runtime's driver knew these four.
fn declared(declared: Option<&str>) -> Declared {
    let is = |name: &str| declared.is_some_and(|declared| declared.eq_ignore_ascii_case(name));
    match () {
        () if is("boolean") => Declared::Boolean,
        () if is("datetime") || is("timestamp") || is("date") => Declared::Time,
        () => Declared::Plain,
    }
}

/// Writes a value as JSON: blobs in base64, bytes of texts that are no UTF-8 replaced.
pub(crate) fn write_value(value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), Infinite> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Integer(number) => {
            write!(out, "{number}").expect("writing to memory does not fail");
        }
        Value::Real(number) if number.is_finite() => {
            serde_json::to_writer(out, number).expect("finite numbers have a JSON form");
        }
        Value::Real(_) => return Err(Infinite),
        Value::Text(text) => write_text(&String::from_utf8_lossy(text), out),
        Value::Blob(bytes) => {
            out.push(b'"');
            let start = out.len();
            out.resize(start + base64::encoded_len(bytes.len(), true).unwrap_or(0), 0);
            let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
            out.truncate(start + written);
            out.push(b'"');
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("texts have a JSON form");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Value<'_>) -> String {
        let mut out = Vec::new();
        write_value(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_have_their_json_form() {
        assert_eq!(written(&Value::Null), "null");
        assert_eq!(written(&Value::Integer(i64::MIN)), "-9223372036854775808");
        assert_eq!(written(&Value::Real(1.0)), "1.0");
        assert_eq!(written(&Value::Real(0.1)), "0.1");
        assert_eq!(written(&Value::Text(b"a\0\"\n\xff")), "\"a\\u0000\\\"\\n\u{fffd}\"");
        for (bytes, expected) in
            [(&b""[..], "\"\""), (b"a", "\"YQ==\""), (b"\xff\x00\x01", "\"/wAB\"")]
        {
            assert_eq!(written(&Value::Blob(bytes)), expected);
        }
        write_value(&Value::Real(f64::NEG_INFINITY), &mut Vec::new()).unwrap_err();
    }
}
