package mirror

import (
	"errors"
	"fmt"
	"strings"
)

// collisions refuses different sources for one target: repositories, or digests of
// one repository.
func (m *Mirror) collisions() error {
	var all []error
	first := map[string]*artifact{}
	for _, one := range m.copies {
		other := first[one.Target]
		if other == nil || one.Target == "" {
			first[one.Target] = one
			continue
		}
		if other.from.repository != one.from.repository || other.pinned != "" && one.pinned != "" && other.pinned != one.pinned {
			all = append(all, collision(other, one, ""))
		}
	}
	return errors.Join(all...)
}

func collision(a, b *artifact, why string) error {
	return fmt.Errorf("%s would be the copy of both %s (%s) and %s (%s)%s: nothing is copied", a.Target, a.Source, a.users(), b.Source, b.users(), why)
}

// users names the environments that need an artifact.
func (a *artifact) users() string {
	if len(a.Environments) == 1 {
		return "environment " + a.Environments[0]
	}
	return "environments " + strings.Join(a.Environments, ", ")
}

// moved refuses two references of one repository that became two digests and would
// be one target.
func (m *Mirror) moved(roots []*document) error {
	var all []error
	first := map[string]int{}
	for i, root := range roots {
		if root == nil || m.copies[i].Target == "" {
			continue
		}
		other, there := first[m.copies[i].Target]
		if !there {
			first[m.copies[i].Target] = i
		} else if roots[other].digest != root.digest {
			all = append(all, collision(m.copies[other], m.copies[i], fmt.Sprintf(", which are %s and %s", roots[other].digest, root.digest)))
		}
	}
	return errors.Join(all...)
}
