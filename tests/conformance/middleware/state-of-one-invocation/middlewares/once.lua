return {
  before = function(_, context)
    local keys = trine.array({})
    for key in pairs(context.state) do
      table.insert(keys, key)
    end
    context.state.mark = 1
    return keys
  end,
}
