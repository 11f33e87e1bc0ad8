return {
  after = function() end,
}
