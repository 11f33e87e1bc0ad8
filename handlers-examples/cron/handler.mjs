// Ends what is older than a day, whenever the clock says so. The event is that of an EventBridge schedule; of its time, not
// of the moment at which it runs, the function judges what is over: a run that comes late does the same.

const DAY = 24 * 60 * 60 * 1000;
const SESSIONS = [
  { id: "a1", since: "2026-11-26T09:30:00Z" },
  { id: "b2", since: "2026-11-27T18:00:00Z" },
  { id: "c3", since: "2026-11-25T23:59:00Z" },
];

export const handler = async (event) => {
  const due = event.time ?? new Date().toISOString();
  const isOver = ({ since }) => Date.parse(due) - Date.parse(since) >= DAY;
  const over = SESSIONS.filter(isOver).map(({ id }) => id);
  console.log(`${over.length} of ${SESSIONS.length} sessions are over`);
  return { due, over };
};
