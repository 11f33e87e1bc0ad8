//! Link settings for programs that have Trine's languages in them, for build scripts.
//!
//! A program that calls `trine::cli::run` or uses `trine::Runtime` runs without them, but C extensions of Python and addons
//! of Node would find none of the symbols that they need in it. One line in the `main` of its `build.rs` exports them:
//!
//! ```no_run
//! trine_build::link();
//! ```
//!
//! Its `Cargo.toml` names `trine` among the dependencies and `trine-build` among the build dependencies. Cargo hands a build
//! script the settings of direct dependencies alone, so it has to be `trine` itself.

use std::env;

/// Passes on the linker arguments that the languages ask for, to every target of the package, and has its programs linked
/// as `trine` itself is. Returns the arguments, for packages that pass them on once more.
///
/// The package must have a program: cargo refuses arguments for programs where there is none.
pub fn link() -> Vec<String> {
    println("rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Position-independent, the program has some 190 000 addresses to relocate before it can start: one to three
        // milliseconds of every start, and some ten megabytes of memory that would otherwise be shared with the file.
        println("rustc-link-arg-bins=-no-pie");
    }
    let arguments = arguments_of(env::vars());
    for argument in &arguments {
        println(&format!("rustc-link-arg={argument}"));
    }
    arguments
}

#[allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
fn println(directive: &str) {
    println!("cargo:{directive}");
}

/// Returns the arguments that the variables have, in their order of names. Each package with `links = "trine…"` that
/// emits `cargo:link_args=…` has one: `DEP_TRINE_JS_LINK_ARGS`.
fn arguments_of(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut found: Vec<_> = variables
        .filter(|(name, _)| name.starts_with("DEP_TRINE") && name.ends_with("_LINK_ARGS"))
        .collect();
    found.sort();
    found.iter().flat_map(|(_, text)| text.split_whitespace().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::arguments_of;

    #[test]
    fn the_arguments_are_those_of_trines_packages() {
        let variables = [
            ("DEP_TRINE_PYTHON_LINK_ARGS", "-Wl,-rpath,/usr/lib -lz"),
            ("DEP_TRINE_JS_LINK_ARGS", "-Wl,--a"),
            ("DEP_TRINE_LINK_ARGS", "-Wl,--b"),
            ("DEP_Z_LINK_ARGS", "-lz"),
            ("DEP_TRINE_JS_OTHER", "x"),
        ];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let found = arguments_of(variables.into_iter());
        assert_eq!(found, ["-Wl,--a", "-Wl,--b", "-Wl,-rpath,/usr/lib", "-lz"]);
    }
}
