//! Decoders of images are absent: functions bring those that they need. See `../README.md`.

deno_core::extension!(
    deno_image,
    lazy_loaded_esm = ["ext:deno_image/01_image.js" = { source = "export {};" }]
);
