local function closes()
  local closed = false
  do
    local _ <close> = setmetatable({}, {
      __close = function()
        closed = true
      end,
    })
  end
  return closed
end

local function jumps()
  local count = 0
  ::again::
  count = count + 1
  if count < 3 then
    goto again
  end
  return count
end

local function metamethods()
  local number = setmetatable({}, {
    __add = function(_, other)
      return other + 1
    end,
    __call = function()
      return "called"
    end,
    __len = function()
      return 2
    end,
  })
  return { number + 2, number(), #number }
end

local function handler(event)
  local list = { 3, 1, 2 }
  table.sort(list)
  return {
    version = _VERSION,
    gsub = (event:gsub("%a+", string.upper)),
    find = { event:find("o w") },
    format = ("%07.2f|%x|%q"):format(3.5, 255, "q"),
    utf8 = utf8.len("héllo"),
    integer = { math.type(3), math.type(3.0), 7 // 2, 7 / 2 },
    bits = (5 ~ 3) & 0xf,
    sorted = list,
    pack = #string.pack("<i8", 1),
    ["goto"] = jumps(),
    closed = closes(),
    date = os.date("!%Y-%m-%d", 0),
    load = load("return 6 * 7")(),
    env = type(os.getenv("PATH")),
    select = { select("#", "a", "b", "c"), (select(3, "a", "b", "c")) },
    metamethods = metamethods(),
  }
end

return { handler = handler }
