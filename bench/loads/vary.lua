-- Every request asks for another item in another session: what a proxy remembers of the last
-- thousands of heads as a whole does not help it, as it would not with real clients.
local many, at, heads = 5000, 0, {}

function init()
  for number = 1, many do
    wrk.headers["X-Request-Id"] = string.format("%032x", number)
    heads[number] = wrk.format("GET", "/shop/cart?item=" .. number)
  end
end

function request()
  at = at % many + 1
  return heads[at]
end
