return {
  befor = function() end,
  helper = function() end,
}
