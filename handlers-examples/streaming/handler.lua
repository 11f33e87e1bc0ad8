-- A table that is sent row by row, while it is made. Behind a URL it has a media type and a file name.

local head = trine.response {
  content_type = "text/csv; charset=utf-8",
  headers = { ["content-disposition"] = 'attachment; filename="squares.csv"' },
}

local function handler(event)
  local parameters = event.queryStringParameters or event
  local rows, wait_ms = tonumber(parameters.rows or 3), tonumber(parameters.wait_ms or 20)
  return coroutine.create(function()
    if event.requestContext then
      coroutine.yield(head)
    end
    coroutine.yield("number,square\n")
    for number = 1, rows do
      trine.sleep(wait_ms / 1000)
      coroutine.yield(("%d,%d\n"):format(number, number * number))
    end
  end)
end

return { handler = handler }
