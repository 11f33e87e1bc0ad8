-- `require` in Lua, so that a module may wait while it is loaded, and so that a file that was loaded by its path
-- (a handler, a middleware) is not run again when another module requires it.

local host = ...
local files = {} -- path -> what the file returned
host.files = files

function require(name)
  if type(name) == "number" then
    name = tostring(name)
  elseif type(name) ~= "string" then
    error(("bad argument #1 to 'require' (string expected, got %s)"):format(type(name)), 2)
  end
  local loaded = package.loaded
  if loaded[name] then
    return loaded[name]
  end
  local searchers = package.searchers
  if type(searchers) ~= "table" then
    error("'package.searchers' must be a table", 2)
  end
  local reasons = {}
  for _, searcher in ipairs(searchers) do
    -- Called through `pcall`, a searcher's own errors carry no position of this file.
    local found, loader, data = pcall(searcher, name)
    if not found then
      error(loader, 0)
    end
    if type(loader) == "function" then
      local known = type(data) == "string" and files[data]
      local value = known or loader(name, data)
      if value ~= nil then
        loaded[name] = value
      end
      if loaded[name] == nil then
        loaded[name] = true
      end
      if type(data) == "string" then
        files[data] = loaded[name]
      end
      return loaded[name], data
    elseif type(loader) == "string" then
      reasons[#reasons + 1] = "\n\t" .. loader
    end
  end
  error(("module '%s' not found:%s"):format(name, table.concat(reasons)), 2)
end
