print("at the start")

return {
  handler = function()
    for _, level in ipairs({ "info", "debug", "error", "fatal" }) do
      trine.log(level, level)
    end
    trine.log("warn", "warn 50%")
    trine.log("info", "two\nlines")
    trine.log("info", { a = { 2 } })
    print("printed", 1, nil)
    io.write("begun ", "and ended\n")
    io.stderr:write("without an end")
  end,
}
