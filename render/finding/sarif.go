package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// Tool is the program that looks for findings, as code scanning shows it.
type Tool struct {
	Name, Version, URL string
	// Rules is all that the program looks for. A scanner knows by them a
	// rule that found nothing from one that is gone.
	Rules []Rule
}

// Rule is one thing that is looked for: the findings of its ID are its own.
type Rule struct {
	ID         string
	Severity   Severity
	Title, Why string
	Fix, Page  string // what to do; all that there is to know, as Markdown
	Source     string // a page that the rule is from
}

// Log is a report as SARIF 2.1.0, for encoding/json to write
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type Log struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifRule struct {
	ID                   string         `json:"id"`
	ShortDescription     sarifText      `json:"shortDescription"`
	FullDescription      sarifText      `json:"fullDescription"`
	HelpURI              string         `json:"helpUri"`
	Help                 sarifText      `json:"help"`
	DefaultConfiguration sarifRuleLevel `json:"defaultConfiguration"`
}

type sarifRuleLevel struct {
	Level string `json:"level"`
}

type sarifResult struct {
	RuleID              string             `json:"ruleId"`
	RuleIndex           int                `json:"ruleIndex"` // -1 for none
	Level               string             `json:"level"`
	Message             sarifText          `json:"message"`
	Locations           []sarifLocation    `json:"locations"`
	PartialFingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions        []sarifSuppression `json:"suppressions"`
}

type sarifLocation struct {
	// PhysicalLocation is always there: GitHub refuses a result without one.
	PhysicalLocation sarifPhysical  `json:"physicalLocation"`
	LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI       string `json:"uri"`
	URIBaseID string `json:"uriBaseId"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification"`
}

// SARIF formats a report for code scanning, with the rules of the tool.
func SARIF(r Report, tool Tool, locate Locate) Log {
	driver := sarifDriver{Name: tool.Name, Version: tool.Version, InformationURI: tool.URL, Rules: []sarifRule{}}
	index := map[string]int{}
	for i, rule := range tool.Rules {
		index[rule.ID] = i
		driver.Rules = append(driver.Rules, sarifRule{
			ID: rule.ID, ShortDescription: sarifText{Text: rule.Title}, FullDescription: sarifText{Text: rule.Why}, HelpURI: rule.Source,
			Help: sarifText{Text: rule.Fix, Markdown: rule.Page}, DefaultConfiguration: sarifRuleLevel{toLevel(rule.Severity)},
		})
	}
	results := []sarifResult{}
	for _, f := range slices.Concat(r.Findings, r.Ignored) {
		result := toResult(f, locate)
		if i, known := index[f.ID]; known {
			result.RuleIndex = i
		}
		results = append(results, result)
	}
	return Log{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{{sarifTool{driver}, results}}}
}

func toResult(f Finding, locate Locate) sarifResult {
	result := sarifResult{
		RuleID: f.ID, RuleIndex: -1, Level: toLevel(f.Severity), Message: sarifText{Text: describe(f) + prepend(". ", titleFix(f))},
		PartialFingerprints: map[string]string{"pmGitopsFinding/v1": fingerprint(f)}, Suppressions: []sarifSuppression{},
	}
	location := sarifLocation{PhysicalLocation: sarifPhysical{ArtifactLocation: sarifArtifact{(&url.URL{Path: orStandardInput(locate(f.File))}).EscapedPath(), "%SRCROOT%"}}}
	if f.Line > 0 {
		location.PhysicalLocation.Region = &sarifRegion{f.Line, f.Column}
	}
	if f.Object != nil {
		name := strings.Join([]string{f.Environment, f.Release, f.Object.Kind, f.Object.Namespace, f.Object.Name}, "/")
		location.LogicalLocations = []sarifLogical{{name, "resource"}}
	}
	result.Locations = []sarifLocation{location}
	if f.Ignored != "" {
		result.Suppressions = append(result.Suppressions, sarifSuppression{"external", f.Ignored})
	}
	return result
}

func toLevel(s Severity) string {
	if s == Info {
		return "note"
	}
	return string(s)
}

// fingerprint makes of a finding what stays the same when lines move.
func fingerprint(f Finding) string {
	parts := []string{f.ID, f.Environment, f.Release, f.Source, f.Field}
	if f.Object != nil {
		parts = append(parts, f.Object.Kind, f.Object.Namespace, f.Object.Name)
	} else {
		parts = append(parts, f.Setting, f.Message)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
