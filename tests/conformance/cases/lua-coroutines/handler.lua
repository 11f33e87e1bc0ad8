local function numbers(count)
  return coroutine.wrap(function()
    for i = 1, count do
      coroutine.yield(i)
      trine.sleep(0)
    end
  end)
end

local function handler(event)
  local generated, sum = {}, 0
  for number in numbers(event) do
    table.insert(generated, number)
  end
  for number in numbers(event) do
    sum = sum + number
  end
  local inner = coroutine.create(function()
    trine.sleep(0.001)
    return "inside"
  end)
  local _, waited = coroutine.resume(inner)
  local _, caught = pcall(function()
    trine.sleep(0.001)
    error("after a wait", 0)
  end)
  return {
    generated = generated,
    waited = waited,
    caught = caught,
    status = coroutine.status(inner),
    wrapped = sum,
  }
end

return { handler = handler }
