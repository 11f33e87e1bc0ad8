//! The writing of Python values as JSON text, byte for byte as `simplejson` does it for AWS's own runtime.

use super::{DEPTH, scan};
use crate::{error, interpreter};
use pyo3::{
    ffi, intern,
    prelude::*,
    types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};
use std::{ffi::CStr, io::Write, slice, str};

/// The style in which text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// Whether everything outside printable ASCII is escaped.
    pub(crate) ascii: bool,
}

/// The reason why a value has no JSON form.
pub(crate) enum Failure {
    /// The value itself has none. The path to it starts with the innermost step.
    Refused { message: String, path: Vec<String> },
    /// An exception of the guest's code that ran on the way.
    Raised(PyErr),
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), path: Vec::new() }
    }

    fn at(mut self, step: impl FnOnce() -> String) -> Self {
        if let Self::Refused { path, .. } = &mut self
            && path.len() < 32
        {
            path.push(step());
        }
        self
    }
}

type Outcome = Result<(), Failure>;

/// Appends the JSON form of `value` to `out`.
pub(crate) fn write(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, settings: Settings) -> Outcome {
    Writer::<false> { out, settings, open: Vec::new() }.value(value)
}

/// Appends the JSON form of `value` for another language: values that would lose information there are refused.
pub(crate) fn write_plain(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome {
    Writer::<true> { out, settings: Settings::default(), open: Vec::new() }.value(value)
}

/// The writer. `STRICT` is for another language ([`write_plain`]), a constant so that results pay nothing for it.
struct Writer<'a, const STRICT: bool> {
    out: &'a mut Vec<u8>,
    settings: Settings,
    /// The containers around the current position, to notice one that contains itself.
    open: Vec<*mut ffi::PyObject>,
}

impl<const STRICT: bool> Writer<'_, STRICT> {
    fn value(&mut self, value: &Bound<'_, PyAny>) -> Outcome {
        if let Ok(text) = value.cast::<PyString>() {
            self.text(text)
        } else if value.is_none() {
            self.raw(b"null")
        } else if let Ok(truth) = value.cast::<PyBool>() {
            self.raw(if truth.is_true() { b"true" } else { b"false" })
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.inside(value, "object", |this| this.dict(dict))
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.inside(value, "array", |this| this.list(list))
        } else if let Ok(int) = value.cast::<PyInt>() {
            self.int(int)
        } else if let Ok(float) = value.cast::<PyFloat>() {
            self.float(float.value())
        } else {
            self.other(value)
        }
    }

    fn other(&mut self, value: &Bound<'_, PyAny>) -> Outcome {
        // Before anything else that is neither text nor number: named tuples, database rows, objects of any class.
        if let Some(fields) = named_fields(value)? {
            return self.inside(value, "object", |this| this.mapping(&fields));
        }
        if value.is_instance_of::<PyDict>() {
            return self.inside(value, "object", |this| this.mapping(value));
        }
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            return self.inside(value, "array", |this| this.tuple(tuple));
        }
        if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            return self.inside(value, "array", |this| this.iterated(value));
        }
        if let Ok(bytes) = value.cast::<PyBytes>()
            && !STRICT
        {
            let text = utf8(bytes)?;
            return self.text(&text);
        }
        if is_decimal(value)? {
            // Signalling ones, and those with a sign or a payload, have names of their own.
            let is_nan: bool = value.call_method0(intern!(value.py(), "is_nan"))?.extract()?;
            let text = if is_nan { "NaN".to_owned() } else { value.str()?.to_string() };
            // Nobody else reads `NaN` and `Infinity` as numbers.
            if STRICT && !text.ends_with(|last: char| last.is_ascii_digit()) {
                return Err(Failure::new(format!("{text} has no JSON form")));
            }
            return self.raw(text.as_bytes());
        }
        if is_null(value) {
            return self.raw(b"null");
        }
        if STRICT && let Some(date) = date(value)? {
            return self.text(&date);
        }
        let name = error::type_name(&value.get_type());
        Err(Failure::new(format!("Object of type {name} is not JSON serializable")))
    }

    fn raw(&mut self, text: &[u8]) -> Outcome {
        self.out.extend_from_slice(text);
        Ok(())
    }

    fn inside(
        &mut self,
        value: &Bound<'_, PyAny>,
        kind: &str,
        write: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        if self.open.contains(&value.as_ptr()) {
            return Err(Failure::new("Circular reference detected"));
        }
        if self.open.len() >= DEPTH {
            return Err(Failure::new(format!(
                "maximum recursion depth exceeded while encoding a JSON {kind}"
            )));
        }
        self.open.push(value.as_ptr());
        let done = write(self);
        self.open.pop();
        done
    }

    fn separator(&mut self, first: bool) {
        if !first {
            self.out.extend_from_slice(b", ");
        }
    }

    fn list(&mut self, list: &Bound<'_, PyList>) -> Outcome {
        self.out.push(b'[');
        let mut at = 0;
        // By index: code of the guest's may run in between and change the list.
        while at < list.len() {
            let item = list.get_item(at)?;
            self.separator(at == 0);
            self.value(&item).map_err(|failure| failure.at(|| format!("[{at}]")))?;
            at += 1;
        }
        self.raw(b"]")
    }

    fn tuple(&mut self, tuple: &Bound<'_, PyTuple>) -> Outcome {
        self.out.push(b'[');
        for (at, item) in tuple.iter().enumerate() {
            self.separator(at == 0);
            self.value(&item).map_err(|failure| failure.at(|| format!("[{at}]")))?;
        }
        self.raw(b"]")
    }

    /// Writes a list or tuple of a class of its own, which may have its own way to iterate.
    fn iterated(&mut self, sequence: &Bound<'_, PyAny>) -> Outcome {
        self.out.push(b'[');
        for (at, item) in sequence.try_iter()?.enumerate() {
            self.separator(at == 0);
            self.value(&item?).map_err(|failure| failure.at(|| format!("[{at}]")))?;
        }
        self.raw(b"]")
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>) -> Outcome {
        let py = dict.py();
        let length = dict.len();
        let mut at: ffi::Py_ssize_t = 0;
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        self.out.push(b'{');
        let mut first = true;
        // SAFETY: the dictionary is alive and of the exact type, `at` is only changed by the callee, which checks it
        // against the dictionary's present size. (pyo3's iterator panics when the guest changes the dictionary.)
        while unsafe { ffi::PyDict_Next(dict.as_ptr(), &raw mut at, &raw mut key, &raw mut value) }
            != 0
        {
            // SAFETY: the callee returned true, so both are set to objects that the dictionary holds at this moment;
            // a reference of our own is taken before anything else runs.
            let (key, value) =
                unsafe { (Bound::from_borrowed_ptr(py, key), Bound::from_borrowed_ptr(py, value)) };
            self.member(&key, &value, first)?;
            first = false;
            if dict.len() != length {
                return Err(Failure::new("dictionary changed size during iteration"));
            }
        }
        self.raw(b"}")
    }

    /// Writes anything with `items()`: subclasses of `dict` may have an order of their own.
    fn mapping(&mut self, mapping: &Bound<'_, PyAny>) -> Outcome {
        self.out.push(b'{');
        let mut first = true;
        for item in mapping.call_method0("items")?.try_iter()? {
            let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
            self.member(&key, &value, first)?;
            first = false;
        }
        self.raw(b"}")
    }

    fn member(&mut self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, first: bool) -> Outcome {
        self.separator(first);
        if let Ok(text) = key.cast::<PyString>() {
            self.text(text)?;
        } else {
            self.key(key)?;
        }
        self.out.extend_from_slice(b": ");
        self.value(value).map_err(|failure| {
            failure.at(|| {
                let key = key.repr().map_or_else(|_| "…".into(), |text| text.to_string());
                format!("[{key}]")
            })
        })
    }

    /// Writes a key that is not a text, as the text of its JSON form.
    fn key(&mut self, key: &Bound<'_, PyAny>) -> Outcome {
        if let Ok(bytes) = key.cast::<PyBytes>() {
            let text = utf8(bytes)?;
            return self.text(&text);
        }
        let plain =
            key.is_none() || key.is_instance_of::<PyInt>() || key.is_instance_of::<PyFloat>();
        if !plain {
            return Err(Failure::new(format!(
                "keys must be str, int, float, bool or None, not {}",
                error::type_name(&key.get_type())
            )));
        }
        self.out.push(b'"');
        self.value(key)?;
        self.raw(b"\"")
    }

    fn int(&mut self, int: &Bound<'_, PyInt>) -> Outcome {
        let mut overflow = 0;
        // SAFETY: an integer that is alive; the other argument is valid for writes. Such an argument raises nothing.
        let small = unsafe { ffi::PyLong_AsLongLongAndOverflow(int.as_ptr(), &raw mut overflow) };
        if overflow == 0 {
            return self.small_int(small);
        }
        // `int.__repr__` itself: an enumeration's own would name the member.
        let text = int.py().get_type::<PyInt>().call_method1("__repr__", (int,))?;
        self.raw(text.cast::<PyString>().map_err(PyErr::from)?.to_string_lossy().as_bytes())
    }

    fn small_int(&mut self, value: i64) -> Outcome {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            self.out.push(b'-');
        }
        self.raw(&digits[at..])
    }

    fn float(&mut self, value: f64) -> Outcome {
        if STRICT && !value.is_finite() {
            return Err(Failure::new(format!("{value} has no JSON form")));
        }
        if value.is_nan() {
            return self.raw(b"NaN");
        }
        if value.is_infinite() {
            return self.raw(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
        }
        let size = value.abs();
        if let Some((digits, places)) = few_digits(size) {
            return self.few_digits(value.is_sign_negative(), digits, places);
        }
        if value == 0.0 || (1e-4..1e16).contains(&size) {
            // Both languages write the shortest digits that read back as the same number, and no exponent here.
            let point = if value.fract() == 0.0 { ".0" } else { "" };
            return write!(self.out, "{value}{point}").map_err(|e| Failure::new(e.to_string()));
        }
        // SAFETY: called with the interpreter lock held; the flags are those of `repr`; the result is checked.
        let text = unsafe {
            ffi::PyOS_double_to_string(
                value,
                b'r' as _,
                0,
                ffi::Py_DTSF_ADD_DOT_0,
                std::ptr::null_mut(),
            )
        };
        if text.is_null() {
            return Err(Failure::new("out of memory"));
        }
        // SAFETY: not null, so a terminated text that is ours to free, which happens below.
        self.out.extend_from_slice(unsafe { CStr::from_ptr(text) }.to_bytes());
        // SAFETY: allocated by the function above, which asks for this way of freeing, and not used any more.
        unsafe { ffi::PyMem_Free(text.cast()) };
        Ok(())
    }

    fn few_digits(&mut self, negative: bool, digits: u64, places: u32) -> Outcome {
        if negative {
            self.out.push(b'-');
        }
        let unit = 10u64.pow(places);
        self.small_int((digits / unit) as i64)?;
        self.out.push(b'.');
        let mut rest = digits % unit;
        let mut unit = unit / 10;
        while unit > 1 {
            self.out.push(b'0' + (rest / unit) as u8);
            rest %= unit;
            unit /= 10;
        }
        self.out.push(b'0' + rest as u8);
        Ok(())
    }

    fn text(&mut self, text: &Bound<'_, PyString>) -> Outcome {
        let mut size = 0;
        // SAFETY: a text that is alive, and room for its length.
        let letters = unsafe { ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut size) };
        if letters.is_null() {
            drop(PyErr::take(text.py()));
            self.out.push(b'"');
            // Half a surrogate pair: it is escaped, which JSON allows.
            let bytes = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
            self.surrogates(bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes());
            return self.raw(b"\"");
        }
        // SAFETY: not null, so the text's own UTF-8 form and its length, which stay as long as the text is borrowed.
        let letters = unsafe { slice::from_raw_parts(letters.cast::<u8>(), size as usize) };
        self.out.reserve(letters.len() + 2);
        self.out.push(b'"');
        let first = self.plain(letters, 0);
        if first == letters.len() {
            self.out.extend_from_slice(letters);
        } else {
            // SAFETY: Python's UTF-8 form of a text is UTF-8.
            self.escaped(unsafe { str::from_utf8_unchecked(letters) }, first);
        }
        self.raw(b"\"")
    }

    /// Finds the first position from `at` on that cannot be written as it is; returns the end if there is none.
    fn plain(&self, bytes: &[u8], at: usize) -> usize {
        if self.settings.ascii {
            scan::plain::<{ scan::UNPRINTABLE }>(bytes, at)
        } else {
            scan::plain::<{ scan::SEPARATORS }>(bytes, at)
        }
    }

    /// Writes a text of which everything up to `at` can be written as it is.
    fn escaped(&mut self, text: &str, mut at: usize) {
        let bytes = text.as_bytes();
        let mut done = 0;
        loop {
            at = self.plain(bytes, at);
            let Some(&byte) = bytes.get(at) else { break };
            let action = ACTIONS[byte as usize];
            if action == WIDE {
                let Some(character) = text[at..].chars().next() else { break };
                let next = at + character.len_utf8();
                // Line separators are not line ends in JSON but were in JavaScript; simplejson always escapes them.
                if self.settings.ascii || matches!(character, '\u{2028}' | '\u{2029}') {
                    self.out.extend_from_slice(&bytes[done..at]);
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        self.unit(*unit);
                    }
                    done = next;
                }
                at = next;
                continue;
            }
            self.out.extend_from_slice(&bytes[done..at]);
            if action == CONTROL {
                self.unit(u16::from(byte));
            } else {
                self.out.extend_from_slice(&[b'\\', action]);
            }
            at += 1;
            done = at;
        }
        self.out.extend_from_slice(&bytes[done..]);
    }

    /// Writes UTF-8 in which surrogates are encoded like other characters.
    fn surrogates(&mut self, mut bytes: &[u8]) {
        loop {
            match str::from_utf8(bytes) {
                Ok(text) => return self.escaped(text, 0),
                Err(error) => {
                    let (good, rest) = bytes.split_at(error.valid_up_to());
                    self.escaped(str::from_utf8(good).unwrap_or_default(), 0);
                    let [0xed, high, low, ..] = rest else { return };
                    self.unit(0xd000 | (u16::from(high & 0x3f) << 6) | u16::from(low & 0x3f));
                    bytes = &rest[3..];
                }
            }
        }
    }

    fn unit(&mut self, unit: u16) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.out.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            self.out.push(DIGITS[usize::from(unit >> shift) & 15]);
        }
    }
}

const CONTROL: u8 = 0;
const WIDE: u8 = 1;

/// The action for each byte that cannot be written as it is: one of the above, or the letter after the backslash.
const ACTIONS: [u8; 256] = {
    let mut actions = [CONTROL; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte >= 0x80 {
            actions[byte] = WIDE;
        }
        byte += 1;
    }
    actions[0x08] = b'b';
    actions[0x09] = b't';
    actions[0x0a] = b'n';
    actions[0x0c] = b'f';
    actions[0x0d] = b'r';
    actions[b'"' as usize] = b'"';
    actions[b'\\' as usize] = b'\\';
    actions
};

/// Returns the digits of an unsigned number, and how many of them follow the point (at least one), if they are as few
/// as those of a price. Two numbers of up to 15 digits are never the same float, so these are the shortest.
fn few_digits(size: f64) -> Option<(u64, u32)> {
    const MOST: f64 = 1e9;
    if size >= MOST || (size < 1e-3 && size != 0.0) {
        return None;
    }
    [(10.0, 1), (100.0, 2), (1000.0, 3), (10_000.0, 4)].into_iter().find_map(|(unit, places)| {
        let digits = (size * unit).round_ties_even();
        (digits / unit == size).then_some((digits as u64, places))
    })
}

/// Returns the result of a value's method `_asdict`, if it has one.
fn named_fields<'py>(value: &Bound<'py, PyAny>) -> Result<Option<Bound<'py, PyAny>>, Failure> {
    if value.is_exact_instance_of::<PyTuple>() {
        return Ok(None);
    }
    let Some(as_dict) = value.getattr_opt(intern!(value.py(), "_asdict"))? else { return Ok(None) };
    if !as_dict.is_callable() {
        return Ok(None);
    }
    let fields = as_dict.call0()?;
    if !fields.is_instance_of::<PyDict>() {
        let name = error::type_name(&fields.get_type());
        return Err(Failure::new(format!("_asdict() must return a dict, not {name}")));
    }
    Ok(Some(fields))
}

/// Whether this is `trine.null`.
fn is_null(value: &Bound<'_, PyAny>) -> bool {
    interpreter::get().is_some_and(|python| value.is(&python.null))
}

/// Formats a point in time as ISO 8601 text, which other languages also write for theirs.
fn date<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyString>>> {
    let modules = value.py().import("sys")?.getattr("modules")?;
    let module = modules.call_method1("get", ("datetime",))?;
    if module.is_none() || !value.is_instance(&module.getattr("date")?)? {
        return Ok(None);
    }
    Ok(Some(value.call_method0("isoformat")?.str()?))
}

/// Whether this is a `Decimal`. There is none before `decimal` was imported.
fn is_decimal(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let modules = value.py().import("sys")?.getattr("modules")?;
    let decimal = modules.call_method1("get", ("decimal",))?;
    if decimal.is_none() {
        return Ok(false);
    }
    value.is_instance(&decimal.getattr("Decimal")?)
}

fn utf8<'py>(bytes: &Bound<'py, PyBytes>) -> Result<Bound<'py, PyString>, Failure> {
    let text = bytes.call_method1("decode", ("utf-8",)).map_err(|raised| {
        // The codec's own message names the byte and its place.
        Failure::new(error::message(bytes.py(), &raised))
    })?;
    Ok(text.cast_into().map_err(PyErr::from)?)
}
