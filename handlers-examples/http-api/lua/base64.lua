-- Reads base64, which Lua's standard library does not.

local M = {}

local values = {}
for value, letter in ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):gmatch("()(.)") do
  values[letter] = value - 1
end

-- The bytes that `text` stands for. What is no letter of base64, such as padding and line ends, is passed over.
function M.decode(text)
  local bytes, bits, count = {}, 0, 0
  for letter in text:gmatch("[%w+/]") do
    bits, count = (bits << 6 | values[letter]) & 0xffff, count + 6
    if count >= 8 then
      count = count - 8
      bytes[#bytes + 1] = string.char(bits >> count & 0xff)
    end
  end
  return table.concat(bytes)
end

return M
