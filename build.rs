//! Passes on the linker arguments that language crates ask for: each declares `links = "trine-<id>"` and emits
//! `cargo:link_args=…`, which cargo hands to this script as `DEP_TRINE_<ID>_LINK_ARGS`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Position-independent, the binary has some 190 000 addresses to relocate before it can start: one to three
        // milliseconds of every start, and some ten megabytes of memory that would otherwise be shared with the file.
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    for (name, value) in std::env::vars() {
        if name.starts_with("DEP_TRINE_") && name.ends_with("_LINK_ARGS") {
            for argument in value.split_whitespace() {
                println!("cargo:rustc-link-arg={argument}");
            }
        }
    }
}
