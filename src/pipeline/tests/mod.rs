//! Tests of loaded pipelines.

mod conversions;
