return {
  before = function(_, context)
    context.state.timer = function(n)
      return n + 1
    end
  end,
}
