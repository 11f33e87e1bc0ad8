return {
  handler = function() end,
}
