//! The JSON schema of `trine.toml`, for editors.

use super::keys::{AUTH, Key, Kind, METHODS, TABLES, Table};
use crate::http::EventFormat;
use serde_json::{Map, Value, json};
use trine_engine::Interface;

/// Returns the JSON schema of `trine.toml`, in draft 7, which editors of TOML read.
pub fn schema() -> Value {
    let tables = TABLES.iter().map(|table| (table.name.to_owned(), list_of(table)));
    let tables = tables.chain([(AUTH.name.to_owned(), property(&AUTH))]);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "trine.toml",
        "description": "What Trine serves: routes to functions, their settings, files and triggers.",
        "type": "object",
        "additionalProperties": false,
        "properties": tables.collect::<Map<_, _>>(),
    })
}

fn list_of(table: &Table) -> Value {
    let mut properties = Map::new();
    for key in table.keys {
        for name in key.names() {
            properties.insert(name.to_owned(), property(key));
        }
    }
    let required = required(table.keys.iter().filter(|key| key.kinds.is_empty()));
    let mut items = json!({
        "type": "object",
        "description": table.about,
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    });
    if !table.one_of.is_empty() {
        let choices = table.one_of.iter().map(|name| json!({ "required": [name] }));
        items["oneOf"] = choices.collect();
    }
    if let Some(kinds) = kinds(table) {
        items["allOf"] = kinds;
    }
    json!({ "type": "array", "description": table.about, "items": items })
}

fn required<'k>(keys: impl Iterator<Item = &'k Key>) -> Vec<&'static str> {
    keys.filter(|key| key.required).map(|key| key.name).collect()
}

/// Returns what tables of each kind have and have not, where there are kinds.
fn kinds(table: &Table) -> Option<Value> {
    let of_kind = || table.keys.iter().filter(|key| !key.kinds.is_empty());
    let kind = table.keys.iter().find(|key| key.name == "kind")?;
    let Kind::Choice(kinds) = kind.kind else { return None };
    let rules = kinds.iter().map(|kind| {
        let foreign = of_kind().filter(|key| !key.is_of(Some(kind)));
        let foreign: Map<_, _> = foreign.map(|key| (key.name.to_owned(), false.into())).collect();
        json!({
            "if": { "properties": { "kind": { "const": kind } }, "required": ["kind"] },
            "then": {
                "required": required(of_kind().filter(|key| key.is_of(Some(kind)))),
                "properties": foreign,
            },
        })
    });
    Some(rules.collect())
}

fn property(key: &Key) -> Value {
    let mut property = match key.kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Choice(choices) => json!({ "enum": choices }),
        Kind::Format => json!({ "enum": EventFormat::ALL.map(EventFormat::name) }),
        Kind::Interface => json!({ "enum": Interface::ALL.map(Interface::name) }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::OneOrMore => {
            let text = json!({ "type": "string" });
            json!({ "anyOf": [text, { "type": "array", "items": text, "minItems": 1 }] })
        }
        Kind::Truth => json!({ "type": "boolean" }),
        Kind::Methods => {
            let one = json!({ "enum": METHODS });
            let list = json!({ "type": "array", "items": one, "minItems": 1, "uniqueItems": true });
            json!({ "anyOf": [one, list] })
        }
        Kind::Count(form) => {
            json!({ "type": "integer", "minimum": form.least, "maximum": form.most })
        }
        Kind::Time(_) | Kind::Size(_) => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "number", "minimum": 0 }] })
        }
        Kind::Variables => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
            "additionalProperties": { "type": ["string", "number", "boolean"] },
        }),
        Kind::Auth => {
            let text = json!({ "type": "string" });
            let texts = json!({ "anyOf": [text, { "type": "array", "items": text }] });
            let table = json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "issuer": text,
                    "audience": texts,
                    "jwks": text,
                    "key": text,
                    "algorithms": texts,
                    "scopes": texts,
                },
                "oneOf": [{ "required": ["jwks"] }, { "required": ["key"] }],
            });
            json!({ "anyOf": [{ "enum": [false] }, table] })
        }
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Extent(_) => {
            let text = json!({ "type": "string" });
            json!({ "anyOf": [{ "type": "boolean" }, text, { "type": "array", "items": text }] })
        }
        Kind::Anything => json!({}),
    };
    property["description"] = key.about.into();
    property
}
