return {
  before = function(event)
    print("length " .. #event)
  end,
  after = function(response)
    return #response
  end,
}
