// Package browser_test looks at the pages of the program in a real browser. Without
// Chromium it skips, and that fails the gate.
package browser_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var shots = flag.String("shots", "", "folder for pictures of the pages")

// look is a function for the page, which returns sentences about what is wrong with it.
//
//go:embed look.js
var look string

// maxTime limits how long all looks at the pages take.
const maxTime = 10 * time.Minute

// TestPages looks at every page, narrow and wide, light and dark, and printed.
func TestPages(t *testing.T) {
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on the PATH")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true), chromedp.Flag("proxy-server", "127.0.0.1:1"))
	all, cancel := context.WithTimeout(t.Context(), maxTime)
	defer cancel()
	allocator, cancel := chromedp.NewExecAllocator(all, options...)
	defer cancel()
	browser, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	for name, file := range makePages(t) {
		t.Run(name, func(t *testing.T) {
			tab, cancel := chromedp.NewContext(browser)
			defer cancel()
			p := openPage(t, tab, file)
			for _, width := range []int64{360, 1440} {
				for _, scheme := range []string{"light", "dark"} {
					p.look(t, name, width, scheme)
				}
			}
			p.press(t)
			p.print(t, name)
			p.quiet(t)
		})
	}
}

// opened is a page in a tab, with what it asked of the network and wrote to the console.
type opened struct {
	tab      context.Context
	said     map[string]bool // problems; most are there in each width and scheme
	mu       sync.Mutex
	requests []string
	messages []string
}

func openPage(t *testing.T, tab context.Context, file string) *opened {
	t.Helper()
	p := &opened{tab: tab, said: map[string]bool{}}
	err := chromedp.Listen(tab, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			p.requests = append(p.requests, event.Request.URL)
		case *runtime.EventConsoleAPICalled:
			p.messages = append(p.messages, fmt.Sprint(event.Type))
		case *runtime.EventExceptionThrown:
			p.messages = append(p.messages, event.ExceptionDetails.Text)
		case *page.EventJavascriptDialogOpening:
			p.messages = append(p.messages, "dialog: "+event.Message)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p.do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		return err
	}), chromedp.Navigate("file://"+file))
	return p
}

func (p *opened) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p.tab, actions...); err != nil {
		t.Fatal(err)
	}
}

// ask gives the value of an expression in the page.
func ask[T any](t *testing.T, p *opened, expression string) T {
	t.Helper()
	value, err := chromedp.Run(p.tab, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// media sets what the style of the page may ask for.
func media(kind, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}

// look looks at the page, with its details closed and open.
func (p *opened) look(t *testing.T, name string, width int64, scheme string) {
	t.Helper()
	p.do(t, chromedp.EmulateViewport(width, 900), media("", scheme))
	for _, open := range []bool{false, true} {
		p.do(t, fold(!open))
		seen := ask[int](t, p, "("+look+")().seen")
		for _, problem := range ask[[]string](t, p, "("+look+")().problems") {
			if !p.said[problem] {
				t.Errorf("%d px, %s, open %t: %s", width, scheme, open, problem)
			}
			p.said[problem] = true
		}
		if seen < 20 {
			t.Errorf("%d px, %s: only %d texts were looked at", width, scheme, seen)
		}
		p.shoot(t, fmt.Sprintf("%s-%d-%s-%t.png", name, width, scheme, open))
	}
}

// fold closes or opens all details.
func fold(closed bool) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelectorAll('details').forEach(d => d.open = %t)", !closed))
}

// shoot keeps a picture of the page, if pictures are asked for.
func (p *opened) shoot(t *testing.T, name string) {
	t.Helper()
	if *shots == "" {
		return
	}
	picture, err := chromedp.Run(p.tab, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name), picture, 0o666); err != nil {
		t.Fatal(err)
	}
}

// press reaches every summary with Tab, and opens it with Enter.
func (p *opened) press(t *testing.T) {
	t.Helper()
	p.do(t, fold(true))
	summaries := ask[int](t, p, "document.querySelectorAll('summary').length")
	stops := ask[int](t, p, "document.querySelectorAll('summary, [tabindex]').length")
	ask[bool](t, p, "document.activeElement.blur(), window.scrollTo(0, 0), true")
	if summaries == 0 {
		t.Error("the page has no details")
	}
	// An opened element may have stops of its own, such as a table that scrolls.
	for range stops {
		p.do(t, chromedp.KeyEvent(kb.Tab))
		if ask[bool](t, p, "document.activeElement.tagName === 'SUMMARY' && !document.activeElement.parentElement.open") {
			p.do(t, chromedp.KeyEvent(kb.Enter))
		}
	}
	closed := ask[int](t, p, "document.querySelectorAll('details:not([open])').length")
	if closed > 0 {
		t.Errorf("%d of %d details were not opened with Tab and Enter", closed, summaries)
	}
}

// print looks whether a printed page shows what is folded, and fits on the paper.
func (p *opened) print(t *testing.T, name string) {
	t.Helper()
	p.do(t, media("print", "light"), chromedp.EmulateViewport(794, 1123), fold(true))
	hidden := ask[int](t, p, "[...document.querySelectorAll('details > :not(summary)')].filter(e => e.getBoundingClientRect().height === 0 || !e.checkVisibility()).length")
	wide := ask[bool](t, p, "document.scrollingElement.scrollWidth > innerWidth")
	if hidden > 0 {
		t.Errorf("a printed page hides %d folded parts", hidden)
	}
	if wide {
		t.Error("a printed page is wider than the paper")
	}
	p.shoot(t, name+"-print.png")
}

// quiet looks whether the page did anything by itself.
func (p *opened) quiet(t *testing.T) {
	t.Helper()
	title := ask[string](t, p, "document.title")
	foreign := ask[[]string](t, p, "[...document.querySelectorAll('script, img, link, iframe, object, form, a, base')].map(e => e.tagName)")
	if !strings.HasPrefix(title, "pm-gitops ") {
		t.Errorf("the title is %q", title)
	}
	if len(foreign) > 0 {
		t.Errorf("the page has elements %v", foreign)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.messages) > 0 {
		t.Errorf("the page wrote to the console: %q", p.messages)
	}
	if len(p.requests) != 1 || !strings.HasPrefix(p.requests[0], "file://") {
		list, _ := json.Marshal(p.requests)
		t.Errorf("the page asked the network for %s", list)
	}
}
