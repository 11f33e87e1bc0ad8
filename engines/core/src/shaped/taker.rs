//! The taking apart of a value: a serialiser that writes its shape here and its leaves there.

use super::{
    Beside, Place, Shape,
    shapes::{Shapes, code},
};
use serde::{
    Serialize, Serializer,
    ser::{
        self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
        SerializeTupleStruct,
    },
};
use std::{
    cell::RefCell,
    fmt::{self, Display, Write},
    sync::Arc,
};

thread_local! {
    static TAKER: RefCell<Taker> = RefCell::default();
}

/// A value that was taken apart.
pub(super) struct Taken {
    pub(super) shape: Arc<Shape>,
    pub(super) is_known: bool,
    pub(super) leaves: Vec<Place>,
    pub(super) text: String,
}

/// Takes a value apart.
pub(super) fn take(value: &impl Serialize) -> Taken {
    TAKER.with(|taker| match taker.try_borrow_mut() {
        Ok(mut taker) => taker.take(value),
        // It is a member of one that is being taken apart.
        Err(_) => Taker::default().take(value),
    })
}

/// What a thread keeps from one value to the next.
#[derive(Default)]
struct Taker {
    written: Vec<u8>,
    shapes: Shapes,
    usual_leaves: usize,
    usual_text: usize,
}

impl Taker {
    fn take(&mut self, value: &impl Serialize) -> Taken {
        let Self { written, shapes, usual_leaves, usual_text } = self;
        written.clear();
        let mut parts = Parts {
            written,
            leaves: Vec::with_capacity(*usual_leaves),
            text: String::with_capacity(*usual_text),
            is_name: false,
        };
        let whole = value.serialize(&mut parts);
        debug_assert!(whole.is_ok(), "the value has a form that JSON text cannot stand for");
        let Parts { mut leaves, text, .. } = parts;
        if whole.is_err() {
            (*written, leaves) = (vec![code::LEAF], vec![Place::Null]);
        }
        (*usual_leaves, *usual_text) = (leaves.len().min(1 << 10), text.len().min(1 << 14) + 64);
        let (shape, is_known) = shapes.find(written);
        Taken { shape, is_known, leaves, text }
    }
}

/// The parts of a value that were written so far.
struct Parts<'w> {
    written: &'w mut Vec<u8>,
    leaves: Vec<Place>,
    text: String,
    /// Whether a name is being written.
    is_name: bool,
}

/// The reason why a value cannot be taken apart; nobody reads it.
#[derive(Debug)]
struct Unfit;

impl Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value cannot be taken apart")
    }
}

impl std::error::Error for Unfit {}

impl ser::Error for Unfit {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

type Written = Result<(), Unfit>;

impl Parts<'_> {
    fn leaf(&mut self, leaf: Place) -> Written {
        if self.is_name {
            return Err(Unfit);
        }
        self.written.push(code::LEAF);
        self.leaves.push(leaf);
        Ok(())
    }

    fn open(&mut self, code: u8) -> Result<&mut Self, Unfit> {
        if self.is_name {
            return Err(Unfit);
        }
        self.written.push(code);
        Ok(self)
    }

    fn close(&mut self) -> Written {
        self.written.push(code::END);
        Ok(())
    }

    fn name(&mut self, name: &str) -> Written {
        let length = u32::try_from(name.len()).map_err(|_| Unfit)?;
        self.written.push(code::NAME);
        self.written.extend_from_slice(&length.to_le_bytes());
        self.written.extend_from_slice(name.as_bytes());
        Ok(())
    }

    /// Makes a leaf of the text from `start` on.
    fn text_from(&mut self, start: usize) -> Written {
        let place = |at: usize| u32::try_from(at).map_err(|_| Unfit);
        let leaf = Place::Text { start: place(start)?, end: place(self.text.len())? };
        self.leaf(leaf)
    }
}

impl<'p, 'w> Serializer for &'p mut Parts<'w> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Impossible<(), Unfit>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Unfit>;

    fn serialize_bool(self, value: bool) -> Written {
        self.leaf(Place::Truth(value))
    }

    fn serialize_i8(self, value: i8) -> Written {
        self.leaf(Place::Integer(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Written {
        self.leaf(Place::Integer(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Written {
        self.leaf(Place::Integer(value.into()))
    }

    fn serialize_i64(self, value: i64) -> Written {
        self.leaf(Place::Integer(value))
    }

    fn serialize_u8(self, value: u8) -> Written {
        self.leaf(Place::Integer(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Written {
        self.leaf(Place::Integer(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Written {
        self.leaf(Place::Integer(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Written {
        self.leaf(i64::try_from(value).map_or(Place::Float(value as f64), Place::Integer))
    }

    fn serialize_f32(self, value: f32) -> Written {
        self.leaf(Place::Float(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Written {
        self.leaf(Place::Float(value))
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        if self.is_name {
            return self.name(value);
        }
        let start = self.text.len();
        self.text.push_str(value);
        self.text_from(start)
    }

    fn serialize_bytes(self, _: &[u8]) -> Written {
        Err(Unfit)
    }

    fn serialize_none(self) -> Written {
        self.leaf(Place::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.leaf(Place::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.leaf(Place::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Written {
        if name == Beside::NAME { self.leaf(Place::Beside) } else { value.serialize(self) }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Written {
        Err(Unfit)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unfit> {
        self.open(code::LIST)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Unfit> {
        self.open(code::LIST)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unfit> {
        self.open(code::LIST)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unfit> {
        Err(Unfit)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Unfit> {
        self.open(code::OBJECT)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unfit> {
        self.open(code::OBJECT)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unfit> {
        Err(Unfit)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Written {
        if self.is_name {
            return self.name(&value.to_string());
        }
        let start = self.text.len();
        write!(self.text, "{value}").map_err(|_| Unfit)?;
        self.text_from(start)
    }
}

impl SerializeSeq for &mut Parts<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut **self)
    }

    fn end(self) -> Written {
        self.close()
    }
}

impl SerializeTuple for &mut Parts<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut **self)
    }

    fn end(self) -> Written {
        self.close()
    }
}

impl SerializeTupleStruct for &mut Parts<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut **self)
    }

    fn end(self) -> Written {
        self.close()
    }
}

impl SerializeMap for &mut Parts<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        self.is_name = true;
        let written = key.serialize(&mut **self);
        self.is_name = false;
        written
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut **self)
    }

    fn end(self) -> Written {
        self.close()
    }
}

impl SerializeStruct for &mut Parts<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        self.name(key)?;
        value.serialize(&mut **self)
    }

    fn end(self) -> Written {
        self.close()
    }
}
