return {
  handler = function(_, context)
    local state, before, after = context.state, {}, {}
    for key in pairs(state) do
      table.insert(before, key)
    end
    table.sort(before)
    state.first = nil
    state.third = 3
    for key, value in pairs(state) do
      after[key] = value
    end
    return { before = before, has = { state.first ~= nil, state.second ~= nil }, after = after }
  end,
}
