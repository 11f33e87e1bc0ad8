local function handler(event)
  local order, results = trine.array(), trine.array()
  for index, number in ipairs(event) do
    trine.sleep(0.001)
    results[index] = number * 2
    order[index] = number
  end
  table.sort(order)
  return { results = results, order = order }
end

return { handler = handler }
