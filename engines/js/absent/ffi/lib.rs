//! Deno's calls of C functions are absent: native code is loaded as a Node addon. See `../README.md`.

pub use denort_helper::DenoRtNativeAddonLoaderRc;

deno_core::extension!(
    deno_ffi,
    lazy_loaded_js = [
        "ext:deno_ffi/00_ffi.js" = {
            source = r#"(function () {
function dlopen() {
  throw new TypeError("Deno.dlopen is not part of this runtime: native code is loaded as a Node addon");
}

return { dlopen };
})();
"#
        }
    ],
    options = { deno_rt_native_addon_loader: Option<DenoRtNativeAddonLoaderRc> },
    state = |_, options| drop(options.deno_rt_native_addon_loader)
);
