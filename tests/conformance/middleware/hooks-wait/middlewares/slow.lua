return {
  before = function(event, context)
    context.state.n = event.n
    trine.sleep(0.005)
  end,
  after = function(response, context)
    trine.sleep(0.005)
    return { response.n, context.state.n }
  end,
}
