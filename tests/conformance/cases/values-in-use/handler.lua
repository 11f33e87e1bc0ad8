local function handler(event)
  local numbers, sum = event.numbers, 0
  table.insert(numbers, 4)
  for _, number in ipairs(numbers) do
    sum = sum + number
  end
  return {
    greeting = "Hello " .. event.name,
    numbers = numbers,
    sum = sum,
    isNull = event.nested.deep[1].x == trine.null,
  }
end

return { handler = handler }
