return {
  before = function(_, context)
    context.state.first = "one"
    context.state.second = { 2 }
  end,
  after = function(response, context)
    response.left = {}
    for key in pairs(context.state) do
      table.insert(response.left, key)
    end
    table.sort(response.left)
    return response
  end,
}
