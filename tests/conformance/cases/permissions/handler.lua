local here = debug.getinfo(1, "S").source:match("^@(.*/)")

local operations = {}

local function place(path)
  return path:sub(1, 1) == "/" and path or here .. path
end

function operations.read(event)
  local file = assert(io.open(place(event.path)))
  local text = file:read("a")
  file:close()
  return text
end

function operations.write(event)
  assert(io.open(place(event.path), "w")):write("written"):close()
end

function operations.remove(event)
  assert(os.remove(place(event.path)))
end

function operations.fetch(event)
  return trine.fetch(event.url, { timeout = 20 }).status
end

function operations.run()
  return assert(io.popen("echo ran")):read("l")
end

function operations.variable(event)
  return os.getenv(event.name)
end

return {
  handler = function(event)
    local done, result = pcall(operations[event["do"]], event)
    if done then
      return result
    elseif tostring(result):find("Requires %l+ access") then
      return "refused"
    end
    error(result, 0)
  end,
}
