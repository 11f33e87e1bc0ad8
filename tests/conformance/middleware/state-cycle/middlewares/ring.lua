return {
  before = function(_, context)
    local ring = { n = 21 }
    ring.next = { next = ring }
    context.state.ring = ring
  end,
}
