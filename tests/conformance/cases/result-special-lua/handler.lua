local array, object = trine.array, trine.object

local results = {
  sequence = { 1, 2, 3 },
  empty = {},
  marked_empty = { array(), object() },
  holes = array({ 1, nil, 3 }),
  integer_keys = object({ [7] = "a" }),
  null = { a = trine.null },
  numbers = { 1, 1.0, -0.5, math.maxinteger },
  mixed = { inner = { 1, x = 2 } },
  sparse = { [1] = 1, [3] = 3 },
  nan = { x = 0 / 0 },
  infinity = { x = math.huge },
  thread = { coroutine.create(print) },
  bad_key = { ["\xff"] = 1 },
}

return {
  handler = function(event)
    return results[event]
  end,
}
