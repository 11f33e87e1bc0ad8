-- Where what a guest may do is narrowed: modules are looked for in files that it may read, and none is written in C. The
-- functions here ask already.

local searchers, package = package.searchers, package
local loadfile, searchpath = loadfile, package.searchpath

searchers[2] = function(name)
  local path, places = searchpath(name, package.path)
  if not path then
    return places
  end
  local loader, problem = loadfile(path)
  if not loader then
    error(("error loading module '%s' from file '%s':\n\t%s"):format(name, path, problem), 0)
  end
  return loader, path
end

for index = #searchers, 3, -1 do
  searchers[index] = nil
end
