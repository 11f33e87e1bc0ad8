return {
  before = function(_, context)
    conformance_box = {}
    context.state.box = conformance_box
  end,
}
