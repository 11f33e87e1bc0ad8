//! `context.state`: what functions of all languages do to it has the same effect as on a single table.

use crate::support::{Guest, JAVASCRIPT, LUA, Language, PYTHON, Source, languages, runner};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// An action on the state. Each yields something, which is noted.
#[derive(Debug, Clone)]
enum Act {
    /// A write of a member; yields null.
    Set(String, Value),
    /// A read of a member; yields the text `absent` where there is none.
    Get(String),
    /// A check whether there is such a member.
    Has(String),
    /// A removal of a member that may be there; yields null.
    Remove(String),
    /// A list of the keys in alphabetical order.
    Keys,
    /// An append to a member that is a list, in place; yields whether it was one.
    Append(String, Value),
    /// A write of a member of a member that is an object, in place; yields whether it was one.
    Put(String, String, Value),
}

impl Act {
    fn to_json(&self) -> Value {
        match self {
            Self::Set(key, value) => json!(["set", key, value]),
            Self::Get(key) => json!(["get", key]),
            Self::Has(key) => json!(["has", key]),
            Self::Remove(key) => json!(["remove", key]),
            Self::Keys => json!(["keys"]),
            Self::Append(key, value) => json!(["append", key, value]),
            Self::Put(key, name, value) => json!(["put", key, name, value]),
        }
    }

    /// Applies the action to the model: one table of JSON values.
    fn apply(&self, state: &mut Map<String, Value>) -> Value {
        match self {
            Self::Set(key, value) => {
                state.insert(key.clone(), value.clone());
                Value::Null
            }
            Self::Get(key) => state.get(key).cloned().unwrap_or("absent".into()),
            Self::Has(key) => state.contains_key(key).into(),
            Self::Remove(key) => {
                state.remove(key);
                Value::Null
            }
            Self::Keys => {
                let mut keys: Vec<&String> = state.keys().collect();
                keys.sort();
                json!(keys)
            }
            Self::Append(key, value) => match state.get_mut(key) {
                Some(Value::Array(items)) => {
                    items.push(value.clone());
                    true.into()
                }
                _ => false.into(),
            },
            Self::Put(key, name, value) => match state.get_mut(key) {
                Some(Value::Object(members)) => {
                    members.insert(name.clone(), value.clone());
                    true.into()
                }
                _ => false.into(),
            },
        }
    }
}

/// Makes keys that are alike for every language: ASCII, so that all of them sort alike.
fn keys() -> impl Strategy<Value = String> {
    let known = [
        "a",
        "b",
        "1",
        "",
        "__proto__",
        "constructor",
        "toString",
        "then",
        "keys",
        "get",
        "__class__",
        "__index",
        "__len",
        "a b",
    ];
    // A few of them occur often, so that actions meet.
    prop_oneof![select(vec!["a", "b", "1"]), select(known.to_vec())].prop_map(str::to_owned)
}

/// Makes values that are alike for every language: no fractions, no integers beyond a double.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys(), inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

fn acts() -> impl Strategy<Value = Act> {
    let containers = prop_oneof![Just(json!([])), Just(json!({})), values()];
    prop_oneof![
        4 => (keys(), containers).prop_map(|(key, value)| Act::Set(key, value)),
        4 => keys().prop_map(Act::Get),
        1 => keys().prop_map(Act::Has),
        1 => keys().prop_map(Act::Remove),
        1 => Just(Act::Keys),
        3 => (keys(), values()).prop_map(|(key, value)| Act::Append(key, value)),
        3 => (keys(), keys(), values()).prop_map(|(key, name, value)| Act::Put(key, name, value)),
    ]
}

/// Makes a file whose functions do what the event lists for their places, in each language: `before` at `first`,
/// `after` at `second`, and a handler at `first`. What an action yields is noted at once, as text, because lists and
/// objects keep changing.
fn source(language: Language, first: usize, second: usize) -> Source {
    let text = match language {
        JAVASCRIPT => include_str!("state/state.mjs"),
        PYTHON => include_str!("state/state.py"),
        _ => include_str!("state/state.lua"),
    };
    let text = text.replace("FIRST", &first.to_string()).replace("SECOND", &second.to_string());
    Source::new(language, text)
}

/// Six hooks around a handler make thirteen places for actions: every language comes after every other one.
#[test]
fn state_is_one_table_for_all_languages() {
    if languages().len() < 3 {
        return;
    }
    let hooks = [JAVASCRIPT, PYTHON, LUA, JAVASCRIPT, LUA, PYTHON];
    for handler in [JAVASCRIPT, PYTHON, LUA] {
        let last = 2 * hooks.len();
        let middlewares: Vec<Source> =
            hooks.iter().enumerate().map(|(at, hook)| source(*hook, at, last - at)).collect();
        let guest = Guest::load(&source(handler, hooks.len(), last + 1), &middlewares);
        let strategy = vec((0..=last, acts()), 1..40);
        let outcome = runner(500).run(&strategy, |acts| {
            let mut places = vec![Vec::new(); last + 1];
            for (place, act) in acts {
                places[place].push(act);
            }
            let mut state = Map::new();
            let flat = places.iter().flatten();
            let expected: Vec<Value> = flat.map(|act| act.apply(&mut state)).collect();
            let listed = |acts: &Vec<Act>| acts.iter().map(Act::to_json).collect::<Value>();
            let event = json!({
                "places": places.iter().map(listed).collect::<Value>(),
                "notes": [],
            });
            let answer = guest.call(event.to_string());
            prop_assert!(answer.is_ok(), "{:#}", answer.unwrap_err());
            let answer: Value = serde_json::from_slice(&answer.unwrap()).unwrap();
            let notes = answer["notes"].as_array().unwrap().iter();
            let notes: Vec<Value> =
                notes.map(|note| serde_json::from_str(note.as_str().unwrap()).unwrap()).collect();
            prop_assert_eq!(notes, expected, "handler in {}", handler.id);
            Ok(())
        });
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", handler.id));
    }
}
