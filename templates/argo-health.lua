-- The health of an Application in the eyes of the Application above it. Argo
-- CD has had none since 1.8, and sync waves between Applications wait for
-- nothing then; the usual few lines that copy status.health read a verdict
-- that may belong to an older spec, and open the next wave too early
-- (https://github.com/argoproj/argo-cd/issues/5585). This holds the wave until
-- the child's status belongs to its spec, nothing runs, and it is Synced. What
-- failed is Degraded, also while it waits to be tried again: the sync above
-- ends then, and a newer commit gets its turn.
local function same(a, b)
  if type(a) ~= type(b) then return false end
  if type(a) ~= "table" then return a == b end
  for k, v in pairs(a) do
    if not same(v, b[k]) then return false end
  end
  for k, _ in pairs(b) do
    if a[k] == nil then return false end
  end
  return true
end

local function health(status, message)
  return { status = status, message = message }
end

local spec, status = obj.spec, obj.status
if spec == nil or status == nil or status.health == nil or status.sync == nil then
  return health("Progressing", "waiting for Argo CD to observe this Application")
end

if status.sync.status == "Unknown" then
  for _, condition in ipairs(status.conditions or {}) do
    if condition.type == "ComparisonError" or condition.type == "InvalidSpecError" then
      return health("Degraded", condition.message or condition.type)
    end
  end
end

-- ours reports whether a comparison or a sync was made with today's spec.
local function ours(with)
  return with ~= nil
    and (spec.source == nil or same(spec.source, with.source))
    and (spec.sources == nil or same(spec.sources, with.sources))
end

if not ours(status.sync.comparedTo) then
  return health("Progressing", "the status belongs to an older spec")
end

local operation = status.operationState or {}
local failed = operation.phase == "Failed" or operation.phase == "Error"
if operation.phase == "Running" and operation.finishedAt ~= nil
  or failed and obj.operation == nil and ours(operation.syncResult) then
  return health("Degraded", operation.message or "the sync failed")
end
if operation.phase == "Running" or operation.phase == "Terminating" then
  return health("Progressing", "sync operation " .. operation.phase)
end
if obj.operation ~= nil then
  return health("Progressing", "a sync is about to start")
end

if status.health.status == "Healthy" and status.sync.status ~= "Synced" then
  return health("Progressing", "healthy, but " .. (status.sync.status or "of unknown sync status"))
end

return health(status.health.status or "Unknown", status.health.message or "")
