local gone = require("lib.gone")

return {
  handler = function()
    return gone
  end,
}
