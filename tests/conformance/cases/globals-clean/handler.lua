local expected = {}
for name in
  ([[_G _VERSION assert collectgarbage coroutine debug dofile error getmetatable io ipairs load
  loadfile math next os package pairs pcall print rawequal rawget rawlen rawset require select
  setmetatable string table tonumber tostring trine type utf8 warn xpcall]]):gmatch("[%w_]+")
do
  expected[name] = true
end

return {
  handler = function()
    local others = trine.array()
    for name in pairs(_G) do
      if not expected[name] then
        table.insert(others, name)
      end
    end
    return others
  end,
}
