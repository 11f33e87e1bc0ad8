return {
  before = function(event)
    print(type(event))
  end,
}
