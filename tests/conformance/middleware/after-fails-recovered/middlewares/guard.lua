return {
  after = function(response)
    if response.after then
      error({ type = "RangeError", message = "no entry" })
    end
  end,
}
