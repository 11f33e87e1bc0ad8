//! The operations that a function needs for its replay, page by page.
//! Contract: AWS Lambda API reference, GetDurableExecutionState: in the order of their start, without the children of
//! what has ended with a result of its own.

use super::operation::{Details, Kind, Operation, Timestamps};
use serde_json::Value;
use std::collections::HashMap;

/// Number of bytes that a page may have, unless it is a single operation: an event has at most 6 MiB.
const MAX_PAGE: usize = 5 * 1024 * 1024;

/// Returns the operations from a place on, at most this many, and the place of the next one that did not fit.
pub(super) fn page(
    operations: &[Operation],
    places: &HashMap<String, usize>,
    from: usize,
    most: Option<usize>,
    times: Timestamps,
) -> (Vec<Value>, Option<usize>) {
    let mut page = Vec::new();
    let mut size = 0;
    for (at, operation) in operations.iter().enumerate().skip(from) {
        if !is_replayed(operations, places, operation) {
            continue;
        }
        let value = operation.json(times);
        size += value.to_string().len();
        let is_full = size > MAX_PAGE || most.is_some_and(|most| page.len() >= most);
        if is_full && !page.is_empty() {
            return (page, Some(at));
        }
        page.push(value);
    }
    (page, None)
}

/// Whether the replay comes to an operation: it does not enter contexts whose result is known.
fn is_replayed(
    operations: &[Operation],
    places: &HashMap<String, usize>,
    operation: &Operation,
) -> bool {
    let mut child = operation;
    // As deep as contexts can be nested; parents come before their children, so that this ends.
    while let Some(&place) = child.parent_id.as_ref().and_then(|id| places.get(id)) {
        let parent = &operations[place];
        let is_closed = parent.kind == Kind::Context
            && parent.status.is_final()
            && parent.details != Details::Context { replay_children: true };
        if is_closed {
            return false;
        }
        child = parent;
    }
    true
}
