//! AWS-LC of an older version is absent: who asks for it gets the newer one, which the binary contains anyway. See
//! `../README.md`.

#![no_std]

pub use newer::*;
