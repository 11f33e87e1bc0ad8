-- Lets browsers call functions from other origins: answers preflight requests by itself, adds the headers to answers.
-- CORS_ORIGINS lists the origins (`https://a.example,https://b.example`, or `*`), CORS_HEADERS the headers of requests
-- (`content-type,authorization`). Stands outside of whatever answers by itself: jwt, http-errors, validate.

local allowed = {}
for origin in (os.getenv("CORS_ORIGINS") or ""):gmatch("[^,%s]+") do
  allowed[origin] = true
end

local function header(event, wanted)
  for name, value in pairs(type(event) == "table" and type(event.headers) == "table" and event.headers or {}) do
    if name:lower() == wanted then
      return value
    end
  end
end

local M = {}

function M.before(event, context)
  local origin, method = header(event, "origin"), header(event, "access-control-request-method")
  if not origin then
    return
  end
  local may = allowed["*"] and "*" or allowed[origin] and origin or false
  context.state.cors = may
  local request = type(event.requestContext) == "table" and event.requestContext.http or event
  if method and (request.method or request.httpMethod) == "OPTIONS" then
    context.reply({
      statusCode = 204,
      headers = may and {
        ["access-control-allow-methods"] = method,
        ["access-control-allow-headers"] = os.getenv("CORS_HEADERS") or "content-type,authorization",
        ["access-control-max-age"] = "600",
      } or nil,
    })
  end
end

function M.after(response, context)
  local may = context.state.cors
  if may == nil then
    return
  end
  if type(response) ~= "table" or response.statusCode == nil then
    -- The short form of an answer: all of it is the body.
    local body = trine.json.encode(response)
    response = { statusCode = 200, headers = { ["content-type"] = "application/json" }, body = body }
  end
  response.headers = type(response.headers) == "table" and response.headers or {}
  -- Caches must not show one origin's answer to another.
  response.headers.vary = response.headers.vary and response.headers.vary .. ", origin" or "origin"
  response.headers["access-control-allow-origin"] = may or nil
  return response
end

return M
