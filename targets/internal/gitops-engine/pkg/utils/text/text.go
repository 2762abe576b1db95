// Package text chooses between texts.
//
// It exists for argo-cd's Git client, which its API types link without calling:
// it has a name ready for when the user gave none.
package text

// FirstNonEmpty is the first of the texts that is not empty, or empty if all are.
func FirstNonEmpty(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
