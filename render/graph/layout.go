package graph

import (
	"cmp"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
)

// The layers of the drawing are there already: the prerequisites and the
// waves. What is left of a layered drawing (Sugiyama, Tagawa and Toda, 1981)
// is to put a point into each wave that a long arrow passes, to order the
// waves so that few arrows cross, and to place boxes near what they belong to.

// Distances in the drawing, in pixels.
const (
	boxGap    = 18 // between boxes of a wave
	columnGap = 96 // between waves: where the arrows bend
	bandPad   = 14 // between a wave's boxes and the edge of its band
)

// layout is where the boxes and arrows of an environment are.
type layout struct {
	nodes   []node
	columns [][]int // nodes by wave, from above
	left    []int   // of each column's boxes
	width   []int   // of each column's boxes
	height  int     // of everything
	arrows  [][]int // the nodes that each arrow passes, its ends included
}

// node is a box, or the point where a long arrow passes a wave.
type node struct {
	column    int
	box       *box // nil for a point
	middle    int  // from above
	height    int
	ins, outs []int
}

// newLayout places boxes given by wave; keys and arrows belong together.
func newLayout(columns [][]box, arrows []Arrow) layout {
	var l layout
	at := map[string]int{}
	for c, boxes := range columns {
		width := columnLeast
		l.columns = append(l.columns, nil)
		for i := range boxes {
			at[boxes[i].key] = l.add(node{column: c, box: &boxes[i], height: boxes[i].height})
			width = max(width, boxes[i].width)
		}
		x := bandPad
		if c > 0 {
			x = l.left[c-1] + l.width[c-1] + columnGap
		}
		l.left, l.width = append(l.left, x), append(l.width, width)
	}
	for _, arrow := range arrows {
		l.connect(at[arrow.From], at[arrow.To])
	}
	l.order()
	l.place()
	return l
}

func (l *layout) add(n node) int {
	l.nodes = append(l.nodes, n)
	l.columns[n.column] = append(l.columns[n.column], len(l.nodes)-1)
	return len(l.nodes) - 1
}

// connect leads an arrow from box to box, through points of the waves between.
func (l *layout) connect(from, to int) {
	path := []int{from}
	for c := l.nodes[from].column + 1; c < l.nodes[to].column; c++ {
		path = append(path, l.add(node{column: c}))
	}
	path = append(path, to)
	for i := 1; i < len(path); i++ {
		a, b := path[i-1], path[i]
		l.nodes[a].outs, l.nodes[b].ins = append(l.nodes[a].outs, b), append(l.nodes[b].ins, a)
	}
	l.arrows = append(l.arrows, path)
}

// neighbours is what a node is drawn to in a sweep in one direction.
func (n node) neighbours(forth bool) []int {
	if forth {
		return n.ins
	}
	return n.outs
}

// sweeps is how often the waves are gone through, forth and back.
const sweeps = 12

// order puts the nodes of each wave in the order of the mean place of their
// neighbours in the wave before, then in the one behind, and so on, and keeps
// the order with the fewest crossings.
func (l *layout) order() {
	best, fewest := l.cloneColumns(), l.crossings()
	for sweep := range sweeps {
		forth := sweep%2 == 0
		for i := range l.columns {
			c := i
			if !forth {
				c = len(l.columns) - 1 - i
			}
			l.orderColumn(c, forth)
		}
		if n := l.crossings(); n < fewest {
			best, fewest = l.cloneColumns(), n
		}
	}
	l.columns = best
}

func (l *layout) orderColumn(c int, forth bool) {
	place := l.places()
	mean := map[int]int{}
	for i, n := range l.columns[c] {
		near := l.nodes[n].neighbours(forth)
		if len(near) == 0 {
			mean[n] = i * 1000
			continue
		}
		for _, other := range near {
			mean[n] += place[other] * 1000
		}
		mean[n] /= len(near)
	}
	slices.SortStableFunc(l.columns[c], func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
}

// places is the place of each node in its wave.
func (l *layout) places() []int {
	place := make([]int, len(l.nodes))
	for _, column := range l.columns {
		for i, n := range column {
			place[n] = i
		}
	}
	return place
}

func (l *layout) cloneColumns() [][]int {
	columns := make([][]int, len(l.columns))
	for i, column := range l.columns {
		columns[i] = slices.Clone(column)
	}
	return columns
}

// crossings is how many pairs of arrows cross between waves.
func (l *layout) crossings() int {
	place, n := l.places(), 0
	for _, column := range l.columns {
		var ends [][2]int
		for _, a := range column {
			for _, b := range l.nodes[a].outs {
				ends = append(ends, [2]int{place[a], place[b]})
			}
		}
		for i, a := range ends {
			for _, b := range ends[i+1:] {
				if (a[0]-b[0])*(a[1]-b[1]) < 0 {
					n++
				}
			}
		}
	}
	return n
}

// place gives every node its middle: as near as possible to the mean of its
// neighbours, in the order of its wave and without touching another.
func (l *layout) place() {
	for c := range l.columns {
		l.settle(c, func(node) (int, bool) { return 0, false })
	}
	for sweep := range sweeps {
		forth := sweep%2 == 0
		for i := range l.columns {
			c := i
			if !forth {
				c = len(l.columns) - 1 - i
			}
			l.settle(c, func(n node) (int, bool) {
				near := n.neighbours(forth)
				if sweep == sweeps-1 {
					near = slices.Concat(n.ins, n.outs)
				}
				sum := 0
				for _, other := range near {
					sum += l.nodes[other].middle
				}
				return sum / max(1, len(near)), len(near) > 0
			})
		}
	}
	top, bottom := l.nodes[0].middle, l.nodes[0].middle
	for _, n := range l.nodes {
		top, bottom = min(top, n.middle-n.height/2), max(bottom, n.middle+n.height-n.height/2)
	}
	for i := range l.nodes {
		l.nodes[i].middle -= top
	}
	l.height = bottom - top
}

// settle places the nodes of a wave where they want to be, as well as their
// order and distances allow: with the distances taken out, this is isotonic
// regression, solved by merging neighbours that stand in each other's way.
func (l *layout) settle(c int, wanted func(node) (int, bool)) {
	type block struct{ sum, count int }
	var blocks []block
	offsets, offset := make([]int, len(l.columns[c])), 0
	for i, n := range l.columns[c] {
		if i > 0 {
			before := l.nodes[l.columns[c][i-1]]
			offset += before.height - before.height/2 + boxGap + l.nodes[n].height/2
		}
		offsets[i] = offset
		want, ok := wanted(l.nodes[n])
		if !ok {
			want = l.nodes[n].middle
		}
		blocks = append(blocks, block{want - offset, 1})
		for k := len(blocks); k > 1 && blocks[k-2].sum*blocks[k-1].count > blocks[k-1].sum*blocks[k-2].count; k = len(blocks) {
			merged := block{blocks[k-2].sum + blocks[k-1].sum, blocks[k-2].count + blocks[k-1].count}
			blocks = append(blocks[:k-2], merged)
		}
	}
	i := 0
	for _, b := range blocks {
		for range b.count {
			l.nodes[l.columns[c][i]].middle = b.sum/b.count + offsets[i]
			i++
		}
	}
}

// columnsOf is the boxes of an environment by column: the prerequisites, then
// the waves.
func columnsOf(env Environment) [][]box {
	columns := [][]box{{newBox(render.Prereqs, append([]string{"namespaces"}, env.Namespaces...), false)}}
	for _, wave := range env.Waves {
		var boxes []box
		for _, r := range wave.Releases {
			boxes = append(boxes, newBox(r.Key, []string{r.Key, r.Version, "in " + r.Namespace}, r.Protected))
		}
		columns = append(columns, boxes)
	}
	return columns
}
