// Package page writes pages for reviewers: one HTML file that needs no network and runs no
// script. It has the parts that pages share, and the page of pm-gitops diff. Like package
// render it never touches disk, network, clock or environment variables.
package page

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/templates"
)

// Write fills a template that may use those of [templates.Page] with data. Texts of data
// stay texts, and control characters are written out.
func Write(body string, data any) ([]byte, error) {
	page := template.New("page").Funcs(template.FuncMap{"add": func(a, b int) int { return a + b }})
	for _, part := range []string{templates.Page, body} {
		if _, err := page.Parse(part); err != nil {
			return nil, fmt.Errorf("write an HTML page: %w", err)
		}
	}
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("write an HTML page: %w", err)
	}
	return []byte(text.VisibleLines(out.String())), nil
}
