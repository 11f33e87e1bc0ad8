return {
  before = function(_, context)
    local stamps = context.state.stamps or trine.array()
    table.insert(stamps, "lua")
    context.state.stamps = stamps
  end,
  after = function(response)
    response.last = "lua"
    return response
  end,
  error = function(err, context)
    context.state.failed = tostring(err)
  end,
}
