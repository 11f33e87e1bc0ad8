-- Calls a function of two libraries and shows what each gives, errors included.

local ours, theirs = ...
local function show(...)
  local parts = {}
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    parts[i] = math.type(value) or type(value)
    parts[i] = parts[i] .. ":" .. (type(value) == "string" and ("%q"):format(value) or tostring(value))
  end
  return (table.concat(parts, " "):gsub("to '[%w.?]+'", "to ?"))
end
local replacements = {
  "<%0>", "%1", "%2-%1", "%%", "%", "%x", "", "x", 7, true, nil,
  { a = "A", b = false, ["1"] = 5, [1] = "one", [2] = {} },
  function(first, second) if first == "a" then return nil end if first == "b" then return false end
    if first == "1" then return 12 end if second == "c" then return {} end return tostring(first) .. tostring(second) end,
  setmetatable({}, { __index = function(_, key) return "(" .. tostring(key) .. ")" end }),
}
local function run(library, name, subject, pattern, third, fourth)
  if name == "gmatch" then
    return pcall(function()
      local rows = {}
      local step = third and library.gmatch(subject, pattern, third) or library.gmatch(subject, pattern)
      for row = 1, 40 do
        local values = table.pack(step())
        if values.n == 0 then break end
        rows[row] = show(table.unpack(values, 1, values.n))
      end
      return table.concat(rows, ";")
    end)
  elseif name == "gsub" then
    return pcall(library.gsub, subject, pattern, replacements[third], fourth)
  end
  return pcall(library[name], subject, pattern, third, fourth)
end
return function(name, ...)
  return show(run(ours, name, ...)), show(run(theirs, name, ...))
end
