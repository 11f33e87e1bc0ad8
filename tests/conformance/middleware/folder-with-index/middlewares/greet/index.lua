local words = require("words")

return {
  before = function(event)
    return words.greeting .. " " .. event
  end,
}
