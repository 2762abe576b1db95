// Package clustertest is for tests: an API server of Kubernetes, as far as
// reading goes, over objects that are written down as YAML.
package clustertest

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Token is the login that a server takes.
const Token = "canary-token"

// Server is an API server. Close it.
type Server struct {
	*httptest.Server
	// Objects is what is there for a request, its method and path with the query. An Answer among them, with resource and
	// code, is what a request for that resource gets instead; the text of log in
	// a Pod is its log. Kinds with a dot in their group are known if there is
	// an object of the group.
	Objects func(request string) []unstructured.Unstructured

	mu       sync.Mutex
	requests []string
}

// New starts a server over what objects gives for each request.
func New(objects func(request string) []unstructured.Unstructured) *Server {
	s := &Server{Objects: objects}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	return s
}

// Requests is every request so far, method and path with its query.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Kubeconfig writes a kubeconfig whose contexts lead to servers.
func Kubeconfig(file string, contexts map[string]*Server) error {
	config := map[string]any{"apiVersion": "v1", "kind": "Config", "users": []any{map[string]any{"name": "user", "user": map[string]any{"token": Token}}}}
	var clusters, all []any
	for _, name := range slices.Sorted(maps.Keys(contexts)) {
		clusters = append(clusters, map[string]any{"name": name, "cluster": map[string]any{"server": contexts[name].URL, "certificate-authority-data": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: contexts[name].Certificate().Raw})}})
		all = append(all, map[string]any{"name": name, "context": map[string]any{"cluster": name, "user": "user"}})
		if config["current-context"] == nil {
			config["current-context"] = name
		}
	}
	config["clusters"], config["contexts"] = clusters, all
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return fmt.Errorf("write a kubeconfig: %w", err)
	}
	return os.WriteFile(file, data, 0o600)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	request := r.Method + " " + r.URL.String()
	s.mu.Lock()
	s.requests = append(s.requests, request)
	s.mu.Unlock()
	objects := s.Objects(request)
	asked, ok := parse(r.URL.Path)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+Token:
		status(w, http.StatusUnauthorized, "Unauthorized")
	case r.Method == http.MethodGet && discover(w, objects, r.URL.Path):
	case !ok || r.Method != http.MethodGet:
		status(w, http.StatusMethodNotAllowed, "this server is read")
	case answered(objects, asked) != 0:
		code := answered(objects, asked)
		status(w, code, fmt.Sprintf("%s is forbidden: User %q cannot list resource %q", asked.resource, "user", asked.resource))
	case asked.name != "":
		log(w, r, objects, asked)
	default:
		list(w, r, objects, asked)
	}
}

// discover answers requests for discovery, where an object of kind Capabilities,
// a file that the program recorded, says what there is to know; down among its
// API versions are those that do not answer. It reports whether it answered.
func discover(w http.ResponseWriter, objects []unstructured.Unstructured, path string) bool {
	i := slices.IndexFunc(objects, func(o unstructured.Unstructured) bool { return o.GetKind() == "Capabilities" })
	if i < 0 {
		return false
	}
	said := objects[i].Object
	listed, _, _ := unstructured.NestedSlice(said, "apis")
	groups := map[string][]any{}
	for _, one := range listed {
		api, _ := one.(map[string]any)
		gv, _ := schema.ParseGroupVersion(fmt.Sprint(api["apiVersion"]))
		groups[gv.Group] = append(groups[gv.Group], map[string]any{"groupVersion": gv.String(), "version": gv.Version})
		if at := "/apis/" + gv.String(); at == path || gv.Group == "" && path == "/api/"+gv.Version {
			if api["down"] == true {
				status(w, http.StatusServiceUnavailable, "the server is currently unable to handle the request")
				return true
			}
			answer(w, http.StatusOK, map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv.String(), "resources": resources(api)})
			return true
		}
	}
	switch path {
	case "/version":
		answer(w, http.StatusOK, map[string]any{"major": "1", "minor": "33", "gitVersion": said["kubeVersion"]})
	case "/api":
		answer(w, http.StatusOK, map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
	case "/apis":
		var all []any
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(groups))) {
			if name != "" {
				all = append(all, map[string]any{"name": name, "versions": groups[name], "preferredVersion": groups[name][0]})
			}
		}
		answer(w, http.StatusOK, map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": all})
	default:
		return false
	}
	return true
}

// resources is those of an API version, in no order that means anything.
func resources(api map[string]any) []any {
	all := []any{}
	for field, verbs := range map[string][]string{"kinds": {"get", "list", "watch"}, "unlisted": {"create"}} {
		kinds, _, _ := unstructured.NestedStringSlice(api, field)
		for _, kind := range kinds {
			all = append(all, map[string]any{"name": plural(kind), "kind": kind, "verbs": verbs})
		}
	}
	return all
}

// path is what a request is about.
type path struct{ group, version, namespace, resource, name string }

// parse reads /api/v1/namespaces/NS/RESOURCE[/NAME/log] and its like with groups.
func parse(text string) (path, bool) {
	parts := strings.Split(strings.TrimPrefix(text, "/"), "/")
	p := path{}
	switch {
	case len(parts) > 1 && parts[0] == "api":
		p.version, parts = parts[1], parts[2:]
	case len(parts) > 2 && parts[0] == "apis":
		p.group, p.version, parts = parts[1], parts[2], parts[3:]
	}
	if len(parts) < 3 || parts[0] != "namespaces" {
		return p, false
	}
	p.namespace, p.resource, parts = parts[1], parts[2], parts[3:]
	if len(parts) == 2 && parts[1] == "log" {
		p.name, p.resource = parts[0], p.resource+"/log"
		return p, true
	}
	return p, len(parts) == 0
}

// answered is the code that a resource is refused with, 0 if it is not.
func answered(objects []unstructured.Unstructured, asked path) int {
	for _, object := range objects {
		resource, _, _ := unstructured.NestedString(object.Object, "resource")
		code, _, _ := unstructured.NestedInt64(object.Object, "code")
		if object.GetKind() == "Answer" && resource == asked.resource {
			return int(code)
		}
	}
	return 0
}

func list(w http.ResponseWriter, r *http.Request, objects []unstructured.Unstructured, asked path) {
	known := !strings.Contains(asked.group, ".")
	items := []any{}
	for _, object := range objects {
		gv, _ := schema.ParseGroupVersion(object.GetAPIVersion())
		if gv.Group != asked.group || gv.Version != asked.version {
			continue
		}
		known = true
		if plural(object.GetKind()) == asked.resource && object.GetNamespace() == asked.namespace && selected(object, r.URL.Query().Get("fieldSelector")) {
			items = append(items, object.Object)
		}
	}
	if !known {
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	// A page at a time, as servers do.
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	metadata := map[string]any{"resourceVersion": "1"}
	const page = 3
	if from+page < len(items) {
		metadata["continue"] = strconv.Itoa(from + page)
	}
	answer(w, http.StatusOK, map[string]any{"apiVersion": strings.TrimPrefix(asked.group+"/"+asked.version, "/"), "kind": "List", "metadata": metadata, "items": items[from:min(from+page, len(items))]})
}

func selected(object unstructured.Unstructured, fields string) bool {
	field, value, _ := strings.Cut(fields, "=")
	got, _, _ := unstructured.NestedString(object.Object, strings.Split(field, ".")...)
	return fields == "" || got == value
}

func plural(kind string) string {
	name := strings.ToLower(kind)
	if stem, ok := strings.CutSuffix(name, "y"); ok {
		return stem + "ies"
	}
	return name + "s"
}

func log(w http.ResponseWriter, r *http.Request, objects []unstructured.Unstructured, asked path) {
	for _, object := range objects {
		text, ok, _ := unstructured.NestedString(object.Object, "log")
		if object.GetKind() != "Pod" || object.GetName() != asked.name || object.GetNamespace() != asked.namespace || !ok {
			continue
		}
		lines := strings.SplitAfter(text, "\n")
		if n, err := strconv.Atoi(r.URL.Query().Get("tailLines")); err == nil {
			lines = lines[max(len(lines)-1-n, 0):]
		}
		fmt.Fprint(w, strings.Join(lines, ""))
		return
	}
	status(w, http.StatusBadRequest, fmt.Sprintf("container %q in pod %q is waiting to start: ContainerCreating", r.URL.Query().Get("container"), asked.name))
}

// reasons is the reasons of the codes that clients tell apart.
var reasons = map[int]string{http.StatusForbidden: "Forbidden", http.StatusUnauthorized: "Unauthorized", http.StatusServiceUnavailable: "ServiceUnavailable", http.StatusInternalServerError: "InternalError"}

func status(w http.ResponseWriter, code int, message string) {
	answer(w, code, map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": reasons[code], "code": code, "message": message})
}

func answer(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(value)
}
