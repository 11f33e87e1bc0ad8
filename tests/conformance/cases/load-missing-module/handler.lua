local missing = require("not-installed")

return {
  handler = function()
    return missing
  end,
}
