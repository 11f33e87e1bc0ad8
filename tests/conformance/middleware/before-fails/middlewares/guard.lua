return {
  before = function(event)
    if event.before then
      error({ type = "RangeError", message = "no entry" })
    end
  end,
}
