//! Links the binary as its languages want it, and passes that on to programs that are built on this library.

fn main() {
    let arguments = trine_build::link();
    println!("cargo:link_args={}", arguments.join(" "));
}
