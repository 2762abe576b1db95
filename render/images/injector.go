package images

import (
	"fmt"
	"strings"
)

// injectors adds what Istio's sidecar injector composes from its ConfigMap:
// data.config has templates with {{ .ProxyImage }}, data.values the parts
// (https://github.com/istio/istio/blob/1.28.3/manifests/charts/istio-control/istio-discovery/templates/istiod-injector-configmap.yaml).
func (f *finder) injectors(all []item) {
	for _, one := range all {
		data, _ := one.tree["data"].(map[string]any)
		config := text(data["config"])
		if one.Kind != "ConfigMap" || len(config) > maxDocument || !strings.Contains(config, ".ProxyImage") {
			continue
		}
		values, ok := Document(text(data["values"]))
		if !ok {
			continue
		}
		tree, _ := values.(map[string]any)
		f.item = one
		f.injector(tree, config, imageType(all, one))
	}
}

// injector composes the proxy's image as istiod does (ProxyImage in
// https://github.com/istio/istio/blob/1.28.3/pkg/kube/inject/inject.go). Where
// a template asks for it, an image with a slash is taken as it is.
func (f *finder) injector(values map[string]any, config, imageType string) {
	at := f.item.path.key("data").key("values").document().key("global")
	hub, image := text(dig(values, "global", "hub")), text(dig(values, "global", "proxy", "image"))
	if image == "" {
		image = "proxyv2"
	}
	whole := strings.Contains(image, "/") && strings.Contains(config, ".Values.global.proxy.image")
	if whole {
		f.add(image, Injector, Certain, at.key("proxy").key("image"))
	}
	if tag := dig(values, "global", "tag"); hub != "" && tag != nil && !whole {
		f.add(hub+"/"+image+":"+variant(fmt.Sprint(tag), imageType), Injector, Certain, at.key("hub"))
	}
	if image := text(dig(values, "global", "proxy_init", "image")); strings.Contains(image, "/") && strings.Contains(config, ".Values.global.proxy_init.image") {
		f.add(image, Injector, Certain, at.key("proxy_init").key("image"))
	}
}

// variant is a tag with the type of the image, which takes the place of one
// that is there.
func variant(tag, imageType string) string {
	if imageType == "" {
		return tag
	}
	for _, known := range []string{"-distroless", "-debug"} {
		if plain, found := strings.CutSuffix(tag, known); found {
			tag = plain
			break
		}
	}
	if imageType == "default" {
		return tag
	}
	return tag + "-" + imageType
}

// imageType is the type of proxies' images, which the mesh's configuration
// has: the ConfigMap istio of the injector's revision.
func imageType(all []item, injector item) string {
	revision, isInjector := strings.CutPrefix(injector.Name, "istio-sidecar-injector")
	for _, one := range all {
		if !isInjector || one.Kind != "ConfigMap" || one.Name != "istio"+revision || one.Namespace != injector.Namespace {
			continue
		}
		if mesh, ok := Document(text(dig(one.tree, "data", "mesh"))); ok {
			return text(dig(mesh, "defaultConfig", "image", "imageType"))
		}
	}
	return ""
}

// dig is what lies at a path of keys; nil if there is nothing.
func dig(value any, keys ...string) any {
	for _, key := range keys {
		tree, _ := value.(map[string]any)
		value = tree[key]
	}
	return value
}
