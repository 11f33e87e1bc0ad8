//! Decoders of images are absent: functions bring those that they need. See `../README.md`.

deno_core::extension!(deno_image, lazy_loaded_esm = ["01_image.js"]);
