//! Lets extensions of Python and addons of Node find what they need in the program.

fn main() {
    trine_build::link();
}
