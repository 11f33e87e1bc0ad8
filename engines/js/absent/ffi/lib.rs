//! Deno's calls of C functions are absent: native code is loaded as a Node addon. See `../README.md`.

pub use denort_helper::DenoRtNativeAddonLoaderRc;

deno_core::extension!(
    deno_ffi,
    lazy_loaded_js = ["00_ffi.js"],
    options = { deno_rt_native_addon_loader: Option<DenoRtNativeAddonLoaderRc> },
    state = |_, options| drop(options.deno_rt_native_addon_loader)
);
