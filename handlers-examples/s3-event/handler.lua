-- Sums up the objects of an S3 notification.

-- Keys arrive as in a query string: a space is `+`, and bytes of UTF-8 are `%XX`.
local function decode_key(key)
  local decoded = key:gsub("+", " "):gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end)
  return decoded
end

local M = {}

function M.handler(event, context)
  local objects, total = trine.array({}), 0
  for index, record in ipairs(event.Records or {}) do
    local s3 = record.s3
    -- Notifications of deletions have no size.
    local size = s3.object.size or 0
    objects[index] = { bucket = s3.bucket.name, key = decode_key(s3.object.key), size = size }
    total = total + size
  end
  return { objects = objects, totalSize = total }
end

return M
