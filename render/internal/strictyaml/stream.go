package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// A stream may hold what a whole cluster has: it is read, but never built.
const (
	maxDocuments = 1000 // each starts a parser
	maxStream    = 100_000
)

// Document is one document of a stream.
type Document struct {
	Root *Value
	Text []byte // as it is written, for a reader with rules of its own
}

// LoadAll reads a stream of YAML documents, none of them empty. Positions
// count from the beginning of the stream, and limits are those of the
// whole. The name is what positions show; it is not opened.
func LoadAll(name string, data []byte) ([]Document, Problems) {
	file := Position{File: name}
	if problems := checkText(file, data); problems != nil {
		return nil, problems
	}
	l := loader{file: name, most: maxStream, open: map[*yaml.Node]bool{}}
	var documents []Document
	for _, part := range split(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		var node, second yaml.Node
		decoder := yaml.NewDecoder(bytes.NewReader(part))
		err := decoder.Decode(&node)
		switch {
		case errors.Is(err, io.EOF): // only comments
		case err != nil:
			l.problems = append(l.problems, l.syntaxProblem(part, err))
		default:
			documents = append(documents, Document{l.load(node.Content[0], "", 0), part})
			if err := decoder.Decode(&second); err != nil && !errors.Is(err, io.EOF) { // behind a line of three dots
				l.problems = append(l.problems, l.syntaxProblem(part, err))
			}
		}
		if len(documents) > maxDocuments {
			l.problems = Problems{{Position: l.at(&node), Message: fmt.Sprintf("too many documents: want at most %d", maxDocuments)}}
			break
		}
		l.above += bytes.Count(part, []byte("\n"))
	}
	if l.problems == nil && documents == nil {
		l.problems = Problems{{Position: file, Message: "the file is empty"}}
	}
	if l.problems != nil {
		return nil, l.problems
	}
	return documents, nil
}

func (l *loader) syntaxProblem(part []byte, err error) Problem {
	problem := syntaxProblem(Position{File: l.file}, part, err)
	if problem.Position.Line > 0 {
		problem.Position.Line += l.above
	}
	return problem
}

// split cuts a stream before each line that starts a document: no text of a
// document may begin a line with --- (https://yaml.org/spec/1.2.2/#912-document-markers).
func split(data []byte) [][]byte {
	var parts [][]byte
	start := 0
	for at := 0; at < len(data); {
		line := data[at:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		if rest, ok := bytes.CutPrefix(line, []byte("---")); ok && at > start && (len(rest) == 0 || bytes.ContainsAny(rest[:1], " \t\r\n")) {
			parts, start = append(parts, data[start:at]), at
		}
		at += len(line)
	}
	return append(parts, data[start:])
}
