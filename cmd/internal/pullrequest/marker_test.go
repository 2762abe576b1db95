package pullrequest

import (
	"strings"
	"testing"
)

func FuzzMarker(f *testing.F) {
	f.Add("sha256:0", "server=2025.10.1 ui=1", "f", "abc", "env/prod,a b", "x")
	f.Add("-->", "<!-- pm-gitops:plan=", "a\nb", "--", ",,%2C", "- [x] "+rebaseBox)
	f.Fuzz(func(t *testing.T, plan, target, fingerprint, commit, labels, text string) {
		m := marker{plan: plan, target: target, fingerprint: fingerprint, commit: commit, frozen: commit, closing: len(text)%2 == 0, merges: len(plan)%2 == 0}
		for label := range strings.SplitSeq(labels, ",") {
			if label != "" {
				m.labels = append(m.labels, label)
			}
		}
		written := m.String()
		if strings.ContainsAny(written, "\r\n") || strings.Count(written, "-->") != 1 || strings.Count(written, "<!--") != 1 {
			t.Fatalf("marker %q", written)
		}
		// Whatever stands before it, in front of people's words, and after a forge's line ends.
		for _, body := range []string{text + "\n\n" + written, text + written + "\r\nby the way", written} {
			got, at, ok := parseMarker(body)
			if !ok || got.String() != written || !strings.HasPrefix(body[at:], written) {
				t.Fatalf("parseMarker(%q) = %+v, %v", body, got, ok)
			}
			if marked := mark(body, marker{plan: "x"}); strings.Replace(marked, (marker{plan: "x"}).String(), written, 1) != body && !strings.Contains(text, "plan=x ") {
				t.Errorf("mark(%q) = %q", body, marked)
			}
		}
		// Text of others is no marker, ticks no box and hides nothing.
		safe := harmless(text)
		if _, _, ok := parseMarker(safe); ok || ticked(safe) || harmless(safe) != safe {
			t.Errorf("harmless(%q) = %q", text, safe)
		}
		if _, _, ok := parseMarker(text); ok && !strings.Contains(text, markerStart) {
			t.Errorf("%q is a marker", text)
		}
	})
}

func TestStrictMarkers(t *testing.T) {
	good := marker{plan: "sha256:1", target: "server=1 ui=2", fingerprint: "f", commit: "c", labels: []string{"a"}}
	if want := "<!-- pm-gitops:plan=sha256:1 target=server=1+ui=2 fingerprint=f commit=c labels=a -->"; good.String() != want {
		t.Fatalf("%s, want %s", good, want)
	}
	for name, change := range map[string][2]string{
		"another order":    {"target=server=1+ui=2 fingerprint=f", "fingerprint=f target=server=1+ui=2"},
		"twice":            {"commit=c", "commit=c commit=c"},
		"unknown":          {"commit=c", "commit=c extra=1"},
		"missing":          {" labels=a", ""},
		"bad escape":       {"fingerprint=f", "fingerprint=%zz"},
		"not escaped":      {"fingerprint=f", "fingerprint=<"},
		"another word":     {"labels=a", "labels=a closing=no"},
		"a line":           {" commit", "\ncommit"},
		"no end":           {" -->", ""},
		"another spelling": {"sha256:1", "sha256%3A1"},
	} {
		body := strings.Replace(good.String(), change[0], change[1], 1)
		if got, _, ok := parseMarker(body); ok {
			t.Errorf("%s: %q is %+v", name, body, got)
		}
	}
}
