-- Puts lengths of time into words with a module of its own. Modules are looked for beside the file and in `lua`.

local durations = require("durations") -- lua/durations.lua

local M = {}

function M.handler(event, context)
  local query = event.queryStringParameters or {}
  local words = {}
  for index, ms in ipairs(event.milliseconds or { tonumber(query.ms) or 0 }) do
    words[index] = durations.in_words(ms)
  end
  return { durations = words }
end

return M
