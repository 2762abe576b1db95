package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// The types of this file are what of SARIF 2.1.0 is written
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type sarifLog struct {
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
	RuleIndex           int                `json:"ruleIndex"`
	Level               string             `json:"level"`
	Message             sarifText          `json:"message"`
	Locations           []sarifLocation    `json:"locations,omitempty"`
	PartialFingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions        []sarifSuppression `json:"suppressions"`
}

type sarifLocation struct {
	PhysicalLocation *sarifPhysical `json:"physicalLocation,omitempty"`
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

// newSARIF is a report for code scanning. All checks are among the rules: that
// way a scanner knows a check that found nothing from one that is gone.
func newSARIF(report checkReport) sarifLog {
	driver := sarifDriver{Name: "pm-gitops", Version: versions().Version, InformationURI: "https://github.com/pm-gitops/pm-gitops"}
	index := map[string]int{}
	for i, c := range check.All() {
		index[c.ID] = i
		driver.Rules = append(driver.Rules, sarifRule{
			ID: c.ID, ShortDescription: sarifText{Text: c.Title}, FullDescription: sarifText{Text: c.Why}, HelpURI: c.Source,
			Help: sarifText{Text: c.Fix, Markdown: c.Page("")}, DefaultConfiguration: sarifRuleLevel{sarifLevel(c.Severity)},
		})
	}
	results := []sarifResult{}
	for _, f := range append(report.Findings[:len(report.Findings):len(report.Findings)], report.Ignored...) {
		results = append(results, sarifOf(f, index[f.ID]))
	}
	return sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{{sarifTool{driver}, results}}}
}

func sarifOf(f finding.Finding, rule int) sarifResult {
	text := f.Message
	if at := strings.TrimSpace(atObject(f)); at != "" {
		text = at + ": " + text
	}
	if f.Fix != "" {
		text += ". Fix: " + f.Fix
	}
	result := sarifResult{
		RuleID: f.ID, RuleIndex: rule, Level: sarifLevel(f.Severity), Message: sarifText{Text: text},
		PartialFingerprints: map[string]string{"pmGitopsFinding/v1": fingerprint(f)}, Suppressions: []sarifSuppression{},
	}
	var location sarifLocation
	if file := inRepository(f.File); file != "" {
		location.PhysicalLocation = &sarifPhysical{ArtifactLocation: sarifArtifact{(&url.URL{Path: file}).EscapedPath(), "%SRCROOT%"}}
		if f.Line > 0 {
			location.PhysicalLocation.Region = &sarifRegion{f.Line, f.Column}
		}
	}
	if f.Object != nil {
		name := strings.Join([]string{f.Environment, f.Release, f.Object.Kind, f.Object.Namespace, f.Object.Name}, "/")
		location.LogicalLocations = []sarifLogical{{name, "resource"}}
	}
	if location.PhysicalLocation != nil || location.LogicalLocations != nil {
		result.Locations = []sarifLocation{location}
	}
	if f.Ignored != "" {
		result.Suppressions = append(result.Suppressions, sarifSuppression{"external", f.Ignored})
	}
	return result
}

func sarifLevel(s finding.Severity) string {
	if s == finding.Info {
		return "note"
	}
	return string(s)
}

// fingerprint is what stays the same of a finding when lines move.
func fingerprint(f finding.Finding) string {
	parts := []string{f.ID, f.Environment, f.Release, f.Source, f.Field}
	if f.Object != nil {
		parts = append(parts, f.Object.Kind, f.Object.Namespace, f.Object.Name)
	} else {
		parts = append(parts, f.Setting, f.Message)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
