-- `trine.snapshot`: what guests want done around a snapshot of the process, of which copies go on.

local host = ...
local pack, unpack, randomseed = table.pack, table.unpack, math.randomseed
local before, after = {}, {}

local function registers(name, hooks)
  return function(hook, ...)
    local meta = getmetatable(hook)
    if type(hook) ~= "function" and not (type(meta) == "table" and meta.__call) then
      error(("bad argument #1 to '%s' (function expected, got %s)"):format(name, type(hook)), 2)
    end
    hooks[#hooks + 1] = pack(hook, ...)
    return hook
  end
end

local function run(registered)
  local hook = registered[1]
  hook(unpack(registered, 2, registered.n))
end

package.loaded.trine.snapshot = {
  register_before_snapshot = registers("register_before_snapshot", before),
  register_after_restore = registers("register_after_restore", after),
}

-- A hook that has run is forgotten, as in AWS's runtimes.
function host.before_snapshot()
  while #before > 0 do
    local latest = before[#before]
    before[#before] = nil
    run(latest)
  end
end

-- The numbers are the system's. A generator that somebody has seeded himself begins anew as well.
function host.after_restore(high, low)
  randomseed(high, low)
  for _, registered in ipairs(after) do
    run(registered)
  end
end
