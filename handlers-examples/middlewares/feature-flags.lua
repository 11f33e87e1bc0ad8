-- Puts `flags` into the event: which features are on for this user. FEATURE_FLAGS is JSON, or the path of a file with
-- it: `{"dark-mode": true, "new-checkout": 25}`, a number being the percentage of users. The user is the claim `sub` of
-- jwt, the header `x-user-id` or `event.userId`, whichever is there first. Stands inside of jwt.

local function read()
  local text = os.getenv("FEATURE_FLAGS") or "{}"
  if not text:match("^%s*{") then
    local file = assert(io.open(text))
    text = file:read("a")
    file:close()
  end
  return trine.json.decode(text)
end

local features = read()

-- FNV-1a: the same user stays on the same side, whichever process asks, and each feature has other users.
local function percentile(text)
  local hash = 0x811c9dc5
  for index = 1, #text do
    hash = (hash ~ text:byte(index)) * 0x01000193 & 0xffffffff
  end
  return hash % 100
end

local function user(event, context)
  local claims = context.state.claims
  local headers = type(event.headers) == "table" and event.headers or {}
  return claims and claims.sub or headers["x-user-id"] or event.userId
end

local M = {}

function M.before(event, context)
  if type(event) ~= "table" then
    return
  end
  local id = user(event, context)
  event.flags = trine.object()
  for name, share in pairs(features) do
    -- Whoever is not known sees what everybody sees.
    local part = type(share) == "number" and (id and percentile(name .. ":" .. tostring(id)) < share or share >= 100)
    event.flags[name] = share == true or part == true
  end
  return event
end

return M
