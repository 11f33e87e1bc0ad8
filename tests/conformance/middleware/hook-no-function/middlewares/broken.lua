return {
  before = 42,
  after = function() end,
}
