return {
  before = function(_, context)
    local function run(n)
      return n + 1
    end
    context.state.tools = { list = { { run = run } } }
  end,
}
