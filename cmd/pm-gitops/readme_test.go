package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
	"github.com/pm-gitops/pm-gitops/render/catalog"
)

const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// blocks is the fenced blocks of a language in a Markdown text.
func blocks(text, language string) []string {
	var found []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

// TestSessions runs every terminal session of a page, one after another in one folder,
// and compares what they print.
func TestSessions(t *testing.T) {
	for page, atLeast := range map[string]int{"README.md": 2, "docs/ci.md": 1} {
		t.Run(page, func(t *testing.T) { testSessions(t, page, atLeast) })
	}
}

func testSessions(t *testing.T, page string, atLeast int) {
	sessions := blocks(read(t, page), "console")
	if len(sessions) < atLeast {
		t.Fatalf("%s has %d terminal sessions", page, len(sessions))
	}
	var script, files strings.Builder
	commands := 0
	for _, step := range strings.Split("\n"+strings.Join(sessions, ""), "\n$ ")[1:] {
		command, output, _ := strings.Cut(step, "\n")
		commands++
		fmt.Fprintf(&files, "-- command%d --\n%s\n", commands, command)
		fmt.Fprintf(&files, "-- output%d --\n", commands)
		if output = strings.TrimSuffix(output, "\n"); output != "" {
			fmt.Fprintln(&files, output)
		}
		// The files of the script itself are not what the page's user sees.
		fmt.Fprintf(&script, "exec sh $WORK/command%d\ncmp stdout $WORK/output%d\n", commands, commands)
	}
	file := filepath.Join(t.TempDir(), "page.txtar")
	if err := os.WriteFile(file, []byte("mkdir here\ncd here\n"+script.String()+files.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Files: []string{file}, RequireExplicitExec: true, Setup: setUp})
}

// TestDocsUpgradeStart keeps the first commands of a page those that a script runs, in the
// same order.
func TestDocsUpgradeStart(t *testing.T) {
	script := read(t, "testdata/script/upgrade-start.txtar")
	commands := 0
	for line := range strings.Lines(blocks(read(t, "docs/upgrade.md"), "")[0]) {
		command, is := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if !is {
			continue
		}
		commands++
		_, rest, found := strings.Cut(script, "\nexec "+command+"\n")
		if !found {
			t.Errorf("the script does not run %q, or not in this order", command)
			continue
		}
		script = "\n" + rest
	}
	if commands < 5 {
		t.Errorf("the page begins with %d commands", commands)
	}
}

// TestReadmeMainCommand runs the first of the README's two commands as it
// stands, from the sources. The second one is what runs this test.
func TestReadmeMainCommand(t *testing.T) {
	commands := blocks(read(t, "README.md"), "sh")
	if len(commands) < 2 || commands[0] != "go run ./cmd/pm-gitops demo\n" || commands[1] != "go test ./...\n" {
		t.Fatalf("the README's first commands are %q", commands)
	}
	run := exec.Command("sh", "-c", commands[0])
	run.Dir = root
	run.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	var stderr bytes.Buffer
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", commands[0], err, stderr.String())
	}
	if !strings.Contains(string(out), "2. prefect-cloud 1.2.900") {
		t.Errorf("the demo says\n%s", out)
	}
}

// TestReadmeEnvironment keeps the README's environment the one that golden
// trees are made from.
func TestReadmeEnvironment(t *testing.T) {
	shown := blocks(read(t, "README.md"), "yaml")
	if len(shown) != 1 || shown[0] != read(t, "testdata/env/prod.yaml") {
		t.Error("the README's environment is not testdata/env/prod.yaml")
	}
}

// TestDocsCatalog keeps the catalog of the documentation right.
func TestDocsCatalog(t *testing.T) {
	shown := blocks(read(t, "docs/catalog.md"), "yaml")
	if len(shown) != 1 {
		t.Fatalf("docs/catalog.md has %d YAML blocks", len(shown))
	}
	if _, err := catalog.Parse("docs/catalog.md", []byte(shown[0])); err != nil {
		t.Error(err)
	}
}

// chartsOfStarter puts the stand-ins into the folder charts, and into the
// starter files their version and a registry that has them.
const chartsOfStarter = `exec sh -c 'mkdir charts && cp $CHARTS/* charts'
exec sed -i -e 's/1\.2\.6/1.2.900/' -e '/^  registry:/a\    source: '$REGISTRY environment.yaml environments/prod.yaml
`

// mirrorOfStarter replaces the starter files by environments with a mirror.
const mirrorOfStarter = `expand $WORK/mirrored.yaml
push $REGISTRY/server:2025.10.1 $REGISTRY/ui:2025.10.2
cp $WORK/mirrored.yaml environment.yaml
cp $WORK/mirrored.yaml environments/prod.yaml
exec sed -i 's/name: mirrored/name: prod/' environments/prod.yaml
`

// mirrored is an environment whose images are all the vendor's.
const mirrored = `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: mirrored}
spec:
  instance: {name: customer-managed, frontendUrl: https://ui.b.c, backendUrl: https://api.b.c, ownerEmail: o@b.c}
  versions: {prefectCloud: 1.2.900, server: "2025.10.1", ui: "2025.10.2"}
  registry: {source: $REGISTRY, mirror: $REGISTRY/mirror}
  mesh: existing
  auth: {okta: {clientID: a, clientSecret: {secret: s, key: k}, authServerURL: https://o.b.c}}
  redis: {cache: {host: a}, work: {host: a}, streams: {host: a}}
  database: {primary: db, serviceUser: {password: {secret: s, key: k}}, superUser: {password: {secret: s, key: k}}}
  cluster: {kubeVersion: "1.33"}
`

// inGit puts what is here into a repository with a remote.
const inGit = "env HOME=$WORK/home\nexec mkdir -p $WORK/home\n" +
	"exec git config --global user.name Ada\nexec git config --global user.email ada@example.com\n" +
	"exec git init -q -b main\nexec git add .\nexec git commit -q -m environments\n" +
	"exec git clone -q --bare . $WORK/fleet.git\n" +
	"exec git remote add origin $WORK/fleet.git\nexec git fetch -q\nexec git branch -q -u origin/main\n"

// starterFiles is a folder with what init writes.
func starterFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "environments"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init"}, {"init", "-f", "environments/prod.yaml"}} {
		run := exec.Command("pm-gitops", args...)
		run.Dir = dir
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("pm-gitops %q: %v\n%s", args, err, out)
		}
	}
	return dir
}

// TestHelpExamples runs the examples of every command's help, up to the pipe
// or the comment, in a folder where what they name exists.
func TestHelpExamples(t *testing.T) {
	var commands []string
	charted := map[string]bool{}
	var collect func(*cobra.Command)
	collect = func(cmd *cobra.Command) {
		if cmd.Runnable() && cmd.Example == "" && (!cmd.HasSubCommands() || !cmd.HasParent()) {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Example) {
			if command, ok := strings.CutPrefix(strings.TrimSpace(line), "pm-gitops "); ok {
				commands = append(commands, cmd.Name()+": pm-gitops "+command)
				charted[cmd.Name()] = cmd.Flags().Lookup("chart-dir") != nil
			}
		}
		for _, sub := range cmd.Commands() {
			collect(sub)
		}
	}
	collect(cli.Command(cli.System{Targets: deliverySystems()}))
	guide, err := filepath.Abs(filepath.Join(root, "testdata/guide/values-override.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	scripts := t.TempDir()
	cut, aboutWhat := regexp.MustCompile(` \|| >|  `), regexp.MustCompile(` -f \S+| --target \S+`)
	var files []string
	for _, named := range commands {
		var script strings.Builder
		of, command, _ := strings.Cut(named, ": ")
		command = cut.Split(command, 2)[0]
		if strings.Contains(command, " init") {
			script.WriteString("mkdir here/environments\ncd here\n")
		} else {
			script.WriteString("exec cp -r $STARTER here\ncd here\n")
		}
		if strings.Contains(command, "--from") {
			script.WriteString("cp " + guide + " values-override.yaml\ncp " + guide + " values.yaml\nexec sh -c 'echo replicas: 2 > istiod.yaml'\n")
		}
		if charted[of] {
			script.WriteString(chartsOfStarter)
		}
		if strings.Contains(command, "-o script") {
			script.WriteString("exec sed -i '/^  registry:/a\\    mirror: 127.0.0.1:1/mirror' environment.yaml\n")
		}
		if strings.Contains(command, "--offline") {
			script.WriteString("exec pm-gitops preview\n")
		}
		if of == "remove" {
			script.WriteString("exec sed -i 's/name: prod /name: staging /' environment.yaml\nexec pm-gitops render --dir .\n")
		}
		if strings.Contains(command, "--repo") {
			command = strings.Replace(command, "https://git.company.com/platform/fleet.git", "$WORK/fleet.git", 1)
		}
		if strings.Contains(command, "--pull-request") { // there is no forge
			command += " --dry-run"
		}
		if of == "upgrade" { // there is no forge: every example is a dry run
			command = strings.TrimSuffix(command, " --dry-run") + " --dry-run"
			script.WriteString(mirrorOfStarter + "push $REGISTRY/server:2025.10.202512010915\n" + inGit)
		} else if of == "verify" { // two commits that are what they render to
			script.WriteString("exec pm-gitops render -f environments/ --dir .\n" + inGit +
				"exec git commit -q --allow-empty -m again\nexec git push -q origin main\n")
		} else if strings.Contains(command, "--commit") || strings.Contains(command, "--repo") || strings.Contains(command, "--base") {
			script.WriteString(inGit)
		}
		if of == "status" { // a cluster that has what is rendered, and in which all went well
			script.WriteString("exec pm-gitops render --built" + strings.Join(aboutWhat.FindAllString(command, -1), "") + "\ncp stdout rendered.yaml\ncluster context=prod rendered.yaml+well\n")
		}
		if of == "capabilities" {
			script.WriteString("exec sh -c 'echo \"{apiVersion: pm-gitops/v1, kind: Capabilities, kubeVersion: v1.33.1, apis: [{apiVersion: v1, kinds: [Pod]}]}\" > said.yaml'\ncluster context=prod said.yaml\n")
		}
		if of == "mirror" { // images that are there, and nothing from Docker Hub
			script.WriteString(mirrorOfStarter)
		}
		if of == "mirror" && strings.Contains(command, "--from") {
			script.WriteString("exec " + strings.Replace(command, "--from", "--to", 1) + "\n")
		}
		if of == "check" || of == "diff" || of == "plan" || strings.Contains(command, "--check") && of == "mirror" { // findings are a result as well
			command = "sh -c '" + command + " || test $? -eq 3'"
		}
		script.WriteString("exec " + command + "\n")
		if of == "mirror" || of == "upgrade" {
			script.WriteString("-- mirrored.yaml --\n" + mirrored)
		}
		files = append(files, filepath.Join(scripts, fmt.Sprintf("%s-%d.txtar", of, len(files))))
		if err := os.WriteFile(files[len(files)-1], []byte(script.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	folder, source := standIns(t)
	starter := starterFiles(t)
	cmds := map[string]func(*testscript.TestScript, bool, []string){"cluster": startCluster, "push": push, "expand": expand}
	testscript.Run(t, testscript.Params{Files: files, RequireExplicitExec: true, Cmds: cmds, Setup: func(env *testscript.Env) error {
		env.Values[clustersKey{}] = clusters{}
		env.Vars = append(env.Vars, "CHARTS="+folder, "REGISTRY="+source, "STARTER="+starter)
		return setUp(env)
	}})
}
