local both = require("both")
local layered = require("layered")

return {
  handler = function()
    return { layered = layered, both = both }
  end,
}
