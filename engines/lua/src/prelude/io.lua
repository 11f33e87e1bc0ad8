-- `print`, and a standard output and error that reach the host's log instead of the process's.

local host = ...
local select, tostring, type = select, tostring, type
local concat = table.concat

function print(...)
  local count = select("#", ...)
  if count == 1 then
    return host.print(tostring((...)))
  end
  local texts = { ... }
  for index = 1, count do
    texts[index] = tostring(texts[index])
  end
  host.print(concat(texts, "\t"))
end

local function no_such_thing(name)
  return function()
    return nil, "Bad file descriptor (" .. name .. ")", 9
  end
end

local function stream(name, is_error)
  local methods = {}

  function methods:write(...)
    local texts = { ... }
    for index = 1, select("#", ...) do
      local kind = type(texts[index])
      if kind ~= "string" and kind ~= "number" then
        error(("bad argument #%d to 'write' (string expected, got %s)"):format(index, kind), 2)
      end
    end
    host.write(is_error, concat(texts))
    return self
  end

  function methods:flush()
    host.flush()
    return self
  end

  function methods:setvbuf()
    return true
  end

  function methods:seek()
    return nil, "Illegal seek", 29
  end

  function methods:close()
    return nil, "cannot close standard file"
  end

  methods.read = no_such_thing(name)

  function methods:lines()
    error("file is not readable", 2)
  end

  return setmetatable({}, {
    __index = methods,
    __name = "FILE*",
    __tostring = function()
      return "file (" .. name .. ")"
    end,
  })
end

local stdout, stderr = stream("stdout", false), stream("stderr", true)
local real_output, real_type, real_close = io.output, io.type, io.close
local default = stdout -- the default output while it is one of ours, else nil

io.stdout, io.stderr = stdout, stderr

local function ours(file)
  return rawequal(file, stdout) or rawequal(file, stderr)
end

function io.output(file)
  if file == nil then
    return default or real_output()
  elseif ours(file) then
    default = file
    return file
  end
  local opened = real_output(file)
  default = nil
  return opened
end

function io.write(...)
  return (default or real_output()):write(...)
end

function io.type(file)
  if ours(file) then
    return "file"
  end
  return real_type(file)
end

function io.close(file)
  if file == nil then
    file = default or real_output()
  end
  if ours(file) then
    return file:close()
  end
  return real_close(file)
end
