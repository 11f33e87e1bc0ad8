return {
  handler = function()
    trine.log("info", 'plain "text"')
    trine.log("warn", { a = { 1 } })
    trine.log("error", "two\nlines")
  end,
}
