-- Lengths of time in words.

local M = {}

local units = {
  { "day", 86400000 },
  { "hour", 3600000 },
  { "minute", 60000 },
  { "second", 1000 },
}

-- A number of milliseconds in the largest unit that it fills: `7200000` is "2 hours".
function M.in_words(ms)
  for _, unit in ipairs(units) do
    local name, length = table.unpack(unit)
    if ms >= length then
      local count = (ms + length // 2) // length
      return ("%d %s%s"):format(count, name, count == 1 and "" or "s")
    end
  end
  return ("%d ms"):format(ms)
end

return M
