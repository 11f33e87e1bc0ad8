//! What an engine tells about itself beyond [`EngineInfo`](crate::EngineInfo): files for editors, variables that it reads.

/// A file with types for editors; see [`Engine::types`](crate::Engine::types).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeFile {
    /// The name of the file, such as `trine.d.ts`.
    pub name: &'static str,
    /// The text of the file.
    pub text: &'static str,
}

/// An environment variable that a language reads; see [`Engine::variables`](crate::Engine::variables).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariableInfo {
    /// The variable's name.
    pub name: &'static str,
    /// What holds where it is not set; empty for nothing.
    pub default: &'static str,
    /// The purpose, in a few words without a full stop.
    pub what: &'static str,
}
