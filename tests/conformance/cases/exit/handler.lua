local function handler(event)
  if event ~= trine.null then
    pcall(os.exit, event)
  end
  return "alive"
end

return { handler = handler }
