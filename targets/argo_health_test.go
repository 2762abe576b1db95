package targets_test

import (
	"testing"

	lua "github.com/yuin/gopher-lua"
	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/templates"
)

// TestArgoHealth runs the health check over what Argo CD says of a child
// Application. The order is that of a life: only a child that is Synced and
// Healthy with today's spec, and at rest, opens the next wave.
func TestArgoHealth(t *testing.T) {
	const (
		spec     = "spec: {source: {repoURL: r.io/charts, chart: c, targetRevision: 1.2.0, helm: {releaseName: c, valuesObject: {a: 1, b: [x, {y: 0.5}], c: {}}}}}\n"
		old      = "comparedTo: {source: {repoURL: r.io/charts, chart: c, targetRevision: 1.1.0, helm: {releaseName: c, valuesObject: {a: 1, b: [x, {y: 0.5}], c: {}}}}}"
		source   = "source: {chart: c, helm: {valuesObject: {c: {}, b: [x, {y: 0.5}], a: 1}, releaseName: c}, targetRevision: 1.2.0, repoURL: r.io/charts}"
		compared = "comparedTo: {destination: {server: here}, " + source + "}"
		synced   = spec + "status: {health: {status: Healthy}, sync: {status: Synced, " + compared + "}"
	)
	tests := []struct{ name, object, want, message string }{
		{"no spec", "metadata: {}", "Progressing", "waiting for Argo CD to observe this Application"},
		{"fresh", spec, "Progressing", "waiting for Argo CD to observe this Application"},
		{"empty status", spec + "status: {}", "Progressing", "waiting for Argo CD to observe this Application"},
		{"no health", spec + "status: {sync: {status: Synced, " + compared + "}}", "Progressing", "waiting for Argo CD to observe this Application"},
		{"no sync", spec + "status: {health: {status: Healthy}}", "Progressing", "waiting for Argo CD to observe this Application"},
		{"compared with nothing", spec + "status: {health: {status: Healthy}, sync: {status: Synced}}", "Progressing", "the status belongs to an older spec"},
		{"older version", spec + "status: {health: {status: Healthy}, sync: {status: Synced, " + old + "}}", "Progressing", "the status belongs to an older spec"},
		{"older value", spec + "status: {health: {status: Healthy}, sync: {status: Synced, comparedTo: {source: {repoURL: r.io/charts, chart: c, targetRevision: 1.2.0, helm: {releaseName: c, valuesObject: {a: 1, b: [x, {y: 0.6}], c: {}}}}}}}", "Progressing", "the status belongs to an older spec"},
		{"a value taken away", spec + "status: {health: {status: Healthy}, sync: {status: Synced, comparedTo: {source: {repoURL: r.io/charts, chart: c, targetRevision: 1.2.0, helm: {releaseName: c, valuesObject: {a: 1, b: [x, {y: 0.5}], c: {}, d: 1}}}}}}", "Progressing", "the status belongs to an older spec"},
		{"older sources", "spec: {sources: [{repoURL: a}, {repoURL: b}]}\nstatus: {health: {status: Healthy}, sync: {status: Synced, comparedTo: {sources: [{repoURL: a}]}}}", "Progressing", "the status belongs to an older spec"},
		{"sources", "spec: {sources: [{repoURL: a}, {repoURL: b}]}\nstatus: {health: {status: Healthy}, sync: {status: Synced, comparedTo: {sources: [{repoURL: a}, {repoURL: b}]}}}", "Healthy", ""},
		{"sync requested", synced + "}\noperation: {sync: {revision: 1.2.0}}", "Progressing", "a sync is about to start"},
		{"sync requested after one that failed", synced + ", operationState: {phase: Failed, syncResult: {" + source + "}}}\noperation: {sync: {revision: 1.2.0}}", "Progressing", "a sync is about to start"},
		{"running", synced + ", operationState: {phase: Running}}\noperation: {sync: {}}", "Progressing", "sync operation Running"},
		{"terminating", synced + ", operationState: {phase: Terminating}}\noperation: {sync: {}}", "Progressing", "sync operation Terminating"},
		{"waits to be tried again", synced + ", operationState: {phase: Running, retryCount: 1, finishedAt: 2026-01-01T00:00:00Z, message: job failed}}\noperation: {sync: {}}", "Degraded", "job failed"},
		{"tried again", synced + ", operationState: {phase: Running, retryCount: 1, message: job failed}}\noperation: {sync: {}}", "Progressing", "sync operation Running"},
		{"failed", synced + ", operationState: {phase: Failed, message: job failed, syncResult: {" + source + "}}}", "Degraded", "job failed"},
		{"error without message", synced + ", operationState: {phase: Error, syncResult: {" + source + "}}}", "Degraded", "the sync failed"},
		{"what failed was taken back", synced + ", operationState: {phase: Failed, syncResult: {source: {repoURL: r.io/charts, targetRevision: 1.3.0}}}}", "Healthy", ""},
		{"chart is not there", spec + "status: {health: {status: Healthy}, sync: {status: Unknown, " + compared + "}, conditions: [{type: SyncError, message: other}, {type: ComparisonError, message: chart not found}]}", "Degraded", "chart not found"},
		{"project denies", spec + "status: {health: {status: Unknown}, sync: {status: Unknown, comparedTo: {source: {repoURL: ''}}}, conditions: [{type: InvalidSpecError}]}", "Degraded", "InvalidSpecError"},
		{"out of sync", spec + "status: {health: {status: Healthy}, sync: {status: OutOfSync, " + compared + "}}", "Progressing", "healthy, but OutOfSync"},
		{"sync unknown", spec + "status: {health: {status: Healthy}, sync: {status: Unknown, " + compared + "}}", "Progressing", "healthy, but Unknown"},
		{"sync without status", spec + "status: {health: {status: Healthy}, sync: {" + compared + "}}", "Progressing", "healthy, but of unknown sync status"},
		{"progressing", spec + "status: {health: {status: Progressing, message: rolling out}, sync: {status: Synced, " + compared + "}}", "Progressing", "rolling out"},
		{"degraded", spec + "status: {health: {status: Degraded}, sync: {status: Synced, " + compared + "}}", "Degraded", ""},
		{"suspended", spec + "status: {health: {status: Suspended}, sync: {status: Synced, " + compared + "}}", "Suspended", ""},
		{"missing", spec + "status: {health: {status: Missing}, sync: {status: OutOfSync, " + compared + "}}", "Missing", ""},
		{"health without status", spec + "status: {health: {}, sync: {status: Synced, " + compared + "}}", "Unknown", ""},
		{"healthy and synced", synced + "}", "Healthy", ""},
		{"after a sync", synced + ", operationState: {phase: Succeeded, finishedAt: 2026-01-01T00:00:00Z, syncResult: {" + source + "}}}", "Healthy", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if status, message := argoHealth(t, tt.object); status != tt.want || message != tt.message {
				t.Errorf("health = %s %q, want %s %q", status, message, tt.want, tt.message)
			}
		})
	}
}

// argoHealth runs the health check as Argo CD does, with its libraries: no
// string and no math (util/lua/lua.go in argo-cd).
func argoHealth(t *testing.T, object string) (status, message string) {
	t.Helper()
	vm := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer vm.Close()
	safeOS := func(l *lua.LState) int {
		none := func(*lua.LState) int { return 0 }
		l.Push(l.RegisterModule(lua.OsLibName, map[string]lua.LGFunction{"time": none, "date": none}))
		return 1
	}
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.OsLibName: safeOS} {
		if err := vm.CallByParam(lua.P{Fn: vm.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	var decoded map[string]any
	if err := yaml.Unmarshal([]byte(object), &decoded); err != nil {
		t.Fatal(err)
	}
	vm.SetGlobal("obj", luaValue(vm, decoded))
	if err := vm.DoString(templates.ArgoHealth); err != nil {
		t.Fatal(err)
	}
	result, ok := vm.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the check returns %s, want a table", vm.Get(-1))
	}
	return result.RawGetString("status").String(), result.RawGetString("message").String()
}

func luaValue(vm *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := vm.NewTable()
		for key, item := range value {
			table.RawSetString(key, luaValue(vm, item))
		}
		return table
	case []any:
		table := vm.NewTable()
		for _, item := range value {
			table.Append(luaValue(vm, item))
		}
		return table
	case int:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case bool:
		return lua.LBool(value)
	case string:
		return lua.LString(value)
	}
	return lua.LString("other")
}
