package cli

import (
	"cmp"
	"errors"
	"fmt"
	"log"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/registry"
)

// chartFlags say where charts come from.
type chartFlags struct {
	dir       string
	cache     string
	caFile    string
	plainHTTP []string
	offline   bool
	tokens    []string // hosts that logins may go to besides their own
}

// place is a flag that names a file or a folder. An empty name is refused, not
// ignored: an unset variable must not change where charts come from.
type place string

func (p *place) String() string { return string(*p) }
func (p *place) Type() string   { return "string" }
func (p *place) Set(name string) error {
	if name == "" {
		return errors.New("it is empty (unset variable?)")
	}
	*p = place(name)
	return nil
}

// hosts is a flag that names a host each time that it is set. A URL is refused: the flag
// would do nothing.
type hosts []string

func (h *hosts) String() string { return strings.Join(*h, ", ") }
func (h *hosts) Type() string   { return "stringArray" }
func (h *hosts) Set(name string) error {
	if name == "" {
		return errors.New("it is empty (unset variable?)")
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(name, "https://"), "http://"), "/")
	if parsed, err := url.Parse("//" + name); err != nil || parsed.Host != name {
		return fmt.Errorf("it is no host: want a name or an address, with the port if there is one, such as %s", cmp.Or(host, "registry.example.com:5000"))
	}
	*h = append(*h, name)
	return nil
}

// asksRegistries reports whether flags say how registries are asked.
func (c chartFlags) asksRegistries() bool {
	return c.offline || c.caFile != "" || c.cache != "" || c.plainHTTP != nil || c.tokens != nil
}

func (a app) addCharts(cmd *cobra.Command, c *chartFlags) {
	flags := cmd.Flags()
	flags.Var((*place)(&c.dir), "chart-dir", "take charts from this `folder` instead of a registry: archives NAME-VERSION.tgz, or folders NAME-VERSION or NAME")
	flags.Var((*place)(&c.cache), "cache-dir", "keep charts from registries in this `folder` (default: pm-gitops in the user's cache folder)")
	flags.Var((*place)(&c.caFile), "ca-file", "`file` with certificates in PEM that registries may be signed by, besides the system's")
	flags.Var((*hosts)(&c.plainHTTP), "plain-http", "registry `host` that may answer without TLS, with its port; may be repeated")
	flags.Var((*hosts)(&c.tokens), "token-service", "`host` of a token service that may get the logins of registries that name it, with its port; may be repeated")
	flags.BoolVar(&c.offline, "offline", false, "ask no registry: take charts from the cache alone")
	_ = cmd.MarkFlagDirname("chart-dir")
	_ = cmd.MarkFlagDirname("cache-dir")
	_ = cmd.MarkFlagFilename("ca-file", "pem", "crt")
}

// optionalCharts are the flags of a command that looks into charts only where
// --charts or --chart-dir asks for it.
type optionalCharts struct {
	chartFlags
	charts bool
}

// addOptionalCharts adds the flags; usage says what --charts is for.
func (a app) addOptionalCharts(cmd *cobra.Command, o *optionalCharts, usage string) {
	a.addCharts(cmd, &o.chartFlags)
	cmd.Flags().BoolVar(&o.charts, "charts", false, usage+", fetched from their registry unless --chart-dir is given")
}

// asksCharts reports whether charts are looked into.
func (o optionalCharts) asksCharts() bool { return o.charts || o.dir != "" }

// checkCharts refuses flags about charts where none are looked into.
func (o optionalCharts) checkCharts() error {
	if !o.asksCharts() && o.asksRegistries() {
		return usageError{errors.New("--offline, --ca-file, --cache-dir and --plain-http need --charts")}
	}
	return nil
}

// logPrefix begins what is logged while charts are looked into: Helm warns there.
const logPrefix = "helm: "

// openCharts opens where the flags say that charts come from.
func (a app) openCharts(flags chartFlags) (charts.Source, error) {
	log.SetPrefix(logPrefix)
	if flags.dir != "" && flags.asksRegistries() {
		return nil, usageError{errors.New("with --chart-dir no registry is asked: leave out --offline, --ca-file, --plain-http, --token-service and --cache-dir")}
	}
	source, err := charts.Open(a.chartOptions(flags))
	return source, hintCache(err)
}

// registry makes the client for registries that the flags ask for.
func (a app) registry(flags chartFlags) (*registry.Client, error) {
	client, err := a.chartOptions(flags).Client()
	return client, hintCache(err)
}

// hintCache says what to do where no flag and no variable names the cache.
func hintCache(err error) error {
	if errors.Is(err, charts.ErrNoCache) {
		return hinted{err, "Name it with --cache-dir."}
	}
	return err
}

func (a app) chartOptions(flags chartFlags) charts.Options {
	return charts.Options{
		Dir:       flags.dir,
		Cache:     flags.cache,
		CAFile:    flags.caFile,
		PlainHTTP: flags.plainHTTP,
		Offline:   flags.offline,
		Tokens:    flags.tokens,
		UserAgent: "pm-gitops/" + a.programVersion,
		Getenv:    a.getenv,
		Now:       a.now,
		Warn:      func(warning string) { a.err.Say("warning: %s", warning) },
	}
}
