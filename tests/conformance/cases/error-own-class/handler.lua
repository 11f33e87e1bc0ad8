local function fetch_item(item)
  error({ type = "OutOfStock", message = "no " .. item .. " left" })
end

local function handler(event)
  if event.item ~= "" then
    fetch_item(event.item)
  end
  return "fine"
end

return { handler = handler }
