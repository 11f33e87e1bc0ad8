//! WebGPU is absent: a function on a server has no graphics card. See `../README.md`.

use std::{fmt, sync::Arc};

deno_core::extension!(
    deno_webgpu,
    lazy_loaded_js = ["ext:deno_webgpu/00_init.js" = {
        source = r#"(function () {
const absent = { __proto__: null, gpu: undefined, initGPU() {} };

return { loadWebGPU: () => absent };
})();
"#
    }]
);

/// A graphics API, of which there is none.
#[derive(Debug)]
pub enum Graphics {}

/// What windows ask for surfaces.
pub type Instance = Arc<Graphics>;

/// The failure to make a surface, which cannot happen where nobody can ask for one.
#[derive(Debug)]
pub enum SurfaceError {}

impl fmt::Display for SurfaceError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl Graphics {
    /// Makes a surface of a window's handles.
    ///
    /// # Safety
    ///
    /// There is no value to call this on.
    pub unsafe fn instance_create_surface<D, W>(
        &self,
        _display: Option<D>,
        _window: W,
        _id: Option<()>,
    ) -> Result<canvas::SurfaceId, SurfaceError> {
        match *self {}
    }
}

/// Surfaces that are drawn on.
pub mod canvas {
    use crate::Instance;

    /// The id of a surface, of which there is none.
    #[derive(Debug)]
    pub enum SurfaceId {}

    /// A window's surface.
    #[derive(Debug)]
    pub struct SurfaceData {
        /// Its id.
        pub id: SurfaceId,
        /// Its width in pixels.
        pub width: u32,
        /// Its height in pixels.
        pub height: u32,
        /// The graphics API that it belongs to.
        pub instance: Instance,
    }
}
