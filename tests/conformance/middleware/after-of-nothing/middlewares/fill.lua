return {
  after = function(response)
    if response == nil or response == trine.null then
      return { filled = true }
    end
  end,
}
