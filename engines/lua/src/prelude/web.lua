-- Web applications: what is read of a request when it is asked for, and the loop over the chunks of a body.

local host, wait_token = ...
local trine = package.loaded.trine
local advance, body_take, body_wait, outcome, put, run =
  host.advance, host.body_take, host.body_wait, host.outcome, host.web_put, host.run
local char, find, gmatch, gsub, lower = string.char, string.find, string.gmatch, string.gsub, string.lower
local concat, decode, tointeger = table.concat, host.decode, math.tointeger
local create, isyieldable, yield = coroutine.create, coroutine.isyieldable, coroutine.yield

-- Waits for what has been begun. Returns what has become of it.
local function wait()
  yield(wait_token)
  local open, warned = outcome()
  if warned == true then
    error(trine.deadline_exceeded, 0)
  end
  return open
end

local GONE = "the body of the request has not come whole: its client is gone"

-- The next piece of a body; nil at its end.
local function piece(owner, most)
  local text, fault = body_take(owner, most)
  while text == false do
    if not isyieldable() then
      error("a body cannot be waited for here: a C function or a finalizer that cannot be suspended is running", 4)
    end
    body_wait(owner)
    if wait() == false then
      error(setmetatable({ type = "Runtime.ClientDisconnected", message = GONE }, host.error), 4)
    end
    text, fault = body_take(owner, most)
  end
  if fault ~= nil then
    error(fault, 4)
  end
  return text
end

local ALL, PIECE = math.maxinteger, 64 * 1024

-- The bytes of a body, this many unless it ends before; nil where there are no more.
local function read(owner, count)
  local first = piece(owner, count)
  if first == nil or #first == count then
    return first
  end
  local pieces, length = { first }, #first
  repeat
    local more = piece(owner, count - length)
    if more ~= nil then
      pieces[#pieces + 1] = more
      length = length + #more
    end
  until more == nil or length == count
  return concat(pieces)
end

local function body_read(owner, count)
  if count == nil then
    return (read(owner, ALL))
  end
  local bytes = type(count) == "number" and tointeger(count)
  if not bytes or bytes < 0 then
    error(("bad argument #1 to 'read' (a number of bytes expected, got %s)"):format(type(count)), 2)
  elseif bytes == 0 then
    return nil
  end
  return (read(owner, bytes))
end

local function decoded(text)
  text = gsub(text, "+", " ")
  if not find(text, "%", 1, true) then
    return text
  end
  return (gsub(text, "%%(%x%x)", function(digits)
    return char(tonumber(digits, 16))
  end))
end

-- The parameters of a query. Several values of one name are a list.
local function parameters(query)
  local found = {}
  for name, value in gmatch(query, "([^&=]*)=?([^&]*)") do
    if name ~= "" then
      name, value = decoded(name), decoded(value)
      local before = found[name]
      if before == nil then
        found[name] = value
      elseif type(before) == "table" then
        before[#before + 1] = value
      else
        found[name] = trine.array { before, value }
      end
    end
  end
  return found
end

local methods = { read = body_read }

function methods:chunks()
  return function()
    return (piece(self, PIECE))
  end
end

function methods:text()
  local text = rawget(self, "body")
  if text == nil then
    text = read(self, ALL) or ""
    rawset(self, "body", text)
  end
  return text
end

function methods:json()
  local decodes, value = pcall(decode, methods.text(self))
  if not decodes then
    error(("the body of the request is not JSON: %s"):format(gsub(value, "^cannot decode: ", "")), 2)
  end
  return value
end

local made = {}

function made.url(request)
  local query = rawget(request, "query_string")
  return ("%s://%s%s%s"):format(request.scheme, request.host, request.raw_path, query and "?" .. query or "")
end

function made.query(request)
  return parameters(rawget(request, "query_string") or "")
end

function made.event()
  local text = host.web_event()
  return text and decode(text)
end

made.body = methods.text

host.web_request = {
  __name = "request",
  __index = function(request, name)
    local method = methods[name]
    if method then
      return method
    end
    local make = made[name]
    local value = make and make(request)
    if value ~= nil then
      rawset(request, name, value)
    end
    return value
  end,
}

host.web_headers = {
  __index = function(headers, name)
    return type(name) == "string" and rawget(headers, lower(name)) or nil
  end,
}

host.web_input = { __index = { read = body_read } }

local variables = {
  ["aws.event"] = made.event,
  ["aws.context"] = function()
    return (host.web_context())
  end,
  APP_PATH = function()
    return host.root
  end,
}

-- There is no variable that is nil.
host.web_environment = {
  __index = function(_, name)
    local variable = variables[name]
    local value = variable and variable()
    if value == nil then
      return ""
    end
    return value
  end,
}

host.web_error = io.stderr

local function drive(source, ends_at_nil, ends_at_false)
  while true do
    local goes_on, chunk = advance(source)
    if not goes_on then
      return chunk
    elseif chunk == nil and ends_at_nil or chunk == false and ends_at_false then
      return nil
    elseif chunk ~= nil then
      local open, fault = put(chunk)
      if fault ~= nil then
        error(fault, 0)
      elseif open == false or open and not wait() then
        return nil
      end
    end
  end
end

-- Sends what a coroutine yields, or a function returns. Returns what the coroutine has returned.
function host.web_stream(source, ends_at_nil, ends_at_false)
  if type(source) ~= "thread" then
    local chunks = source
    source = create(function()
      while true do
        local chunk = chunks()
        if chunk == nil or chunk == false and ends_at_false then
          return
        end
        yield(chunk)
      end
    end)
  end
  return run(source, drive, ends_at_nil, ends_at_false)
end
