-- Posts requests from a file in turn, byte for byte: a line with a request's length, then the request.
local requests, last = {}, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  while true do
    local length = file:read("*n", 1)
    if not length then break end
    requests[#requests + 1] = file:read(length)
  end
  file:close()
end

function request()
  last = last % #requests + 1
  return requests[last]
end
