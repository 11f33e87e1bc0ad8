//! The event of a run: what EventBridge sends for a schedule, or what the trigger has as its input.

use super::{Trigger, source::Clock};
use crate::http::site::ServedFunction;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use uuid::Uuid;

/// Writes the event of a run that was due at this time.
pub(super) fn of(
    trigger: &Trigger,
    clock: &Clock,
    function: &ServedFunction,
    due: DateTime<Utc>,
    id: &Uuid,
) -> Bytes {
    if let Some(input) = &clock.input {
        return Bytes::from(input.to_string());
    }
    let arn = function.arn.as_deref().unwrap_or_default();
    let parts: Vec<&str> = arn.split(':').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    let (partition, region, account) = (part(1), part(3), part(4));
    let rule = format!("arn:{partition}:events:{region}:{account}:rule/{}", trigger.name);
    let event = json!({
        "version": "0",
        "id": id.to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": due.to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": region,
        "resources": [rule],
        "detail": {},
    });
    Bytes::from(event.to_string())
}
