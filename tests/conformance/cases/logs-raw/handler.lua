return {
  handler = function()
    io.stdout:write("to stdout\n")
    io.stderr:write("to stderr\n")
    io.write("in ")
    io.write("pieces\n")
  end,
}
