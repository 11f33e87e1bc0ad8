"""Ends what is older than a day, whenever the clock says so. The event is that of an EventBridge schedule; of its time, not of
the moment at which it runs, the function judges what is over: a run that comes late does the same."""

from datetime import datetime, timedelta, timezone

DAY = timedelta(days=1)
SESSIONS = [
    {"id": "a1", "since": "2026-11-26T09:30:00Z"},
    {"id": "b2", "since": "2026-11-27T18:00:00Z"},
    {"id": "c3", "since": "2026-11-25T23:59:00Z"},
]


def handler(event, context):
    due = event.get("time") or datetime.now(timezone.utc).isoformat()
    over = [session["id"] for session in SESSIONS if at(due) - at(session["since"]) >= DAY]
    print(f"{len(over)} of {len(SESSIONS)} sessions are over")
    return {"due": due, "over": over}


def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
