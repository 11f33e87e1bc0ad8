//! libuv for addons: a shared library without code, made in memory, whose symbols are the functions of Deno's runtime.
//!
//! The dynamic loader finds them through the library's hash table. While an addon is being loaded, which binds all that
//! it refers to, the table's one bucket leads to them; at any other time it leads to nothing.

use std::{
    fs::File,
    io::Write,
    mem::size_of,
    os::fd::{AsRawFd, FromRawFd},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

macro_rules! functions {
    ($($name:ident)*) => {
        // Only their addresses are taken.
        unsafe extern "C" {
            $(fn $name();)*
        }

        /// Names and functions of the part of libuv that exists here.
        const FUNCTIONS: &[(&str, unsafe extern "C" fn())] = &[$((stringify!($name), $name)),*];
    };
}

functions! {
    uv_async_init uv_async_send uv_check_init uv_check_start uv_check_stop uv_close uv_cond_broadcast uv_cond_destroy
    uv_cond_init uv_cond_signal uv_cond_timedwait uv_cond_wait uv_cpu_info uv_default_loop uv_free_cpu_info
    uv_handle_get_data uv_handle_get_loop uv_handle_get_type uv_handle_set_data uv_handle_size uv_has_ref uv_hrtime
    uv_idle_init uv_idle_start uv_idle_stop uv_is_active uv_is_closing uv_mutex_destroy uv_mutex_init uv_mutex_lock
    uv_mutex_unlock uv_os_getpid uv_poll_init uv_poll_init_socket uv_poll_start uv_poll_stop uv_queue_work uv_ref
    uv_sem_destroy uv_sem_init uv_sem_post uv_sem_trywait uv_sem_wait uv_strerror uv_thread_create uv_thread_equal
    uv_thread_join uv_thread_self uv_timer_again uv_timer_get_repeat uv_timer_init uv_timer_set_repeat uv_timer_start
    uv_timer_stop uv_unref
}

/// The symbol by which the bucket itself is found.
const BUCKET: &str = "trine_libuv";

/// The library's bucket, once there is one.
static LOADED: Mutex<Option<&'static AtomicU32>> = Mutex::new(None);

/// Calls `load` while libraries that are loaded find libuv here.
///
/// # Errors
/// When the library cannot be made.
pub(super) fn while_visible<T>(load: impl FnOnce() -> T) -> Result<T, String> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let bucket = match *loaded {
        Some(bucket) => bucket,
        None => *loaded.insert(make()?),
    };
    bucket.store(FIRST, Ordering::SeqCst);
    let done = load();
    bucket.store(0, Ordering::SeqCst);
    Ok(done)
}

/// Index of the first symbol; 0 means none.
const FIRST: u32 = 1;

/// Loads the library, and stores the functions' addresses in its symbols.
fn make() -> Result<&'static AtomicU32, String> {
    let image = Image::new();
    // SAFETY: a terminated name; the result is a descriptor of our own or an error.
    let fd = unsafe { libc::memfd_create(c"libuv".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(format!("libuv: {}", std::io::Error::last_os_error()));
    }
    // SAFETY: open, and owned by nobody else.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(&image.bytes).map_err(|e| format!("libuv: {e}"))?;
    let path = format!("/proc/self/fd/{}\0", file.as_raw_fd());
    let path = std::ffi::CStr::from_bytes_with_nul(path.as_bytes()).map_err(|e| e.to_string())?;
    let handle = super::open(path, libc::RTLD_NOW | libc::RTLD_GLOBAL)?;
    let name = format!("{BUCKET}\0");
    // SAFETY: the handle is open and the name terminated.
    let bucket = unsafe { libc::dlsym(handle, name.as_ptr().cast()) };
    if bucket.is_null() {
        return Err(format!("libuv: the loader does not find {BUCKET}"));
    }
    let base = bucket as usize - image.bucket;
    for (index, (_, function)) in FUNCTIONS.iter().enumerate() {
        let value = base + image.symbols + (index + 2) * size_of::<Symbol>() + VALUE;
        // The loader adds its base to this.
        let offset = (*function as usize).wrapping_sub(base);
        // SAFETY: the image is one writable segment, mapped at `base` for good; the symbol table lies in it and its
        // entries are aligned. The loader reads it under its own lock or not at all: nobody has a reason to look for
        // these names outside of `while_visible`, and until they have values they count as undefined.
        unsafe { (value as *mut u64).write_volatile(offset as u64) };
    }
    // SAFETY: mapped, aligned, and permanent, as the library is never closed.
    Ok(unsafe { &*bucket.cast::<AtomicU32>() })
}

/// An entry of a symbol table, as `elf.h` describes it.
#[repr(C)]
struct Symbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: u64,
    size: u64,
}

/// Offset of the value in an entry.
const VALUE: usize = std::mem::offset_of!(Symbol, value);

/// A library in the form of a file.
struct Image {
    bytes: Vec<u8>,
    /// Offset of the symbol table.
    symbols: usize,
    /// Offset of the hash table's bucket.
    bucket: usize,
}

impl Image {
    fn new() -> Self {
        const HEADER: usize = 64;
        const SEGMENT: usize = 56;
        const SEGMENTS: usize = 3;
        let names = || [BUCKET].into_iter().chain(FUNCTIONS.iter().map(|(name, _)| *name));
        let count = names().count() + 1;
        let hash = HEADER + SEGMENTS * SEGMENT;
        // Two numbers, a bucket, and a link of the chain for each symbol; tables begin at multiples of eight.
        let symbols = (hash + 4 * (3 + count)).next_multiple_of(8);
        let strings = symbols + count * size_of::<Symbol>();
        let text: String = names().map(|name| format!("\0{name}")).collect::<String>() + "\0";
        let dynamic = (strings + text.len()).next_multiple_of(8);
        let entries: [(u64, usize); 6] = [
            (4, hash),
            (5, strings),
            (6, symbols),
            (10, text.len()),
            (11, size_of::<Symbol>()),
            (0, 0),
        ];
        let end = dynamic + entries.len() * 16;

        let mut image = Self { bytes: Vec::with_capacity(end), symbols, bucket: hash + 8 };
        let machine: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
        image.bytes.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        image.half(3).half(machine).word(1).long(0).long(HEADER).long(0).word(0);
        image
            .half(HEADER as u16)
            .half(SEGMENT as u16)
            .half(SEGMENTS as u16)
            .half(64)
            .half(0)
            .half(0);
        // One segment with all of it, readable and writable; the table of the tables; and a non-executable stack.
        image.segment(1, 0, end, 0x10000);
        image.segment(2, dynamic, end - dynamic, 8);
        image.segment(0x6474_e551, 0, 0, 16);
        image.word(1).word(count as u32).word(FIRST);
        for index in 0..count as u32 {
            // The first entry means nothing; each of the others leads to the next.
            let next = if index == 0 || index + 1 == count as u32 { 0 } else { index + 1 };
            image.word(next);
        }
        image.pad_to(symbols + size_of::<Symbol>());
        let mut name = 1;
        for (index, text) in names().enumerate() {
            // A global object, the bucket; then global functions, which have no address yet.
            let (kind, place) = if index == 0 { (1, image.bucket) } else { (2, 0) };
            image.word(name).half(1 << 4 | kind).half(1).long(place).long(0);
            name += text.len() as u32 + 1;
        }
        image.bytes.extend(text.as_bytes());
        image.pad_to(dynamic);
        for (tag, value) in entries {
            image.long(tag as usize).long(value);
        }
        image
    }

    fn segment(&mut self, kind: u32, offset: usize, size: usize, alignment: usize) {
        const READ_WRITE: u32 = 6;
        self.word(kind).word(READ_WRITE).long(offset).long(offset).long(offset);
        self.long(size).long(size).long(alignment);
    }

    fn half(&mut self, value: u16) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    fn word(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    fn long(&mut self, value: usize) -> &mut Self {
        self.bytes.extend((value as u64).to_le_bytes());
        self
    }

    fn pad_to(&mut self, offset: usize) {
        self.bytes.resize(offset, 0);
    }
}
