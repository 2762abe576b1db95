package ref

import (
	"regexp"
	"strings"
	"sync"
)

// The grammar, in expressions that Go and JSON Schema read alike.
const (
	label      = `[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?`
	port       = `:[0-9]{1,5}`
	localhost  = `[lL][oO][cC][aA][lL][hH][oO][sS][tT]`
	host       = `((` + label + `(\.` + label + `)+|\[[0-9a-fA-F]*(:[0-9a-fA-F]*){2,7}\]|` + localhost + `)(` + port + `)?|` + label + port + `)`
	component  = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
	repository = component + `(/` + component + `)*`

	// TagPattern is the grammar of a tag.
	TagPattern = `^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`
	// ChartDigest is the grammar of a digest that pins a chart: charts are
	// verified and cached by sha256 only.
	ChartDigest = `sha256:[0-9a-f]{64}`
	// FolderPattern is the grammar of a place in a registry: a host, with or
	// without a repository.
	FolderPattern = `^` + host + `(/` + repository + `)?$`
	// ChartPattern is the grammar of a chart without version.
	ChartPattern = `^oci://` + host + `/` + repository + `$`
)

const (
	maxHost       = 255 // of a name in DNS
	maxRepository = 255
)

// Expressions are compiled when they are first needed: many commands look at no
// reference.
var (
	hostForm       = lazily(`^` + host + `$`)
	repositoryForm = lazily(`^` + repository + `$`)
	tagForm        = lazily(TagPattern)
	digestForm     = lazily(`^(` + ChartDigest + `|sha512:[0-9a-f]{128})$`)
	chartForm      = lazily(`^` + ChartDigest + `$`)
)

func lazily(form string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(form) })
}

// IsHost reports whether a text is a registry's host, with or without a port.
// Letters may be upper or lower case. A name without dot and port is none, but
// for localhost: container runtimes and Flux take it for a path at Docker Hub.
func IsHost(text string) bool { return len(text) <= maxHost && hostForm().MatchString(text) }

// IsRepository reports whether a text is what follows the host, without tag.
func IsRepository(text string) bool {
	return len(text) <= maxRepository && repositoryForm().MatchString(text)
}

// IsFolder reports whether a text is a host, or a host and a repository.
func IsFolder(text string) bool {
	host, repository, deeper := strings.Cut(text, "/")
	return IsHost(host) && (!deeper || IsRepository(repository))
}

// IsTag reports whether a registry can have a tag of the name.
func IsTag(text string) bool { return tagForm().MatchString(text) }

// IsDigest reports whether a text is a digest of a registered algorithm
// (https://github.com/opencontainers/image-spec/blob/main/descriptor.md#registered-algorithms).
func IsDigest(text string) bool { return digestForm().MatchString(text) }

// IsChartDigest reports whether a text is a digest that can pin a chart.
func IsChartDigest(text string) bool { return chartForm().MatchString(text) }
