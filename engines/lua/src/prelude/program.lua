-- Runs a program as Lua's own interpreter would: with arguments, text on standard input, and what it prints kept. Each
-- run has globals of its own, behind which it sees the state's.

local concat, insert, pack, unpack = table.concat, table.insert, table.pack, table.unpack
local error, getmetatable, load, select, setmetatable, tonumber, tostring, type =
  error, getmetatable, load, select, setmetatable, tonumber, tostring, type
local find, match, rawequal, sub = string.find, string.match, rawequal, string.sub
local real_io, globals = io, _G

-- The next piece of `stream` in one of the formats of `io.read`; nil at the end.
local function read_one(stream, format, name)
  local text, at = stream.text, stream.at
  if type(format) == "number" then
    if at > #text then
      return nil
    end
    stream.at = at + format
    return sub(text, at, at + format - 1)
  end
  local kind = match(tostring(format), "^%*?(.)")
  if kind == "a" then
    stream.at = #text + 1
    return sub(text, at)
  elseif kind == "l" or kind == "L" then
    if at > #text then
      return nil
    end
    local stop = find(text, "\n", at, true)
    stream.at = (stop or #text) + 1
    local line = sub(text, at, stop or #text)
    if kind == "l" and stop then
      return sub(line, 1, -2)
    end
    return line
  elseif kind == "n" then
    local digits, stop = match(text, "^%s*([-+]?%w*%.?%w*)()", at)
    local exponent, after = match(text, "^([-+]%d+)()", stop)
    if exponent and find(digits, "[eEpP]$") then
      digits, stop = digits .. exponent, after
    end
    stream.at = stop
    return tonumber(digits)
  end
  error(("bad argument #1 to '%s' (invalid format)"):format(name), 4)
end

local function read(stream, name, ...)
  local count = select("#", ...)
  if count == 0 then
    return read_one(stream, "l", name)
  end
  local formats, results = pack(...), {}
  for index = 1, count do
    results[index] = read_one(stream, formats[index], name)
    if results[index] == nil then
      return unpack(results, 1, index)
    end
  end
  return unpack(results, 1, count)
end

local function lines(stream, ...)
  local formats = pack(...)
  return function()
    return read(stream, "lines", unpack(formats, 1, formats.n))
  end
end

local function standard_input(text)
  local stream, methods = { text = text, at = 1 }, {}
  function methods:read(...)
    return read(stream, "read", ...)
  end
  function methods:lines(...)
    return lines(stream, ...)
  end
  function methods:seek(whence, offset)
    local base = whence == "set" and 0 or whence == "end" and #text or stream.at - 1
    stream.at = base + (offset or 0) + 1
    return stream.at - 1
  end
  function methods:write()
    return nil, "Bad file descriptor (stdin)", 9
  end
  function methods:setvbuf()
    return true
  end
  function methods:close()
    stream.at = #text + 1
    return true
  end
  return setmetatable({}, { __index = methods, __name = "FILE*" })
end

local function standard_output(out)
  local methods = setmetatable({}, { __index = getmetatable(real_io.stdout).__index })
  function methods:write(...)
    for index = 1, select("#", ...) do
      local value = select(index, ...)
      local kind = type(value)
      if kind ~= "string" and kind ~= "number" then
        error(("bad argument #%d to 'write' (string expected, got %s)"):format(index, kind), 2)
      end
      out[#out + 1] = tostring(value)
    end
    return self
  end
  function methods:flush()
    return self
  end
  return setmetatable({}, { __index = methods, __name = "FILE*" })
end

local function environment(path, hook, text, out)
  local env = { arg = { [0] = path, hook } }
  env._G = env
  local stdin, stdout = standard_input(text), standard_output(out)
  local input, output = stdin, stdout
  local io = { stdin = stdin, stdout = stdout }
  function io.read(...)
    return input:read(...)
  end
  function io.lines(name, ...)
    if name == nil then
      return input:lines(...)
    end
    return real_io.lines(name, ...)
  end
  function io.write(...)
    return output:write(...)
  end
  function io.input(file)
    if type(file) == "string" then
      local opened, message = real_io.open(file)
      file = opened or error(message, 2)
    end
    input = file or input
    return input
  end
  function io.output(file)
    if type(file) == "string" then
      local opened, message = real_io.open(file, "w")
      file = opened or error(message, 2)
    end
    output = file or output
    return output
  end
  function io.type(file)
    if rawequal(file, stdin) or rawequal(file, stdout) then
      return "file"
    end
    return real_io.type(file)
  end
  function io.close(file)
    return (file or output):close()
  end
  env.io = setmetatable(io, { __index = real_io })
  function env.print(...)
    local texts = pack(...)
    for index = 1, texts.n do
      texts[index] = tostring(texts[index])
    end
    insert(out, concat(texts, "\t", 1, texts.n))
    insert(out, "\n")
  end
  function env.load(chunk, name, mode, ...)
    if select("#", ...) == 0 then
      return load(chunk, name, mode, env)
    end
    return load(chunk, name, mode, (...))
  end
  return setmetatable(env, { __index = globals })
end

-- Runs `source`; what it prints goes to the array `out`.
return function(source, path, hook, text, out)
  local chunk, message = load(source, "@" .. path, "t", environment(path, hook, text, out))
  if not chunk then
    error(message, 0)
  end
  chunk(hook)
end
