//! V8 itself, which a process can start only once, whichever of its engines needs it first.
//!
//! ```
//! trine_v8::start("");
//! let isolate = &mut trine_v8::v8::Isolate::new(Default::default());
//! assert!(isolate.get_heap_statistics().used_heap_size() > 0);
//! ```

pub use deno_core::v8;

use deno_core::JsRuntime;
use std::sync::Once;

/// The flags with which V8 runs here. A cache of code made with others is of no use.
///
/// With loop unrolling V8's optimiser removes from endless loops around short ones the check by which they are stopped:
/// `for (;;) new Array(9).fill(0)`.
///
/// With dynamic tiering V8's first compiler of WebAssembly leaves that check out of all loops: it looks after every 130 000th
/// turn of a short one, which is hours where each turn fills a memory or grows a table. Without it loops look at every turn,
/// and a function that has been called once is optimised in the background, whether it is hot or not.
pub const FLAGS: &str = "--no-turboshaft-loop-unrolling --no-wasm-dynamic-tiering";

/// The flags with which snapshots are made, on top of [`FLAGS`].
///
/// V8 shares the read-only part of its heap between all isolates of a process. A snapshot that adds to that part cannot be
/// loaded beside an isolate that has started from another one, or from none: V8 reads beyond the end and ends the process.
pub const SNAPSHOT_FLAGS: &str = "--no-extensible-ro-snapshot";

/// Starts V8 with [`FLAGS`] and these flags, in the way that Deno's runtime needs it, which has to be the same for all.
/// Later calls change nothing.
pub fn start(flags: &str) {
    static PLATFORM: Once = Once::new();
    PLATFORM.call_once(|| {
        v8::V8::set_flags_from_string(FLAGS);
        if !flags.is_empty() {
            v8::V8::set_flags_from_string(flags);
        }
        JsRuntime::init_platform(None);
    });
}
