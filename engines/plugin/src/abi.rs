//! The structures of `include/trine_engine.h`, member by member, and the values that stand for something there.

use std::ffi::c_void;

/// The version of the interface that this build speaks.
pub(crate) const VERSION: u32 = 1;

/// What functions return where all is well, and where it is not.
pub(crate) const OK: i32 = 0;
pub(crate) const FAILED: i32 = 1;

/// Kinds of values.
pub(crate) const JSON: u32 = 0;
pub(crate) const RAW: u32 = 1;
pub(crate) const NOTHING: u32 = 2;
pub(crate) const REPLY: u32 = 3;

/// Bytes that are lent.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Lent {
    pub(crate) data: *const u8,
    pub(crate) size: usize,
}

impl Lent {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), size: bytes.len() }
    }
}

/// Bytes that a plug-in has allocated.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Given {
    pub(crate) data: *mut u8,
    pub(crate) size: usize,
}

impl Given {
    pub(crate) const NONE: Self = Self { data: std::ptr::null_mut(), size: 0 };
}

#[repr(C)]
pub(crate) struct Event {
    pub(crate) size: u32,
    pub(crate) kind: u32,
    pub(crate) bytes: Lent,
    pub(crate) content_type: Lent,
}

#[repr(C)]
pub(crate) struct Answer {
    pub(crate) size: u32,
    pub(crate) kind: u32,
    pub(crate) bytes: Given,
    pub(crate) content_type: Lent,
}

#[repr(C)]
pub(crate) struct Usage {
    pub(crate) size: u32,
    pub(crate) reserved: u32,
    pub(crate) heap_bytes: u64,
}

#[repr(C)]
pub(crate) struct Host {
    pub(crate) abi_version: u32,
    pub(crate) size: u32,
    pub(crate) context: *mut c_void,
    pub(crate) log: unsafe extern "C" fn(*mut c_void, u32, Lent, Lent),
    pub(crate) remaining_ms: unsafe extern "C" fn(*mut c_void) -> i64,
    pub(crate) interrupted: unsafe extern "C" fn(*mut c_void) -> i32,
    pub(crate) get_state: unsafe extern "C" fn(*mut c_void, Lent, *mut Lent) -> i32,
    pub(crate) set_state: unsafe extern "C" fn(*mut c_void, Lent, Lent) -> i32,
}

pub(crate) type Info = unsafe extern "C" fn() -> Lent;
pub(crate) type Start =
    unsafe extern "C" fn(Lent, *const Host, *mut *mut c_void, *mut Given) -> i32;
pub(crate) type Load = unsafe extern "C" fn(*mut c_void, Lent, *mut Given) -> i32;
pub(crate) type Call =
    unsafe extern "C" fn(*mut c_void, u32, *const Event, Lent, *mut Answer) -> i32;
pub(crate) type OfInstance = unsafe extern "C" fn(*mut c_void);
pub(crate) type GetUsage = unsafe extern "C" fn(*mut c_void, *mut Usage);
pub(crate) type FreeBuffer = unsafe extern "C" fn(Given);

/// The table that a plug-in returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) abi_version: u32,
    pub(crate) size: u32,
    pub(crate) info: Option<Info>,
    pub(crate) start: Option<Start>,
    pub(crate) load: Option<Load>,
    pub(crate) call: Option<Call>,
    pub(crate) interrupt: Option<OfInstance>,
    pub(crate) usage: Option<GetUsage>,
    pub(crate) shutdown: Option<OfInstance>,
    pub(crate) free_buffer: Option<FreeBuffer>,
}

/// The function that a plug-in exports.
pub(crate) type Entry = unsafe extern "C" fn() -> *const Table;

/// Returns the size of a structure, as the interface tells it.
pub(crate) const fn size_of<T>() -> u32 {
    // Structures of this file have less than a hundred bytes.
    std::mem::size_of::<T>() as u32
}
