//! A whole text through the quick reader, as a value that can be compared. Also for the property tests, which include it.

use super::{JsonNumber, JsonPeek, JsonReader, OddJson};
use serde_json::{Map, Number, Value};

pub(super) fn read(text: &[u8]) -> Result<Value, OddJson> {
    let mut reader = JsonReader::new(text, String::new())?;
    let peek = reader.peek()?;
    let value = value(&mut reader, peek)?;
    reader.finish()?;
    Ok(value)
}

fn value(reader: &mut JsonReader<'_>, peek: JsonPeek) -> Result<Value, OddJson> {
    Ok(match peek {
        JsonPeek::Null => Value::Null,
        JsonPeek::True => Value::Bool(true),
        JsonPeek::False => Value::Bool(false),
        JsonPeek::String => Value::from(reader.string()?.text),
        JsonPeek::Number => match reader.number()? {
            JsonNumber::Integer(number) => Value::from(number),
            JsonNumber::Long(text) => Value::Number(text.parse().map_err(|_| OddJson)?),
            // Larger than a double can be: JSON all the same, yet nothing that serde_json would take.
            JsonNumber::Float(number) => Value::Number(Number::from_f64(number).ok_or(OddJson)?),
        },
        JsonPeek::Array => {
            let mut items = Vec::new();
            let mut next = reader.array()?;
            while let Some(peek) = next {
                items.push(value(reader, peek)?);
                next = reader.next_item()?;
            }
            Value::Array(items)
        }
        JsonPeek::Object => {
            let mut members = Map::new();
            let mut next = reader.object()?.map(str::to_owned);
            while let Some(key) = next {
                let peek = reader.peek()?;
                members.insert(key, value(reader, peek)?);
                next = reader.next_key()?.map(str::to_owned);
            }
            Value::Object(members)
        }
    })
}
