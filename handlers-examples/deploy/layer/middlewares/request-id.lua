-- Gives every request an id: the caller's `x-request-id` where that looks like one, else the invocation's own. Functions
-- find it in `context.state.requestId`, callers in the header of the answer. Nothing to configure.

local function given(event)
  local id = type(event.headers) == "table" and event.headers["x-request-id"]
  return type(id) == "string" and #id <= 64 and id:match("^[%w._-]+$")
end

local M = {}

function M.before(event, context)
  context.state.requestId = given(event) or context.aws_request_id
  context.state.isRequest = event.requestContext ~= nil
end

function M.after(response, context)
  if not context.state.isRequest then
    return
  end
  if type(response) ~= "table" or response.statusCode == nil then
    -- The short form of an answer: all of it is the body.
    local body = trine.json.encode(response)
    response = { statusCode = 200, headers = { ["content-type"] = "application/json" }, body = body }
  end
  response.headers = type(response.headers) == "table" and response.headers or {}
  response.headers["x-request-id"] = context.state.requestId
  return response
end

return M
