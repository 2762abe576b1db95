package plaintext

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// Text returns the rule that a text breaks whatever its key is, or nil.
func Text(text string) *Rule {
	if rule := Format(text); rule != nil {
		return rule
	}
	if len(Assigned(text)) > 0 {
		return byName[assignmentRule]
	}
	return nil
}

// Format returns the rule for a credential that is known by its form, or nil.
func Format(text string) *Rule {
	for i := range rules {
		rule := &rules[i]
		if rule.form == nil || !containsAny(text, rule.hints) {
			continue
		}
		for _, match := range rule.form.FindAllString(text, -1) {
			if rule.confirms(match) {
				return rule
			}
		}
	}
	return nil
}

func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// confirms reports whether what matches the form of a rule is a secret: no
// reference to one, and behind base64 what the rule is about.
func (r *Rule) confirms(match string) bool {
	switch r.Name {
	case encodedKeyRule:
		key, _ := base64.RawStdEncoding.DecodeString(match[:len(match)/4*4])
		return strings.Contains(string(key), "PRIVATE")
	case dockerAuthRule:
		quoted := strings.Split(match, `"`)
		login := quoted[len(quoted)-2]
		return isLogin(login) || strings.HasPrefix(match, `"auths"`) && Secret(login)
	case "address-password":
		_, password, _ := strings.Cut(strings.TrimPrefix(match, "://"), ":")
		return Secret(strings.TrimSuffix(password, "@"))
	case "aws-access-key":
		return !strings.HasSuffix(match, "EXAMPLE") // of AWS's documentation
	}
	return true
}

// isLogin reports whether a text is user:password in base64.
func isLogin(text string) bool {
	login, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	user, password, found := strings.Cut(string(login), ":")
	return err == nil && found && user != "" && password != "" && !strings.ContainsFunc(string(login), func(r rune) bool { return r < ' ' || r > '~' })
}

// Span is a part of a text, as offsets of bytes.
type Span struct{ Start, End int }

// assigned is a name and the sign behind it that gives it a value.
var assigned = regexp.MustCompile(`([A-Za-z][\w.-]*)(["']?[ \t]*(?::=|=>|[:=])[ \t]*|["']?[ \t]+)`)

// stems is a part of every name that names a secret.
var stems = []string{"pass", "pwd", "secret", "token", "key", "cred", "connectionstring", "dockerc"}

// Assigned returns the secrets that a text gives to names, as password=x,
// password: x and --password x do, in order. A block of YAML belongs to its
// name to its end.
func Assigned(text string) []Span {
	if !strings.ContainsAny(text, ":=-") || !containsAny(strings.ToLower(text), stems) {
		return nil
	}
	var spans []Span
	for _, at := range assigned.FindAllStringSubmatchIndex(text, -1) {
		name, sign := text[at[2]:at[3]], strings.Trim(text[at[4]:at[5]], `"' `+"\t")
		before := strings.TrimRight(text[:at[2]], "-")
		isFlag := len(before) < at[2]
		if sign == "" && !isFlag || before != "" && !strings.ContainsRune(" \t\n\"'{[(,;&?|@+", rune(before[len(before)-1])) {
			continue
		}
		if Key(name) == nil || strings.HasSuffix(before, "${") || len(spans) > 0 && at[0] < spans[len(spans)-1].End {
			continue
		}
		span, ok := assignedValue(text, at[1], sign)
		if rule := Pair(name, text[span.Start:span.End]); ok && rule != nil && rule.Certain && (rule.numbers || !number.MatchString(text[span.Start:span.End])) {
			spans = append(spans, span)
		}
	}
	return spans
}

var (
	// block is the sign of a block of YAML, which begins on the next line.
	block = regexp.MustCompile(`^[|>][-+0-9]*[ \t]*\r?\n`)
	// bare is a value up to what ends it where it has no quotes.
	bare = regexp.MustCompile("^[^\\s\"'`,;&|)\\]}]+")
	// called is code that asks for a value instead of having it.
	called = regexp.MustCompile(`(?i)^[a-z_][\w.$:>-]*(env|environ|get|read|lookup|file|secret|input|prompt)\w*[([]`)
	field  = regexp.MustCompile(`^(self|this|req|request|ctx|config|cfg|settings|env|process|ngx)\.[\w.]+$`)
	number = regexp.MustCompile(`^[+-]?\d+(\.\d+)?$`)
)

// How far a value, and a block, is looked at: what is behind a name that is
// written again and again must not be read to its end each time.
const (
	maxValue = 256
	maxBlock = 16 << 10
)

// assignedValue finds the secret that begins at an offset behind a sign.
func assignedValue(text string, start int, sign string) (Span, bool) {
	rest := text[start:min(len(text), start+maxValue)]
	if marker := block.FindString(rest); marker != "" && sign == ":" {
		from := start + len(marker)
		lines := text[from:min(len(text), from+maxBlock)]
		first := strings.TrimLeft(lines, " \t")
		indentation := len(lines) - len(first)
		if indentation == 0 {
			return Span{}, false
		}
		end := strings.TrimRight(first[:blockEnd(first, indentation)], "\r\n")
		return Span{from + indentation, from + indentation + len(end)}, end != ""
	}
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		value, _, _ := strings.Cut(rest[1:], rest[:1])
		value, _, _ = strings.Cut(value, "\n")
		return Span{start + 1, start + 1 + len(value)}, value != ""
	}
	value := bare.FindString(rest)
	if value == "" || strings.ContainsRune("{[<(*&!%@$\\", rune(value[0])) || called.MatchString(rest) || field.MatchString(value) || sign == "" && value[0] == '-' {
		return Span{}, false
	}
	return Span{start, start + len(value)}, true
}

// blockEnd returns where a block ends whose first line has an indentation.
func blockEnd(lines string, indentation int) int {
	end := 0
	for line := range strings.SplitAfterSeq(lines, "\n") {
		if end > 0 && strings.TrimSpace(line) != "" && len(line)-len(strings.TrimLeft(line, " ")) < indentation {
			break
		}
		end += len(line)
	}
	return end
}

var (
	// reference is a text in which another stands for the secret.
	reference = regexp.MustCompile(`\$\([^)]*\)|\$\{[^}]*\}|^\$[({]|\{\{|^\$[A-Za-z_]\w*$|^%\w+%$|^%[({]|^ref\+\w+://|^(vault|op|file|arn|gcp\w*|aws\w*|azure\w*):[\w/]`)
	// placeholder is a text that a person is to replace.
	placeholder = regexp.MustCompile(`(?i)^<[^<>]*>$|^\[[^\]]*\]$|^fill[-_ ]?in\b|^(replace|change)[-_ ](me|this|with)\b|^replace(me|this)$|^[("]?(redacted|changed|removed|hidden|masked)[)"]?$|^(x+|\*+|\.+|-+)$|^todo\b|\byour[-_. ]`)
	// file is the path of a file, as programs want it for a secret.
	file = regexp.MustCompile(`^(~|\.{1,2})?(/[a-z0-9._-]+)+/?$|^[A-Za-z]:\\|^[a-z][\w-]*\.(json|key|pem|crt|p12|jks|txt|ya?ml)$`)
)

// words is texts that switch something and are no secret.
var words = map[string]bool{"true": true, "false": true, "yes": true, "no": true, "on": true, "off": true, "null": true, "none": true, "nil": true,
	"enabled": true, "disabled": true, "undefined": true, "string": true, "str": true, "auto": true, "required": true, "optional": true}

// Secret reports whether a text could be a secret: not empty, no switch, no
// reference, no placeholder and no path of a file.
func Secret(text string) bool {
	text = strings.TrimSpace(text[:min(len(text), maxValue)])
	return text != "" && !words[strings.ToLower(text)] && !reference.MatchString(text) && !placeholder.MatchString(text) && !file.MatchString(text)
}
