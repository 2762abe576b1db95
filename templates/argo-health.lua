-- The health of an Application in the eyes of the Application above it. Argo
-- CD has had none since 1.8, and sync waves between Applications wait for
-- nothing then; the usual few lines that copy status.health read a verdict
-- that may belong to an older spec, and open the next wave too early
-- (https://github.com/argoproj/argo-cd/issues/5585). This holds the wave until
-- the child's status belongs to its spec, nothing runs, and it is Synced.
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

local hs = { status = "Progressing", message = "waiting for Argo CD to observe this Application" }
local spec, status = obj.spec, obj.status
if spec == nil or status == nil or status.health == nil or status.sync == nil then return hs end

local compared = status.sync.comparedTo
if compared == nil
  or (spec.source ~= nil and not same(spec.source, compared.source))
  or (spec.sources ~= nil and not same(spec.sources, compared.sources)) then
  hs.message = "the status belongs to an older spec"
  return hs
end

if obj.operation ~= nil then
  hs.message = "a sync is about to start"
  return hs
end

local operation = status.operationState
if operation ~= nil then
  if operation.phase == "Running" or operation.phase == "Terminating" then
    hs.message = "sync operation " .. operation.phase
    return hs
  end
  if operation.phase == "Failed" or operation.phase == "Error" then
    hs.status = "Degraded"
    hs.message = operation.message or "the sync failed"
    return hs
  end
end

if status.health.status == "Healthy" and status.sync.status ~= "Synced" then
  hs.message = "healthy, but " .. (status.sync.status or "of unknown sync status")
  return hs
end

hs.status = status.health.status or "Unknown"
hs.message = status.health.message or ""
return hs
