-- `rep` and `move` of the table `ours` against those of Lua.

local ours = ...
local function same(f, g, ...)
  local a, b = table.pack(pcall(f, ...)), table.pack(pcall(g, ...))
  a[2], b[2] = tostring(a[2]):gsub("'.-'", ""), tostring(b[2]):gsub("'.-'", "")
  assert(a.n == b.n and a[1] == b[1] and a[2] == b[2], a[2] .. " instead of " .. b[2])
end
for _, text in ipairs { "", "a", "abc", ("x"):rep(1000) } do
  for _, count in ipairs { -1, 0, 1, 2, 3, 127, 128, 129, 255, 4096, 5000, 66000 } do
    for _, separator in ipairs { "", ",", "--" } do
      same(ours.rep, string.rep, text, count, separator)
    end
    same(ours.rep, string.rep, text, count)
  end
end
same(ours.rep, string.rep, "ab", 1 << 40)
same(ours.rep, string.rep, "ab", math.maxinteger, "x")
same(ours.rep, string.rep, 12, 3, 4)
same(ours.rep, string.rep, "a", "x")
same(ours.rep, string.rep)
assert(ours.rep("", math.maxinteger) == "")
local function moved(f, ...)
  local result, texts = f({ 1, 2, 3, 4, 5 }, ...), {}
  for index = 1, 12 do
    texts[index] = tostring(result[index])
  end
  return table.concat(texts, ",")
end
for from = 1, 3 do for to = 0, 6 do for target = 1, 5 do
  assert(moved(ours.move, from, to, target) == moved(table.move, from, to, target))
  assert(moved(ours.move, from, to, target, { 9, 9, 9, 9, 9 }) == moved(table.move, from, to, target, { 9, 9, 9, 9, 9 }))
end end end
same(ours.move, table.move, {}, math.mininteger, math.maxinteger, 1)
same(ours.move, table.move, {}, 1, 5, math.maxinteger)
same(ours.move, table.move, 1, 1, 5, 2)
same(ours.move, table.move, {}, 1, 5, 2, 3)
