//! The client of a kind of broker that this build has none for. `trine.toml` is refused where it names the kind.

use super::Seat;

/// Does nothing.
#[allow(clippy::unused_async, reason = "the client's own signature")]
pub(super) async fn work<S>(_: S, _: Seat) {}
