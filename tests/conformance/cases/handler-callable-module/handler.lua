local Total = { total = 1 }

return setmetatable(Total, {
  __call = function(self, event)
    self.total = self.total + event
    return self.total
  end,
})
