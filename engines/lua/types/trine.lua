---@meta trine
-- Types of the module `trine`, for editors that run the Lua language server.

---@class trine.Context
---@field aws_request_id string
---@field invoked_function_arn string?
---@field function_name string?
---@field function_version string?
---@field memory_limit_in_mb string?
---@field log_group_name string?
---@field log_stream_name string?
---@field client_context table?
---@field identity table?
---@field tenant_id string?
---@field trace_id string?
---@field deadline_ms integer?
---@field w3c table<string, string>?
---@field get_remaining_time_in_millis fun(...): number 0 when the time is up, `math.huge` without a limit

---@class trine.Response
---@field status integer
---@field ok boolean whether `status` is 200 to 299
---@field url string
---@field headers table<string, string> by lower-case name
---@field body string
---@field json fun(self: trine.Response): any

---@class trine.FetchOptions
---@field method string?
---@field headers table<string, string|number>?
---@field body string?
---@field timeout number? seconds

---@alias trine.Level "trace"|"debug"|"info"|"warn"|"error"|"fatal"

---@class trine
---@field null lightuserdata JSON's `null`
trine = {}

---@class trine.json
---@field null lightuserdata
trine.json = {}

---@param value any
---@return string
function trine.json.encode(value) end

---@param text string
---@return any
function trine.json.decode(text) end

--- Marks a table as a JSON array, even when it is empty.
---@param value table?
---@return table
function trine.array(value) end

--- Marks a table as a JSON object, whatever its keys.
---@param value table?
---@return table
function trine.object(value) end

---@param level trine.Level
---@param message any a table is written as JSON
function trine.log(level, message) end

--- Waits; other calls go on.
---@param seconds number
function trine.sleep(seconds) end

--- Sends an HTTP request and waits for the whole response; raises when there is none.
---@param url string
---@param options trine.FetchOptions?
---@return trine.Response
function trine.fetch(url, options) end

return trine
