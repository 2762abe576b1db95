// Command charts writes the stand-in charts of the vendor into a folder, as archives. It
// is run in the module of the program, to which they belong.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

func main() {
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(folder string) error {
	for _, name := range []string{charts.Istiod, charts.Cloud} {
		for _, version := range charts.Versions(name) {
			archive, err := charts.Archive(name, version)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, name+"-"+version+".tgz"), archive, 0o666); err != nil {
				return err
			}
		}
	}
	return nil
}
