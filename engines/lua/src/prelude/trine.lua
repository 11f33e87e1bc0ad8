-- The `trine` module: what a guest may ask of its host.

local host, wait_token = ...
local yield, isyieldable = coroutine.yield, coroutine.isyieldable
local encode, decode = host.encode, host.decode
local array_mark, object_mark = host.array, host.object

local trine = {}
trine.null = host.null
trine.json = { encode = encode, decode = decode, null = host.null }

-- What running and waiting code gets as an error shortly before the deadline.
trine.deadline_exceeded = setmetatable(host.deadline_exceeded, {
  __name = "error",
  __tostring = function()
    return "trine: deadline exceeded"
  end,
})
host.deadline_exceeded.type = "DeadlineExceeded"
host.deadline_exceeded.message = "the deadline of this invocation is near"

-- An error that another language has thrown.
host.error.__name = "error"
function host.error.__tostring(value)
  return ("%s: %s"):format(value.type, value.message)
end

-- `context.state`: its members are the host's, so that other languages see them.
function host.state.__pairs(state)
  local keys, index = host.state_keys(state), 0
  return function()
    while true do
      index = index + 1
      local key = keys[index]
      if key == nil then
        return nil
      end
      local value = state[key]
      if value ~= nil then
        return key, value
      end
    end
  end
end

local function marker(name, mark)
  return function(value)
    if value == nil then
      value = {}
    elseif type(value) ~= "table" then
      error(("bad argument #1 to '%s' (table expected, got %s)"):format(name, type(value)), 2)
    end
    return setmetatable(value, mark)
  end
end

trine.array = marker("array", array_mark)
trine.object = marker("object", object_mark)

function trine.log(level, message)
  local text, json
  if type(message) == "table" and not (getmetatable(message) or {}).__tostring then
    local encoded
    encoded, json = pcall(encode, message)
    json = encoded and json or nil
    text = json or tostring(message)
  else
    text = tostring(message)
  end
  local fault = host.log(tostring(level), text, json)
  if fault then
    error(fault, 2)
  end
end

-- Calls `start`, which returns what is wrong with its arguments, and waits for what it has begun.
local function wait(name, start, argument)
  if not isyieldable() then
    error(("'%s' cannot wait here: a C function or a finalizer that cannot be suspended is running"):format(name), 3)
  end
  local fault = start(argument)
  if fault then
    error(fault, 3)
  end
  yield(wait_token)
  local result, message = host.outcome()
  if message == true then
    error(trine.deadline_exceeded, 0)
  end
  return result, message
end

function trine.sleep(seconds)
  if type(seconds) ~= "number" or not (seconds >= 0) then
    error("bad argument #1 to 'sleep' (seconds expected, not negative)", 2)
  end
  wait("sleep", host.sleep, seconds)
end

local response = {
  __index = {
    json = function(self)
      return decode(self.body)
    end,
  },
}

function trine.fetch(url, options)
  if type(url) ~= "string" then
    error(("bad argument #1 to 'fetch' (string expected, got %s)"):format(type(url)), 2)
  elseif options ~= nil and type(options) ~= "table" then
    error(("bad argument #2 to 'fetch' (table expected, got %s)"):format(type(options)), 2)
  end
  options = options or {}
  local result, message = wait("fetch", host.fetch, {
    url = url,
    method = options.method,
    headers = options.headers,
    body = options.body,
    timeout = options.timeout,
  })
  if not result then
    error(("cannot fetch %s: %s"):format(url, message), 2)
  end
  return setmetatable(result, response)
end

-- `tostring(trine.null)` says what it is. All light userdata share this metatable.
debug.setmetatable(trine.null, {
  __name = "light userdata",
  __tostring = function(value)
    if rawequal(value, trine.null) then
      return "null"
    end
    return "light userdata"
  end,
})

-- The trace header as the environment variable by which libraries know it, each call its own. The process's environment
-- stays as it is, because other threads read it.
if host.trace_in_environment then
  local getenv = os.getenv
  function os.getenv(name)
    if name == "_X_AMZN_TRACE_ID" then
      return host.trace_id()
    end
    return getenv(name)
  end
end

-- Variables of this root's functions, which lie over the process's. What the functions start gets them from its shell, which
-- also takes away those that the functions do not see.
local variables, unset = host.variables or {}, host.unset
if host.variables or unset then
  local getenv, execute, popen = os.getenv, os.execute, io.popen
  local names = {}
  for name in pairs(variables) do
    names[#names + 1] = name
  end
  table.sort(names)
  local exports = unset or ""
  for _, name in ipairs(names) do
    exports = exports .. ("export %s='%s'; "):format(name, variables[name]:gsub("'", "'\\''"))
  end

  local function with_exports(command)
    if type(command) == "string" or type(command) == "number" then
      return exports .. command
    end
    return command
  end

  function os.getenv(name)
    local value = variables[name]
    if value == nil then
      return getenv(name)
    end
    return value
  end

  function os.execute(command)
    return execute(with_exports(command))
  end

  function io.popen(program, ...)
    return popen(with_exports(program), ...)
  end
end

_G.trine = trine
package.loaded.trine = trine
package.loaded["trine.json"] = trine.json
