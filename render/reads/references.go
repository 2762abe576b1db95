package reads

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Reference is a name in an object of another object in the same namespace.
type Reference struct {
	Kind, Name string // Secret, ConfigMap, ServiceAccount or PersistentVolumeClaim
	Path       string // the field that names it
	// Keys are those of a Secret that are read; without any, all that are there.
	Keys []string
	Type string // of a Secret: Opaque unless the reader wants another
	// Optional: the reader does without. Blocking: a pod does not start without.
	Optional, Blocking bool
}

// References returns the names that an object has of others: in its pods, and
// the Secrets of an Ingress or a ServiceAccount. It is in the order of the
// fields. Fields of custom resources that are no pods are not looked at.
func References(tree map[string]any) []Reference {
	var f finder
	for _, p := range Pods(tree) {
		f.pod(p)
	}
	api, _, _ := strings.Cut(text(tree["apiVersion"]), "/")
	switch kind := text(tree["kind"]); {
	case kind == "Ingress" && (api == "networking.k8s.io" || api == "extensions"):
		for i, tls := range list(at(tree, "spec", "tls")) {
			f.secret(at(tls, "secretName"), fmt.Sprintf("spec.tls[%d].secretName", i), corev1.SecretTypeTLS)
		}
	case kind == "ServiceAccount" && api == "v1":
		f.pulls(tree["imagePullSecrets"], "imagePullSecrets")
		for i, one := range list(tree["secrets"]) { // what its pods may mount: https://kubernetes.io/docs/concepts/security/service-accounts/#enforce-mountable-secrets
			if name := text(at(one, "name")); name != "" {
				f.add(Reference{Kind: "Secret", Name: name, Path: fmt.Sprintf("secrets[%d].name", i), Type: string(corev1.SecretTypeOpaque), Optional: true})
			}
		}
	}
	return f.found
}

// finder collects references.
type finder struct{ found []Reference }

func (f *finder) add(r Reference) { f.found = append(f.found, r) }

// typeKeys is the keys that a Secret of a type must have
// (https://kubernetes.io/docs/concepts/configuration/secret/#secret-types).
var typeKeys = map[corev1.SecretType][]string{
	corev1.SecretTypeDockerConfigJson: {corev1.DockerConfigJsonKey},
	corev1.SecretTypeTLS:              {corev1.TLSCertKey, corev1.TLSPrivateKeyKey},
}

// secret adds a Secret of a type with keys of its own.
func (f *finder) secret(name any, path string, kind corev1.SecretType) {
	if name := text(name); name != "" {
		f.add(Reference{Kind: "Secret", Name: name, Path: path, Keys: typeKeys[kind], Type: string(kind)})
	}
}

// pulls adds the Secrets that images are pulled with. A pod starts without
// them where its image needs no login.
func (f *finder) pulls(names any, path string) {
	for i, one := range list(names) {
		f.secret(at(one, "name"), fmt.Sprintf("%s[%d].name", path, i), corev1.SecretTypeDockerConfigJson)
	}
}

// mounted is where volumes name other objects
// (https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/).
var mounted = []struct{ kind, source, field string }{
	{"Secret", "secret", "secretName"},
	{"ConfigMap", "configMap", "name"},
	{"PersistentVolumeClaim", "persistentVolumeClaim", "claimName"},
	{"Secret", "azureFile", "secretName"},
	{"Secret", "cephfs", "secretRef.name"},
	{"Secret", "csi", "nodePublishSecretRef.name"},
	{"Secret", "flexVolume", "secretRef.name"},
	{"Secret", "iscsi", "secretRef.name"},
	{"Secret", "rbd", "secretRef.name"},
	{"Secret", "scaleIO", "secretRef.name"},
	{"Secret", "storageos", "secretRef.name"},
}

// pod adds what a pod names.
func (f *finder) pod(p Pod) {
	f.named("ServiceAccount", p.Spec, "serviceAccountName", p.Path)
	f.pulls(p.Spec["imagePullSecrets"], p.Path+".imagePullSecrets")
	for i, volume := range list(p.Spec["volumes"]) {
		path := fmt.Sprintf("%s.volumes[%d]", p.Path, i)
		for _, m := range mounted {
			f.named(m.kind, at(volume, m.source), m.field, path+"."+m.source)
		}
		for j, source := range list(at(volume, "projected", "sources")) {
			below := fmt.Sprintf("%s.projected.sources[%d]", path, j)
			f.named("Secret", at(source, "secret"), "name", below+".secret")
			f.named("ConfigMap", at(source, "configMap"), "name", below+".configMap")
		}
	}
	for _, c := range p.Containers() {
		for i, from := range list(c.Spec["envFrom"]) {
			path := fmt.Sprintf("%s.envFrom[%d]", c.Path, i)
			f.named("Secret", at(from, "secretRef"), "name", path+".secretRef")
			f.named("ConfigMap", at(from, "configMapRef"), "name", path+".configMapRef")
		}
		for i, env := range list(c.Spec["env"]) {
			path := fmt.Sprintf("%s.env[%d].valueFrom", c.Path, i)
			f.named("Secret", at(env, "valueFrom", "secretKeyRef"), "name", path+".secretKeyRef")
			f.named("ConfigMap", at(env, "valueFrom", "configMapKeyRef"), "name", path+".configMapKeyRef")
		}
	}
}

// named adds what a source in a pod names in a field: with the keys that it
// takes, in key or in items.
func (f *finder) named(kind string, source any, field, path string) {
	name := text(at(source, strings.Split(field, ".")...))
	if name == "" {
		return
	}
	optional := at(source, "optional") == true
	r := Reference{Kind: kind, Name: name, Path: path + "." + field, Optional: optional, Blocking: !optional}
	if kind == "Secret" {
		r.Type = string(corev1.SecretTypeOpaque)
		for _, one := range append(list(at(source, "items")), source) {
			if key := text(at(one, "key")); key != "" {
				r.Keys = append(r.Keys, key)
			}
		}
	}
	f.add(r)
}

// makers is where objects of other kinds name a Secret that their controller
// makes of them; without a name there it has the object's own
// (https://cert-manager.io/docs/usage/certificate/,
// https://external-secrets.io/latest/api/externalsecret/,
// https://github.com/bitnami-labs/sealed-secrets#usage).
var makers = map[string][]string{
	"Certificate":    {"spec", "secretName"},
	"ExternalSecret": {"spec", "target", "name"},
	"SealedSecret":   {"metadata", "name"},
}

// issues is the annotations with which cert-manager makes the Secrets that an
// Ingress names (https://cert-manager.io/docs/usage/ingress/#supported-annotations).
var issues = []string{"cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme"}

// Makes returns the names of the Secrets that are there because of an object,
// in its namespace: its own name if it is a Secret, and those that a controller
// makes of it.
func Makes(tree map[string]any) []string {
	kind, name := text(tree["kind"]), text(at(tree, "metadata", "name"))
	if field, known := makers[kind]; known {
		if made := text(at(tree, field...)); made != "" {
			name = made
		}
		return []string{name}
	}
	switch kind {
	case "Secret":
		return []string{name}
	case "Ingress":
		for _, annotation := range issues {
			if text(at(tree, "metadata", "annotations", annotation)) != "" {
				return certificates(tree)
			}
		}
	}
	return nil
}

// certificates returns the names of the Secrets that an Ingress names.
func certificates(tree map[string]any) (names []string) {
	for _, r := range References(tree) {
		names = append(names, r.Name)
	}
	return names
}
