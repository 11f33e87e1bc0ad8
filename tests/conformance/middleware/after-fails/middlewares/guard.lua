return {
  after = function(response)
    if response.after then
      error({ type = "RangeError", message = "no exit" })
    end
  end,
  error = function()
    print("guard error ran")
  end,
}
