-- What the tests ask of a function, in each language alike: the event's member `do` says what.
-- As an HTTP function it takes the same from its query.

local trine = require("trine")

local count = 0
local actions = {}

function actions.echo(event)
  return event
end

function actions.count()
  count = count + 1
  return count
end

function actions.trace()
  return os.getenv("_X_AMZN_TRACE_ID")
end

function actions.context(_, context)
  return {
    id = context.aws_request_id,
    arn = context.invoked_function_arn,
    name = context.function_name,
    version = context.function_version,
    memory = context.memory_limit_in_mb,
    group = context.log_group_name,
    stream = context.log_stream_name,
    tenant = context.tenant_id or trine.null,
    custom = context.client_context and context.client_context.custom or trine.null,
    w3c = context.w3c or trine.null,
    identity = context.identity and context.identity.cognito_identity_id or trine.null,
    remaining = context.get_remaining_time_in_millis(),
  }
end

function actions.fail()
  error({ type = "OutOfStock", message = "no anvil left" }) -- here
end

function actions.exit(event)
  os.exit(event.status)
end

actions["repeat"] = function(event)
  return string.rep(event.text, event.count)
end

function actions.nest(event)
  local list = trine.array()
  for _ = 2, event.levels do
    list = { list }
  end
  return list
end

function actions.impossible()
  return { f = function() end }
end

function actions.log(event)
  print(event.text)
end

function actions.wait(event)
  trine.sleep(tonumber(event.ms) / 1000)
  return event.note
end

function actions.mirror(event)
  return {
    statusCode = 201,
    headers = {
      ["content-type"] = event.headers["content-type"] or "text/plain",
      ["x-method"] = event.requestContext.http.method,
      ["x-path"] = event.rawPath,
    },
    cookies = event.cookies,
    body = event.body or "",
    isBase64Encoded = event.isBase64Encoded,
  }
end

local M = {}

function M.handler(event, context)
  local action = "echo"
  if type(event) == "table" then
    local query = event.queryStringParameters or {}
    action = query["do"] or event["do"] or "echo"
    if query["do"] then
      for name, value in pairs(query) do
        event[name] = value
      end
    end
  end
  return actions[action](event, context)
end

return M
