-- Answers in pieces: `trine.response`, `context.write`, and the loop over what a handler returns to give chunks.

local host, wait_token = ...
local trine = package.loaded.trine
local advance, outcome, place, send, write_chunk =
  host.advance, host.outcome, host.place, host.send, host.write_chunk
local close, create, isyieldable = coroutine.close, coroutine.create, coroutine.isyieldable
local status, yield = coroutine.status, coroutine.yield
local array, object, head_mark = trine.array, trine.object, host.response

head_mark.__name = "response"

local members = { status = true, headers = true, cookies = true, content_type = true }

local function wrong(what)
  error(("bad %s of 'response'"):format(what), 3)
end

-- The head of an answer in pieces, in the form of API Gateway's responses.
function trine.response(options)
  if type(options) ~= "table" then
    error(("bad argument #1 to 'response' (table expected, got %s)"):format(type(options)), 2)
  end
  for name in pairs(options) do
    if not members[name] then
      wrong(("member '%s'"):format(tostring(name)))
    end
  end
  local code, cookies, content_type = options.status, options.cookies, options.content_type
  if code ~= nil then
    code = type(code) == "number" and math.tointeger(code) or 0
    if code < 200 or code > 599 then
      wrong("member 'status' (an integer from 200 to 599 expected)")
    end
  end
  local headers = {}
  if options.headers ~= nil then
    if type(options.headers) ~= "table" then
      wrong("member 'headers' (table expected)")
    end
    for name, value in pairs(options.headers) do
      local kind = type(value)
      if type(name) ~= "string" or (kind ~= "string" and kind ~= "number") then
        wrong("member 'headers' (names must be strings, values strings or numbers)")
      end
      headers[name:lower()] = tostring(value)
    end
  end
  if content_type ~= nil then
    if type(content_type) ~= "string" then
      wrong("member 'content_type' (string expected)")
    end
    headers["content-type"] = content_type
  end
  local list
  if cookies ~= nil then
    if type(cookies) ~= "table" then
      wrong("member 'cookies' (table expected)")
    end
    list = array {}
    for index, cookie in ipairs(cookies) do
      if type(cookie) ~= "string" then
        wrong(("member 'cookies' (strings expected, item %d is none)"):format(index))
      end
      list[index] = cookie
    end
  end
  -- A media type alone needs no HTTP response around it.
  if code == nil and (content_type == nil or options.headers ~= nil or list) then
    code = 200
  end
  local head = { statusCode = code, cookies = list }
  if next(headers) ~= nil then
    head.headers = object(headers)
  end
  return setmetatable(head, head_mark)
end

-- Waits for room after `send` or `write_chunk` has returned this. Returns whether anybody still reads.
local function settled(open, fault)
  if fault ~= nil then
    error(fault, 3)
  end
  if open then
    yield(wait_token)
    local warned
    open, warned = outcome()
    if warned == true then
      error(trine.deadline_exceeded, 0)
    end
  end
  return open
end

function host.context.write(...)
  if not isyieldable() then
    error("'write' cannot wait here: a C function or a finalizer that cannot be suspended is running", 2)
  end
  if settled(write_chunk(...)) then
    return true
  end
  return nil, "closed"
end

local function drive(source)
  while true do
    local goes_on, value = advance(source)
    if not goes_on then
      return value
    end
    if not settled(send(value)) then
      return nil
    end
  end
end

-- Runs a loop over the chunks of a coroutine, which is closed then. Returns what the loop has returned.
function host.run(source, loop, ...)
  local done, result = pcall(loop, source, ...)
  if not done then
    place(source)
  end
  local closed, fault = true, nil
  if status(source) == "suspended" then
    closed, fault = close(source)
  end
  if not done then
    error(result, 0)
  elseif not closed then
    error(fault, 0)
  end
  return result
end

-- Sends what a coroutine yields, or a function returns until it returns nil. Returns what the coroutine has returned.
function host.stream(source)
  if type(source) == "function" then
    local chunks = source
    source = create(function()
      while true do
        local chunk = chunks()
        if chunk == nil then
          return
        end
        yield(chunk)
      end
    end)
  end
  return host.run(source, drive)
end
