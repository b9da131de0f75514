-- The native path: a plain model call goes to its provider without ext_proc. Any other call is left as it came, for ext_proc.
--
-- A call is plain if it is JSON beyond doubt, names a model of the table, and has none of the words by which bodies say more
-- than that. Each `return` before the last line is a doubt. docs/adr/0026-plain-calls-take-a-native-path.md
--
-- Before these lines stand IS_TRACED, CALLERS (name of one who may use all models -> true; nil: no keys are asked for), and
-- MODELS, the table as text.

local byte, find, gmatch, match, sub = string.byte, string.find, string.gmatch, string.match, string.sub

local MAX_BYTES = 65536 -- Beyond, ext_proc reads JSON faster than this does.
local MAX_DEPTH = 64
local NAMESPACE = "plano"
local HEX16 = string.rep("[0-9a-f]", 16)
local TRACE_ID = "^" .. HEX16 .. HEX16 .. "$"
local TRACEPARENT = "^00%-(" .. HEX16 .. HEX16 .. ")%-(" .. HEX16 .. ")%-[0-9a-f][0-9a-f]$"

local QUOTE, BACKSLASH, COMMA, COLON = byte('"'), byte("\\"), byte(","), byte(":")
local OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = byte("{"), byte("}"), byte("["), byte("]")
local TRUE = byte("t")
local WORDS = { [TRUE] = "true", [byte("f")] = "false", [byte("n")] = "null" }

-- The functions that read JSON take where something begins, and return the place behind it; nil where it is not sure.
local read_value

local function skip_space(text, at)
  local first = byte(text, at)
  if first and first <= 32 then
    local _, last = find(text, "^[ \t\r\n]*", at)
    return last + 1
  end
  return at
end

local function read_string(text, at)
  at = at + 1
  while true do
    local _, last = find(text, '^[^"\\%c]*', at)
    local next = byte(text, last + 1)
    if next == QUOTE then
      return last + 2
    end
    local escape = next == BACKSLASH and match(text, '^["\\/bfnrtu]', last + 2)
    -- An escaped surrogate may be half a character.
    if not escape or escape == "u" and (not find(text, "^%x%x%x%x", last + 3) or find(text, "^[dD][89a-fA-F]", last + 3)) then
      return nil
    end
    at = last + 3
  end
end

local function read_number(text, at)
  local _, last = find(text, "^%-?%d+", at)
  if not last or find(text, "^%-?0%d", at) then
    return nil
  end
  local _, fraction = find(text, "^%.%d+", last + 1)
  return (fraction or last) + 1
end

-- Returns where the next item of an object or array begins; after the last one nil, and the place behind the whole.
local function after_item(text, at, close)
  at = skip_space(text, at)
  local next = byte(text, at)
  if next == COMMA then
    return skip_space(text, at + 1)
  end
  return nil, next == close and at + 1 or nil
end

-- `found` collects the members of the outermost object: name -> where its value begins, and "name " -> where it ends.
local function read_object(text, at, depth, found)
  at = skip_space(text, at + 1)
  if byte(text, at) == CLOSE_OBJECT then
    return at + 1
  end
  while byte(text, at) == QUOTE do
    local after_name = read_string(text, at)
    local colon = after_name and skip_space(text, after_name)
    if not colon or byte(text, colon) ~= COLON then
      return nil
    end
    local from = skip_space(text, colon + 1)
    local to = read_value(text, from, depth)
    if not to then
      return nil
    end
    if found then
      local name = sub(text, at + 1, after_name - 2)
      if found[name] or find(name, "\\", 1, true) then
        return nil
      end
      found[name], found[name .. " "] = from, to
    end
    local following, ended = after_item(text, to, CLOSE_OBJECT)
    if not following then
      return ended
    end
    at = following
  end
end

local function read_array(text, at, depth)
  at = skip_space(text, at + 1)
  if byte(text, at) == CLOSE_ARRAY then
    return at + 1
  end
  while true do
    local to = read_value(text, at, depth)
    if not to then
      return nil
    end
    local following, ended = after_item(text, to, CLOSE_ARRAY)
    if not following then
      return ended
    end
    at = following
  end
end

function read_value(text, at, depth)
  local first = byte(text, at)
  if first == QUOTE then
    return read_string(text, at)
  elseif first == OPEN_OBJECT or first == OPEN_ARRAY then
    if depth == MAX_DEPTH then
      return nil
    end
    return (first == OPEN_OBJECT and read_object or read_array)(text, at, depth + 1)
  end
  local word = WORDS[first]
  if word then
    return sub(text, at, at + #word - 1) == word and at + #word or nil
  end
  return read_number(text, at)
end

local function is_utf8(text)
  local at = find(text, "[\128-\255]") or #text + 1
  while at <= #text do
    local lead = byte(text, at)
    if lead < 128 then
      at = at + 1
    elseif lead < 194 or lead > 244 then
      return false
    else
      -- Some leads bound the byte after them: a character must not be longer than it need be, nor half of a surrogate pair.
      local low = lead == 224 and 160 or lead == 240 and 144 or 128
      local high = lead == 237 and 159 or lead == 244 and 143 or 191
      local last = at + (lead < 224 and 1 or lead < 240 and 2 or 3)
      for place = at + 1, last do
        local following = byte(text, place)
        if not following or following < low or following > high then
          return false
        end
        low, high = 128, 191
      end
      at = last + 1
    end
  end
  return true
end

-- Returns the members of a body, if that is an object.
local function read_body(text)
  local at, found = skip_space(text, 1), {}
  local to = byte(text, at) == OPEN_OBJECT and read_object(text, at, 1, found)
  return to and skip_space(text, to) > #text and is_utf8(text) and found or nil
end

-- Path of an API -> what clients write as `model` -> where it goes, and as what.
local MODELS_BY_PATH = {}
for line in gmatch(MODELS, "[^\n]+") do
  local value = gmatch(line .. "|", "([^|]*)|")
  local path, name = value(), value()
  local entry = {
    route = value(), api = value(), path = value(), upstream = value(), entry = value(), decision = value(), words = {}
  }
  for word in value do
    table.insert(entry.words, word)
  end
  MODELS_BY_PATH[path] = MODELS_BY_PATH[path] or {}
  MODELS_BY_PATH[path][name] = entry
end

-- Returns the entry of a model, and what its provider calls the model; nil where there is none, or ext_proc is to be asked.
local function resolve(models, model)
  local entry = models[model]
  if entry and entry.route == "" then
    return nil
  elseif entry and entry.upstream ~= "" then
    return entry, entry.upstream
  end
  local provider, id = match(model, "^([^/]+)/([!-~]+)$")
  if not provider or #id > 200 or find("/" .. id .. "/", "/%.%.?/") then
    return nil
  end
  return models[provider .. "/*"], id
end

-- Returns what a request carries on of a trace, or a trace that has the request's id; nil where ext_proc has to look.
local function traceparent(headers)
  local given = headers:get("traceparent")
  local id = given or headers:get("x-request-id") or ""
  local trace, span = match(id, TRACEPARENT)
  if not given then
    id = string.gsub(id, "-", "")
    trace, span = match(id, TRACE_ID), sub(id, 17)
    given = trace and "00-" .. id .. "-" .. span .. "-01"
  end
  return trace and find(trace, "[^0]") and find(span, "[^0]") and given
end

-- Returns where a plain call goes, the model that it names, what its provider calls that, and where the body names it.
local function recognise(models, text, found)
  local from = found and not found.routing_preferences and found.model
  local model = from and match(sub(text, from, found["model "] - 1), '^"([^"\\]+)"$')
  if not model then
    return nil
  end
  local entry, upstream = resolve(models, model)
  for _, word in ipairs(entry and entry.words or {}) do
    if find(text, word, 1, true) then
      return nil
    end
  end
  return entry, model, upstream, from
end

-- Envoy holds a body here within the connection's buffer, and answers 413 beyond: only ext_proc may wait for one that is long,
-- compressed, or of unknown length.
local function is_short(headers)
  local length = tonumber(headers:get("x-plano-length") or "")
  return length and length <= MAX_BYTES
end

local function is_restricted(headers)
  return CALLERS and not CALLERS[headers:get("x-plano-caller") or ""]
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local models = MODELS_BY_PATH[headers:get(":path")]
  if not models or not is_short(headers) or headers:get("tracestate") or is_restricted(headers) then
    return
  end
  local trace = IS_TRACED or traceparent(headers)
  local body = trace and handle:body()
  if not body then
    return
  end
  local text = body:getBytes(0, body:length())
  local found = read_body(text)
  local entry, model, upstream, from = recognise(models, text, found)
  if not entry then
    return
  end
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set(NAMESPACE, "api", entry.api)
  metadata:set(NAMESPACE, "decision", entry.decision)
  metadata:set(NAMESPACE, "entry", entry.entry)
  metadata:set(NAMESPACE, "expects", found.stream and byte(text, found.stream) == TRUE and "events" or "json")
  metadata:set(NAMESPACE, "model", entry.upstream == "" and model or entry.entry)
  metadata:set(NAMESPACE, "path", entry.path)
  metadata:set(NAMESPACE, "route", entry.route)
  if upstream ~= model then
    text = sub(text, 1, from) .. upstream .. sub(text, from + #model + 1)
    body:setBytes(text)
  end
  headers = handle:headers() -- Those from before the body came may not be used any more.
  if not IS_TRACED then
    headers:replace("traceparent", trace)
  end
  headers:replace("content-length", tostring(#text))
  headers:replace("x-plano-route", entry.route)
end
