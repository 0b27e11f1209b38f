package finding

import (
	"encoding/json"
	"io"
	"net/url"
	"strings"
)

// writeSARIF prints a log of SARIF 2.1.0 (OASIS, 27 March 2020, with errata 01).
// Columns count Unicode code points, places are relative to the workspace's root.
func writeSARIF(w io.Writer, r *Report) error {
	t := newTexts(r)
	run := sarifRun{
		Tool:               sarifTool{Driver: sarifDriver{Name: "fractl", InformationURI: "https://github.com/fractl/fractl", SemanticVersion: strings.TrimPrefix(r.Version, "v"), Rules: []sarifRule{}}},
		ColumnKind:         "unicodeCodePoints",
		OriginalURIBaseIDs: map[string]sarifBase{"SRCROOT": {Description: sarifText{"the root of the workspace"}}},
		AutomationDetails:  sarifAutomation{ID: "fractl/" + r.Command + "/"},
		Results:            []sarifResult{},
	}
	index := make(map[string]int)
	for i, rule := range r.Rules {
		index[rule.Name] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.Name, ShortDescription: sarifText{rule.Summary}, Help: sarifHelp{Text: rule.Text, Markdown: rule.Text}, HelpURI: rule.URL,
			DefaultConfiguration: sarifConfiguration{Level: rule.Severity.String()},
		})
	}
	for _, f := range r.Findings {
		run.Results = append(run.Results, sarifOf(t, f, index))
	}
	for _, s := range r.SuppressedFindings {
		res := sarifOf(t, s.Finding, index)
		res.Suppressions = []sarifSuppression{{Kind: "inSource", Justification: s.Reason}}
		run.Results = append(run.Results, res)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// sarifOf is one finding as a result.
func sarifOf(t *texts, f Finding, index map[string]int) sarifResult {
	res := sarifResult{
		RuleID: f.Rule, Level: f.Severity.String(), Message: sarifText{message(f)},
		Locations: []sarifLocation{{Physical: t.place(f.File, f.Line, f.Column, f.EndLine, f.EndColumn)}},
	}
	if i, ok := index[f.Rule]; ok {
		res.RuleIndex = &i
	}
	if f.Fingerprint != "" {
		res.PartialFingerprints = map[string]string{"fractl/v1": f.Fingerprint}
	}
	for i, rel := range f.Related {
		res.Related = append(res.Related, sarifLocation{ID: i + 1, Physical: t.place(rel.File, rel.Line, 0, 0, 0), Message: &sarifText{rel.Message}})
	}
	if len(f.Related) > 1 {
		// A path from where it is told to where it happens.
		flow := sarifThreadFlow{Locations: []sarifFlowLocation{{Location: sarifLocation{Physical: res.Locations[0].Physical, Message: &sarifText{f.Message}}}}}
		for _, rel := range f.Related {
			flow.Locations = append(flow.Locations, sarifFlowLocation{Location: sarifLocation{Physical: t.place(rel.File, rel.Line, 0, 0, 0), Message: &sarifText{rel.Message}}})
		}
		res.CodeFlows = []sarifCodeFlow{{ThreadFlows: []sarifThreadFlow{flow}}}
	}
	for _, fix := range f.Fixes {
		out := sarifFix{Description: sarifText{fix.Message}}
		byFile := make(map[string]int)
		for _, e := range fix.Edits {
			i, ok := byFile[e.File]
			if !ok {
				i = len(out.Changes)
				byFile[e.File] = i
				out.Changes = append(out.Changes, sarifChange{Artifact: sarifArtifact{URI: uri(e.File), BaseID: "SRCROOT"}})
			}
			out.Changes[i].Replacements = append(out.Changes[i].Replacements, sarifReplacement{
				Deleted: sarifBytes{Offset: e.Start, Length: e.End - e.Start}, Inserted: &sarifText{string(e.New)},
			})
		}
		res.Fixes = append(res.Fixes, out)
	}
	return res
}

// message is what a finding says, with its next step.
func message(f Finding) string {
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + "; hint: " + f.Hint
}

// uri is a relative path as a relative reference.
func uri(file string) string { return (&url.URL{Path: file}).EscapedPath() }

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool               sarifTool            `json:"tool"`
	AutomationDetails  sarifAutomation      `json:"automationDetails"`
	ColumnKind         string               `json:"columnKind"`
	OriginalURIBaseIDs map[string]sarifBase `json:"originalUriBaseIds"`
	Results            []sarifResult        `json:"results"`
}

type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name            string      `json:"name"`
	SemanticVersion string      `json:"semanticVersion,omitempty"`
	InformationURI  string      `json:"informationUri"`
	Rules           []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID                   string             `json:"id"`
	ShortDescription     sarifText          `json:"shortDescription"`
	Help                 sarifHelp          `json:"help"`
	HelpURI              string             `json:"helpUri,omitempty"`
	DefaultConfiguration sarifConfiguration `json:"defaultConfiguration"`
}

type sarifConfiguration struct {
	Level string `json:"level"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifHelp struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown"`
}

type sarifBase struct {
	Description sarifText `json:"description"`
}

type sarifResult struct {
	RuleID              string             `json:"ruleId"`
	RuleIndex           *int               `json:"ruleIndex,omitempty"`
	Level               string             `json:"level"`
	Message             sarifText          `json:"message"`
	Locations           []sarifLocation    `json:"locations"`
	PartialFingerprints map[string]string  `json:"partialFingerprints,omitempty"`
	Related             []sarifLocation    `json:"relatedLocations,omitempty"`
	CodeFlows           []sarifCodeFlow    `json:"codeFlows,omitempty"`
	Fixes               []sarifFix         `json:"fixes,omitempty"`
	Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification,omitempty"`
}

type sarifLocation struct {
	ID       int           `json:"id,omitempty"`
	Physical sarifPhysical `json:"physicalLocation"`
	Message  *sarifText    `json:"message,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI    string `json:"uri"`
	BaseID string `json:"uriBaseId"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"`
}

type sarifCodeFlow struct {
	ThreadFlows []sarifThreadFlow `json:"threadFlows"`
}

type sarifThreadFlow struct {
	Locations []sarifFlowLocation `json:"locations"`
}

type sarifFlowLocation struct {
	Location sarifLocation `json:"location"`
}

type sarifFix struct {
	Description sarifText     `json:"description"`
	Changes     []sarifChange `json:"artifactChanges"`
}

type sarifChange struct {
	Artifact     sarifArtifact      `json:"artifactLocation"`
	Replacements []sarifReplacement `json:"replacements"`
}

type sarifReplacement struct {
	Deleted  sarifBytes `json:"deletedRegion"`
	Inserted *sarifText `json:"insertedContent,omitempty"`
}

type sarifBytes struct {
	Offset int `json:"byteOffset"`
	Length int `json:"byteLength"`
}
