local function run(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read("l")
end

return {
  handler = function(event)
    return { run("echo " .. event), run("printf %s " .. event) }
  end,
}
