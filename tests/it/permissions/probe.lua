-- Does what an event asks for, and says what came of it.

local function checked(value, message)
  if value == nil then
    error(message, 0)
  end
  return value
end

local function contents(file)
  local text = file:read("a")
  file:close()
  return text
end

local operations = {}

function operations.fetch(url)
  return trine.fetch(url, { timeout = 20 }).body
end

function operations.read(path)
  return contents(checked(io.open(path)))
end

function operations.read_lines(path)
  for line in io.lines(path) do
    return line
  end
end

function operations.read_input(path)
  return contents(io.input(path))
end

function operations.write(path)
  checked(io.open(path, "w")):write("written"):close()
end

function operations.append(path)
  checked(io.open(path, "a")):write("more"):close()
end

function operations.update(path)
  checked(io.open(path, "r+")):close()
end

function operations.write_output(path)
  local file = io.output(path)
  file:close()
  io.output(io.stdout)
end

function operations.remove(path)
  checked(os.remove(path))
end

function operations.rename(from, to)
  checked(os.rename(from, to))
end

function operations.temporary()
  checked(io.tmpfile()):close()
end

function operations.temporary_name()
  os.remove(os.tmpname())
end

function operations.variable(name)
  return os.getenv(name) or trine.null
end

function operations.run(command)
  return (contents(checked(io.popen(command))):gsub("%s+$", ""))
end

function operations.execute(command)
  return checked(os.execute(command))
end

function operations.load(path)
  return checked(package.loadlib(path, "*"))
end

function operations.compile(path)
  return type(checked(loadfile(path)))
end

function operations.run_file(path)
  dofile(path)
end

function operations.require(template, name)
  package.path = template
  return type(require(name))
end

function operations.require_native(template, name)
  package.cpath = template
  return type(require(name))
end

function operations.module(name)
  return require(name).name
end

-- What lies behind a function that asks: whatever `debug` shows of it.
function operations.read_behind(path)
  for index = 1, 10 do
    local name, value = debug.getupvalue(io.open, index)
    if name == nil then
      break
    elseif type(value) == "function" then
      return contents(value(path))
    end
  end
  for _, value in pairs(debug.getregistry()) do
    if type(value) == "table" and rawget(value, "io") and type(value.io) == "table" then
      return contents(checked(value.io.open(path)))
    end
  end
  error("nothing found", 0)
end

function operations.coroutine(op, ...)
  local results = table.pack(coroutine.resume(coroutine.create(operations[op]), ...))
  if not results[1] then
    error(results[2], 0)
  end
  return results[2]
end

return {
  handler = function(event)
    local done, result = pcall(operations[event.op], table.unpack(event.args))
    if done then
      return { ok = result == nil and trine.null or result }
    end
    return { error = { name = "error", message = tostring(result) } }
  end,
}
