return {
  before = function() end,
}
