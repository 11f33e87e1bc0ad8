return {
  before = function(_, context)
    context.user = "ada"
  end,
}
