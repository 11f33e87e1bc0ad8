-- A module whose calls apm.lua times.

local M = {}

function M.look(url)
  return trine.fetch(url).body
end

function M.sum(a, b)
  return a + b
end

return M
