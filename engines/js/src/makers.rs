//! Functions that make events of known shapes from their leaves: an object literal is made in a fraction of the time that
//! reading its text takes.

use crate::convert::text_to_v8;
use deno_runtime::deno_core::v8;
use std::{cell::RefCell, collections::HashMap, fmt::Write};
use trine_engine::{Error, Leaf, Part, Result, Shape, Shaped};

/// Number of functions that are kept. Threads know fewer shapes than that; those of several threads can come here.
const MOST: usize = 256;

/// Length of texts that are kept for the next event.
const LONGEST: usize = 128;

/// Number of times that a text may be another than before until none is kept in its place.
const CHANGES: u8 = 4;

/// The functions of one isolate, by the numbers of their shapes.
#[derive(Default)]
pub(crate) struct Makers {
    known: RefCell<HashMap<u64, Maker>>,
}

struct Maker {
    function: v8::Global<v8::Function>,
    /// The leaves' last texts.
    last: Vec<Last>,
}

/// The text that a leaf had in the event before. Much of what a client sends is the same every time.
enum Last {
    None,
    Text {
        text: Box<str>,
        string: v8::Global<v8::String>,
        changes: u8,
    },
    /// It was another one too often.
    Changes,
}

impl Makers {
    /// Makes the value; `None` where V8 does not get to it because it was told to stop.
    ///
    /// # Errors
    /// `ErrorKind::Unmarshal` for a text that is too long for V8.
    pub(crate) fn make<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        value: &Shaped,
    ) -> Result<Option<v8::Local<'s, v8::Value>>> {
        let mut known = self.known.borrow_mut();
        let id = value.shape().id();
        if !known.contains_key(&id) {
            let Some(maker) = Maker::new(scope, value.shape(), value.len()) else {
                return Ok(None);
            };
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(id, maker);
        }
        let Some(Maker { function, last }) = known.get_mut(&id) else {
            return Err(Error::internal("a function was made and is not there"));
        };
        let mut arguments = Vec::with_capacity(last.len());
        for (leaf, last) in value.leaves().zip(last) {
            arguments.push(match leaf {
                Leaf::Text(text) => last.string(scope, text)?,
                Leaf::Integer(number) => v8::Number::new(scope, number as f64).into(),
                Leaf::Float(number) => v8::Number::new(scope, number).into(),
                Leaf::Truth(truth) => v8::Boolean::new(scope, truth).into(),
                Leaf::Null => v8::null(scope).into(),
            });
        }
        let function = v8::Local::new(scope, &*function);
        let undefined = v8::undefined(scope).into();
        Ok(function.call(scope, undefined, &arguments))
    }

    /// Lets go of the functions, because their isolate ends.
    pub(crate) fn clear(&self) {
        self.known.borrow_mut().clear();
    }
}

impl Maker {
    fn new(scope: &mut v8::PinScope<'_, '_>, shape: &Shape, leaves: usize) -> Option<Self> {
        let source = v8::String::new(scope, &source(shape, leaves))?;
        let function = v8::Script::compile(scope, source, None)?.run(scope)?;
        let function = v8::Local::<'_, v8::Function>::try_from(function).ok()?;
        let last = std::iter::repeat_with(|| Last::None).take(leaves).collect();
        Some(Self { function: v8::Global::new(scope, function), last })
    }
}

impl Last {
    fn string<'s>(
        &mut self,
        scope: &mut v8::PinScope<'s, '_>,
        text: &str,
    ) -> Result<v8::Local<'s, v8::Value>> {
        let changes = match self {
            Self::Text { text: last, string, changes } => {
                if **last == *text {
                    *changes = 0;
                    return Ok(v8::Local::new(scope, &*string).into());
                }
                *changes + 1
            }
            Self::None => 0,
            Self::Changes => return text_to_v8(scope, text.as_bytes()),
        };
        let value = text_to_v8(scope, text.as_bytes())?;
        *self = match v8::Local::<'_, v8::String>::try_from(value) {
            Ok(string) if changes < CHANGES && text.len() <= LONGEST => {
                Self::Text { text: text.into(), string: v8::Global::new(scope, string), changes }
            }
            _ => Self::Changes,
        };
        Ok(value)
    }
}

/// Writes the function: `($0,$1)=>({"a":$0,"b":[$1]})`.
fn source(shape: &Shape, leaves: usize) -> String {
    let mut source = String::from("(");
    for leaf in 0..leaves {
        // Writing to a string cannot fail.
        let _ = write!(source, "${leaf},");
    }
    source.push_str(")=>(");
    let mut open = Vec::new();
    let mut next = 0;
    for part in shape.parts() {
        match part {
            Part::Object(_) => {
                open.push('}');
                source.push('{');
                continue;
            }
            Part::List(_) => {
                open.push(']');
                source.push('[');
                continue;
            }
            Part::Name(name) => {
                let name = serde_json::Value::from(&**name);
                // In a literal, this name by itself would set the object's prototype.
                let _ = match name == "__proto__" {
                    true => write!(source, "[{name}]:"),
                    false => write!(source, "{name}:"),
                };
                continue;
            }
            Part::End => source.push(open.pop().unwrap_or('}')),
            Part::Leaf => {
                let _ = write!(source, "${next}");
                next += 1;
            }
        }
        // After the last item, too: that is allowed, and adds none.
        if !open.is_empty() {
            source.push(',');
        }
    }
    source.push(')');
    source
}

#[cfg(test)]
mod tests {
    use super::source;
    use trine_engine::Shaped;

    #[test]
    fn a_function_makes_the_object_with_its_names_as_they_are() {
        let value = serde_json::json!({
            "a\"\u{2028}": [1, [], {}],
            "__proto__": { "0": null },
        });
        let shaped = Shaped::of(&value, &bytes::Bytes::new());
        assert_eq!(
            source(shaped.shape(), shaped.len()),
            "($0,$1,)=>({\"a\\\"\u{2028}\":[$0,[],{},],[\"__proto__\"]:{\"0\":$1,},})",
        );
    }
}
