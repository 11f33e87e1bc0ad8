local punctuation = require("lib.punctuation")

return function(name)
  return "Hello" .. punctuation.separator .. " " .. name .. punctuation.ending
end
