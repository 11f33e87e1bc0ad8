local greet = require("lib.greet")
local punctuation = require("lib.punctuation")

return {
  handler = function(event)
    return { text = greet(event), loads = punctuation.loads }
  end,
}
