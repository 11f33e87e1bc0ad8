-- A notes API on Lambda's HTTP payload format 2.0:
--   GET /notes        the ids of all notes
--   POST /notes       makes a note of {"title": …, "text": …}; its id comes from the title
--   GET /notes/{id}   the text of one
--   DELETE /notes/{id}

local base64 = require("base64") -- lua/base64.lua
local json = trine.json

-- State of the module lives as long as its instance, and every worker has an instance of its own: fine for a cache or
-- a demonstration, not for data that matters.
local notes = {}

local function reply(status, value, headers)
  headers = headers or {}
  headers["content-type"] = "application/json"
  return { statusCode = status, headers = headers, body = json.encode(value) }
end

local function problem(status, message, headers)
  return reply(status, { message = message }, headers)
end

-- Types that are not text for sure arrive as base64. That of `curl -d` without a content-type header is one of them.
local function body_of(event)
  local body = event.body or ""
  return event.isBase64Encoded and base64.decode(body) or body
end

local function list()
  -- Lua has one kind of table: the mark makes an empty one `[]` and not `{}`.
  local ids = trine.array({})
  for id in pairs(notes) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  return reply(200, { notes = ids })
end

local function create(event)
  local valid, note = pcall(json.decode, body_of(event))
  if not valid then
    return problem(400, "the body is not valid JSON")
  end
  if type(note) ~= "table" or type(note.title) ~= "string" or type(note.text) ~= "string" then
    return problem(400, "a note has a title and a text")
  end
  local id = note.title:lower():gsub("[^a-z0-9]+", "-"):gsub("^%-", ""):gsub("%-$", "")
  if id == "" then
    return problem(400, "the title has neither letters nor digits")
  end
  notes[id] = note.text
  -- What goes back to the client has to name the whole path.
  local here = ((event.basePath or "") .. event.rawPath):gsub("/+$", "")
  local response = reply(201, { id = id }, { location = here .. "/" .. id })
  -- Each item becomes a Set-Cookie header of its own, which `headers` could not express.
  response.cookies = { ("last-note=%s; HttpOnly; SameSite=Lax"):format(id) }
  return response
end

local function read(_, id)
  if not notes[id] then
    return problem(404, ("there is no note '%s'"):format(id))
  end
  local headers = { ["content-type"] = "text/plain; charset=utf-8" }
  return { statusCode = 200, headers = headers, body = notes[id] }
end

local function remove(_, id)
  if not notes[id] then
    return problem(404, ("there is no note '%s'"):format(id))
  end
  notes[id] = nil
  return { statusCode = 204 }
end

local on_all = { allow = "GET, POST", GET = list, POST = create }
local on_one = { allow = "GET, DELETE", GET = read, DELETE = remove }

local M = {}

function M.handler(event, context)
  -- Served below /http-api/lua, the function sees the path below that.
  local path = event.rawPath
  local segments = {}
  for segment in path:gmatch("[^/]+") do
    segments[#segments + 1] = segment
  end
  -- The bare address stands for the list.
  segments[1] = segments[1] or "notes"
  if segments[1] ~= "notes" or #segments > 2 then
    return problem(404, "there is nothing at /" .. path:gsub("^/+", ""))
  end
  local methods = segments[2] and on_one or on_all
  local method = event.requestContext.http.method
  local answer = methods[method]
  if type(answer) ~= "function" then
    return problem(405, ("%s is not one of %s"):format(method, methods.allow), { allow = methods.allow })
  end
  return answer(event, segments[2])
end

return M
