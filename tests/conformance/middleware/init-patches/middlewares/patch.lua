return {
  init = function()
    string.reverse = function()
      return "patched"
    end
  end,
}
