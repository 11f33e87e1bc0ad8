local function inner()
  error("inner", 0)
end

local function handler()
  local ok, cause = pcall(inner)
  if not ok then
    error({ type = "Wrapped", message = "outer: " .. cause })
  end
end

return { handler = handler }
