package trace

import (
	"slices"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// landing is where a value is to be read.
func (c change) landing(encoding string) Landing {
	return Landing{c.Object, c.Path, place(c.Object, c.steps), encoding}
}

// derived is where something made of a value is. In a Secret it is as good as
// the value.
func (c change) derived() Landing {
	landing := c.landing(derived)
	if landing.How != Secret {
		landing.How = Checksum
	}
	return landing
}

func isSecret(id chart.ID, steps []string) bool {
	return id.Kind == "Secret" && id.APIVersion == "v1" && len(steps) == 2 && (steps[0] == "data" || steps[0] == "stringData")
}

// place is the kind of a place.
func place(id chart.ID, steps []string) How {
	// from is a step counted from the end.
	from := func(n int) string {
		if n > len(steps) {
			return ""
		}
		return steps[len(steps)-n]
	}
	switch {
	case isSecret(id, steps):
		return Secret
	case id.Kind == "ConfigMap" && len(steps) > 1 && (steps[0] == "data" || steps[0] == "binaryData"):
		return ConfigMap
	case from(1) == "value" && from(3) == "env":
		return Variable
	case from(2) == "args", from(2) == "command":
		return Argument
	case from(2) == "annotations":
		return Annotation
	case slices.Contains([]string{"labels", "matchLabels", "selector"}, from(2)):
		return Label
	}
	return Other
}
