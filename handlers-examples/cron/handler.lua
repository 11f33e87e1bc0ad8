-- Ends what is older than a day, whenever the clock says so. The event is that of an EventBridge schedule; of its time, not of
-- the moment at which it runs, the function judges what is over: a run that comes late does the same.

local DAY = 24 * 60 * 60
local SESSIONS = {
  { id = "a1", since = "2026-11-26T09:30:00Z" },
  { id = "b2", since = "2026-11-27T18:00:00Z" },
  { id = "c3", since = "2026-11-25T23:59:00Z" },
}

local function at(text)
  local year, month, day, hour, min, sec = text:match("(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)")
  return os.time({ year = year, month = month, day = day, hour = hour, min = min, sec = sec })
end

local M = {}

function M.handler(event, context)
  local due, over = event.time or os.date("!%Y-%m-%dT%H:%M:%SZ"), trine.array({})
  for _, session in ipairs(SESSIONS) do
    if at(due) - at(session.since) >= DAY then
      over[#over + 1] = session.id
    end
  end
  print(("%d of %d sessions are over"):format(#over, #SESSIONS))
  return { due = due, over = over }
end

return M
