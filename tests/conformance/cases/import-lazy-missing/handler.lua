local function load_it()
  local missing = require("missing")
  return missing
end

return {
  handler = function(event)
    if event == "catch" and not pcall(load_it) then
      return "caught"
    end
    return load_it()
  end,
}
