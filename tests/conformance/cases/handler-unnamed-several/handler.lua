return {
  get = function()
    return "get"
  end,
  post = function()
    return "post"
  end,
}
