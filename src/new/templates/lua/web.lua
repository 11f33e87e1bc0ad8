-- Greets over HTTP:
--   GET /greetings/Ada    a greeting
--   POST /greetings       one for {"name": "Ada"}
-- Requests are events of API Gateway's payload format 2.0, results its responses.

local json = trine.json

local function reply(status, value, headers)
  headers = headers or {}
  headers["content-type"] = "application/json"
  return { statusCode = status, headers = headers, body = json.encode(value) }
end

local function problem(status, message, headers)
  return reply(status, { message = message }, headers)
end

local function not_allowed(method, allow)
  return problem(405, ("%s is not one of %s"):format(method, allow), { allow = allow })
end

local function greeting(name)
  return { message = ("Hello, %s!"):format(name) }
end

local function create(event)
  if event.isBase64Encoded then
    return problem(415, "send the body as content-type: application/json")
  end
  local valid, asked = pcall(json.decode, event.body or "")
  if not valid then
    return problem(400, "the body is not valid JSON")
  end
  if type(asked) ~= "table" or type(asked.name) ~= "string" or asked.name == "" then
    return problem(400, "the body has no name")
  end
  return reply(201, greeting(asked.name))
end

local M = {}

---@type trine.Handler
function M.handler(event, context)
  local method = event.requestContext.http.method
  local segments = {}
  for segment in event.rawPath:gmatch("[^/]+") do
    segments[#segments + 1] = segment
  end
  if segments[1] ~= "greetings" or #segments > 2 then
    return problem(404, "there is nothing at " .. event.rawPath)
  end
  local name = segments[2]
  if not name then
    return method == "POST" and create(event) or not_allowed(method, "POST")
  end
  return method == "GET" and reply(200, greeting(name)) or not_allowed(method, "GET")
end

return M
