-- Degrees, as a function on Scaleway converts them: asked in the query, or in JSON that a queue or a schedule sends.

local USAGE = 'Add ?celsius=21.5, or send {"celsius": 21.5}.'

local function text(status, body)
  return {
    statusCode = status,
    headers = { ["Content-Type"] = "text/plain; charset=utf-8" },
    body = body,
  }
end

local function in_body(event)
  local found, message = pcall(trine.json.decode, event.body)
  return found and type(message) == "table" and message.celsius or nil
end

local function handle(event)
  local query = event.queryStringParameters
  local asked = type(query) == "table" and query.celsius or in_body(event)
  if asked == nil then
    return text(200, USAGE)
  end
  local celsius = tonumber(asked)
  if not celsius or math.abs(celsius) == math.huge then
    return text(400, "'" .. tostring(asked) .. "' is no temperature.")
  end
  -- A table as the body goes out as JSON.
  return { statusCode = 200, body = { fahrenheit = celsius * 9 / 5 + 32 } }
end

-- The second is the usual name everywhere else.
return { handle = handle, handler = handle }
