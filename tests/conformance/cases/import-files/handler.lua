local folder = debug.getinfo(1, "S").source:match("^@(.*)/")

return {
  handler = function()
    local file <close> = assert(io.open(folder .. "/data.txt"))
    return file:read("a")
  end,
}
