//! A whole text through the reader, as a value that can be compared. Also for the property tests, which include it.

use super::{Number, Peek, Reader, Refused};
use serde_json::{Map, Value};

pub(super) fn read(text: &[u8]) -> Result<Value, Refused> {
    let mut reader = Reader::new(text, String::new())?;
    let peek = reader.peek()?;
    let value = value(&mut reader, peek)?;
    reader.finish()?;
    Ok(value)
}

fn value(reader: &mut Reader<'_>, peek: Peek) -> Result<Value, Refused> {
    Ok(match peek {
        Peek::Null => Value::Null,
        Peek::True => Value::Bool(true),
        Peek::False => Value::Bool(false),
        Peek::String => Value::from(reader.string()?.text),
        Peek::Number => match reader.number()? {
            Number::Integer(number) => Value::from(number),
            Number::Long(text) => Value::Number(text.parse().map_err(|_| Refused)?),
            // Larger than a double can be: JSON all the same, though serde_json would not take it.
            Number::Float(number) => {
                Value::Number(serde_json::Number::from_f64(number).ok_or(Refused)?)
            }
        },
        Peek::Array => {
            let mut items = Vec::new();
            let mut next = reader.array()?;
            while let Some(peek) = next {
                items.push(value(reader, peek)?);
                next = reader.next_item()?;
            }
            Value::Array(items)
        }
        Peek::Object => {
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
