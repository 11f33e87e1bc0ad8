local Total = {}
Total.__index = Total

function Total:__call(event)
  self.total = self.total + event
  return self.total
end

return { handler = setmetatable({ total = 0 }, Total) }
