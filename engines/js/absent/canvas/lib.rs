//! Canvases are absent: a function on a server has no screen. See `../README.md`.

deno_core::extension!(
    deno_canvas,
    lazy_loaded_esm = ["ext:deno_canvas/01_canvas.js" = { source = "export {};" }],
    lazy_loaded_js =
        ["ext:deno_canvas/02_surface.js" = { source = "(function () { return {}; })();" }]
);

/// Windows that somebody else made.
pub mod byow {
    use deno_core::v8;
    use deno_webgpu::canvas::SurfaceData;
    use std::{
        cell::{OnceCell, RefCell},
        rc::Rc,
    };

    /// A window's surface, of which there is none.
    pub struct UnsafeWindowSurface {
        /// The surface.
        pub data: Rc<RefCell<SurfaceData>>,
        /// What draws on it.
        pub active_context: OnceCell<(String, v8::Global<v8::Value>)>,
    }

    // SAFETY: there is no such surface, hence nothing that V8's collector could visit.
    unsafe impl deno_core::GarbageCollected for UnsafeWindowSurface {
        fn trace(&self, _: &mut v8::cppgc::Visitor) {}

        fn get_name(&self) -> &'static std::ffi::CStr {
            c"UnsafeWindowSurface"
        }
    }
}
