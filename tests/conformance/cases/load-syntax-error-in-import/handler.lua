local broken = require("broken")

return {
  handler = function()
    return broken.fine
  end,
}
