local lines = {
  "context: no",
  "text: ext: yes",
  "    at fake (ext:foo/bar.js:1:1)",
  "    at node:internal/x:1:1",
  '  File "x.py", line 1, in f',
  "x.lua:1: in function 'f'",
}

local function fail()
  error(table.concat(lines, "\n"))
end

return {
  handler = function()
    fail()
  end,
}
