return {
  handler = function(event)
    if event.fail then
      error({ type = "Broken", message = "no luck" })
    end
    return { fine = event.n }
  end,
}
