package check_test

import "strings"

func migrationCases() map[string]pair {
	return map[string]pair{
		"migration-deadlock": {
			fires: setting{spec: "migrations: {afterInstall: false, timeout: 1h}"}, quiet: setting{spec: "migrations: {afterInstall: true, timeout: 1h}"},
			object: "Job/prefect-db-migrations", field: `metadata.annotations["helm.sh/hook"]`, at: "spec.migrations.afterInstall", says: "hangs for 1h, and then is tried again",
		},
		"migration-setting": {
			fires: cloud("{migrations: {delivery: job}}"), quiet: cloud("{migrations: {delivery: job}}").on("", "migrations: {afterInstall: false}"),
			object: "Job/prefect-db-migrations-2025-10-202511042343", at: "spec.migrations.afterInstall", says: "migrates beside the services",
		},
		"migration-twice": {
			fires: setting{target: "argo"}, quiet: setting{},
			object: "Job/prefect-db-migrations", says: "twice on every sync",
		},
		"hook-before-objects": {
			fires:  with(secret("credentials") + "---\n" + job("prepare", "helm.sh/hook: pre-install", runs+", volumes: [{name: a, secret: {secretName: credentials}}]")),
			quiet:  with(secret("credentials") + "---\n" + job("prepare", "helm.sh/hook: post-install", runs+", volumes: [{name: a, secret: {secretName: credentials}}]")),
			object: "Job/prepare", field: "spec.template.spec.volumes[0].secret.secretName", says: "needs Secret credentials",
		},
		"immutable-job": {
			fires: with(job("load", "", runs)), quiet: with(job("load-1.0.0", "", runs)),
			object: "Job/load", field: "metadata.name",
		},
		"pod-runs-once": {
			fires:  cloud("{migrations: {delivery: pod}}").on("", "migrations: {afterInstall: false}"),
			quiet:  cloud("{migrations: {delivery: job}}").on("", "migrations: {afterInstall: false}"),
			object: "Pod/prefect-db-migrations", says: "Flux 2.7 waits for it to be ready",
		},
	}
}

func hookCases() map[string]pair {
	return map[string]pair{
		"hooks-alone": {
			fires: setting{target: "argo", template: job("load", `helm.sh/hook: "pre-install,pre-upgrade"`, runs)}, quiet: setting{target: "argo", template: job("load", `helm.sh/hook: "pre-install,pre-upgrade"`, runs) + "---\n" + configMap("version", "{a: b}")},
			says: "never syncs the release by itself",
		},
		"unknown-hook": {
			fires: with(job("tidy", `helm.sh/hook: "post-install,pre-uninstall"`, runs)), quiet: with(job("tidy", `helm.sh/hook: "post-install,pre-delete"`, runs)),
			object: "Job/tidy", field: "metadata.annotations", says: `does not know the hook event "pre-uninstall"`,
		},
	}
}

func workloadCases() map[string]pair {
	return map[string]pair{
		"hook-sidecar": {
			fires:  with(job("prepare", "helm.sh/hook: pre-install", runs)).on("", injectedApp),
			quiet:  with(replaced(setting{template: job("prepare", "helm.sh/hook: pre-install", runs)}, "template: {spec", `template: {metadata: {labels: {sidecar.istio.io/inject: "false"}}, spec`).template).on("", injectedApp),
			object: "Job/prepare", field: "spec.template.metadata.labels",
		},
		"gateway-auto-image": {
			fires: with(gateway).whole(), quiet: with(gateway).on("", injectedApp).whole(),
			object: "Deployment/gateway", field: "spec.template.spec.containers[0].image", at: "spec.releases[0].needs", says: "in the wave of the injector (prefect-istiod)",
		},
		"singleton-replicas": {
			fires: cloud("{services: {scheduler: {replicas: 2}}}"), quiet: cloud("{services: {auth: {replicas: 7}}}"),
			object: "Deployment/scheduler", field: "spec.replicas", at: "spec.values.prefect-cloud.services.scheduler.replicas", says: "2 of them",
		},
		"load-balancer": {
			fires:  with(service("front", ", type: LoadBalancer")).on("", "needs: {prefect-cloud: [app]}"),
			quiet:  with(service("front", ", type: LoadBalancer")),
			object: "Service/front", field: "spec.type", says: "prefect-cloud waits for that",
		},
		"embedded-database": {
			fires: cloud("{db: {use_embedded: true}}"), quiet: setting{},
			object: "StatefulSet/postgres", at: "spec.database", says: "although spec.database is set",
		},
		"deleted-by-upgrade": {
			fires: with("{{ if .Release.IsInstall }}\n" + secretWith("{{ randAlphaNum 8 | b64enc }}") + "{{ end }}\n"), quiet: with(secretWith("cHc=")),
			object: "Secret/app", says: "an upgrade with the same values does not",
		},
		"embedded-redis": {
			fires: cloud("{redis: {use_embedded: true}}"), quiet: setting{},
			object: "StatefulSet/redis", at: "spec.redis",
		},
		"missing-reference": {
			fires: replaced(with(""), "spec: {containers", "spec: {serviceAccountName: runner, containers"), quiet: replaced(with(""), "spec: {containers", "spec: {serviceAccountName: default, containers"),
			object: "Deployment/app", field: "spec.template.spec.serviceAccountName", says: "nothing makes the ServiceAccount runner in namespace apps",
		},
		"selects-nothing": {
			fires: replaced(with(service("front", "")), "selector: {app: app}", "selector: {app: apps}"), quiet: with(service("front", "")),
			object: "Service/front", field: "spec.selector",
		},
		"selector-mismatch": {
			fires: replaced(with(""), "labels: {app: app}", "labels: {app: apps}"), quiet: with(""),
			object: "Deployment/app", field: "spec.selector.matchLabels",
		},
	}
}

func imageCases() map[string]pair {
	return map[string]pair{
		"missing-pull-secret": {
			fires:  cloud("{oddities: {missingPullSecret: true}, global: {imagePullSecret: pull}}").on("", "registry: {pullSecret: pull}"),
			quiet:  cloud("{global: {imagePullSecret: pull}}").on("", "registry: {pullSecret: pull}"),
			object: "Deployment/logs", field: "spec.template.spec.imagePullSecrets", at: "spec.values.prefect-cloud.global.imagePullSecret", says: "the pull secret pull",
		},
		"registry-login": {
			fires: setting{}, quiet: setting{spec: "registry: {pullSecret: pull}"},
			at: "spec.registry.pullSecret", says: "Flux is told provider: gcp",
		},
		"foreign-image": {
			fires:  setting{template: strings.ReplaceAll(sane, "registry.company.com/app", "{{ .Values.image }}"), values: "image: quay.io/acme/app\n"}.on("", "registry: {mirror: registry.company.com/prefect}\nvalues: {prefect-istiod: {istioDiscovery: {hub: registry.company.com/istio}}}"),
			quiet:  with("").on("", "registry: {mirror: registry.company.com/prefect}\nvalues: {prefect-istiod: {istioDiscovery: {hub: registry.company.com/istio}}}"),
			object: "Deployment/app", field: "spec.template.spec.containers[0].image", at: "spec.releases[0].values.image", says: "quay.io/acme/app:1.0.0 does not come from the mirror",
		},
		"unpinned-image": {
			fires: replaced(with(""), ":1.0.0", ""), quiet: replaced(with(""), ":1.0.0", "@sha256:"+strings.Repeat("a", 64)),
			object: "Deployment/app", field: "spec.template.spec.containers[0].image",
		},
		"bad-image": {
			fires: replaced(with(""), "registry.company.com/app:1.0.0", `"registry.company.com/app:"`), quiet: with(""),
			object: "Deployment/app", field: "spec.template.spec.containers[0].image",
		},
		"removed-api": {
			fires:  with("apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: app}\nspec: {selector: {matchLabels: {app: app}}}\n"),
			quiet:  with("apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: app}\nspec: {selector: {matchLabels: {app: app}}}\n"),
			object: "PodDisruptionBudget/app", field: "apiVersion", says: "since 1.25",
		},
		"deprecated-api": {
			fires:  with("apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: app}\n").on("", `cluster: {kubeVersion: "1.31"}`),
			quiet:  with("apiVersion: flowcontrol.apiserver.k8s.io/v1\nkind: FlowSchema\nmetadata: {name: app}\n").on("", `cluster: {kubeVersion: "1.31"}`),
			object: "FlowSchema/app", field: "apiVersion", says: "only up to 1.31",
		},
		"kube-version-unknown": {
			fires: setting{spec: "cluster: null"}, quiet: setting{}, at: "spec.cluster.kubeVersion",
		},
	}
}

func valueCases() map[string]pair {
	return map[string]pair{
		"random-output": {
			fires: cloud("{oddities: {randomSecret: true}}"), quiet: setting{},
			object: "Secret/session-key", field: "data.key", says: "another value each time",
		},
		"lookup-use": {fires: cloud("{oddities: {lookup: true}}"), quiet: setting{}, says: "asks the cluster for v1 Namespace"},
		"null-values": {
			fires: setting{template: sane, values: "inner: {a: {b: null}}\n", more: map[string]string{"charts/inner/Chart.yaml": "apiVersion: v2\nname: inner\nversion: 1.0.0\n", "charts/inner/values.yaml": "a: {b: 1}\n"}},
			quiet: setting{template: sane, values: "inner: {a: {c: null}}\nown: null\n", more: map[string]string{"charts/inner/Chart.yaml": "apiVersion: v2\nname: inner\nversion: 1.0.0\n", "charts/inner/values.yaml": "a: {b: 1}\n"}},
			at:    "spec.releases[0].values.inner.a.b", says: "sets inner.a.b",
		},
		"tls-verification-disabled": {
			fires: with(configMap("settings", `{config.ini: "url=postgresql://db/app?sslmode=disable"}`)), quiet: with(configMap("settings", `{config.ini: "url=postgresql://db/app?sslmode=verify-full"}`)),
			object: "ConfigMap/settings", field: `data["config.ini"]`, says: "sslmode=disable",
		},
		"secret-outside-secret": {
			fires: with(configMap("settings", "{password: {{ .Values.password }}}")).on("", secretOfApp), quiet: with(secretWith("{{ .Values.password | b64enc }}")).on("", secretOfApp),
			object: "ConfigMap/settings", field: "data.password", at: "spec.secretValues[0]", says: "secret value password",
		},
		"secret-unused": {
			fires: with("").on("", secretOfApp), quiet: with(secretWith("{{ .Values.password | b64enc }}")).on("", secretOfApp).whole(),
			at: "spec.secretValues[0]", says: "does not use the secret value password (Secret app, key pw)",
		},
		"secret-in-checksum": {
			fires: with(configMap("settings", "{sum: {{ .Values.password | sha256sum }}}")).on("", secretOfApp), quiet: with(secretWith("{{ .Values.password | b64enc }}")).on("", secretOfApp),
			object: "ConfigMap/settings", field: "data.sum", at: "spec.secretValues[0]",
		},
		"values-schema": {
			fires: cloud("{redis: {cache: {port: many}}}"), quiet: cloud("{redis: {cache: {port: 6380}}}"),
			at: "spec.values.prefect-cloud.redis.cache.port", says: "refuses redis.cache.port",
		},
		"unknown-value": {
			fires: cloud("{globl: {instanceName: x}}"), quiet: setting{}, at: "spec.values.prefect-cloud.globl", says: "has no value globl",
		},
		"inert-value": {
			fires: setting{template: sane, values: "size: 1\n"}.on("", inApp("size: 2")), quiet: setting{template: sane + "# {{ .Values.size }}\n", values: "size: 1\n"}.on("", inApp("size: 2")),
			at: "spec.releases[0].values.size", says: "no template of chart app 1.0.0 reads size",
		},
	}
}

func limitCases() map[string]pair {
	both := setting{target: "argo", template: sane}
	return map[string]pair{
		"bad-name": {
			fires: with(service("front+1", "")), quiet: with(service("front-1", "")),
			object: "Service/front+1", field: "metadata.name",
		},
		"annotations-size": {
			fires: with(large("annotations", 256<<10)), quiet: with(large("annotations", 255<<10)),
			object: "ConfigMap/large", field: "metadata.annotations",
		},
		"object-size": {
			fires: with(configMap("large", "{a: "+strings.Repeat("x", 1<<20+1)+"}")), quiet: with(configMap("large", "{a: "+strings.Repeat("x", 1<<19)+"}")),
			object: "ConfigMap/large", field: "data",
		},
		"release-size": {
			fires: setting{template: sane, more: map[string]string{"files/noise": noise(1 << 20)}}, quiet: setting{template: sane, more: map[string]string{"files/noise": noise(1 << 19)}},
			says: "the install fails at its end",
		},
		"duplicate-entry": {
			fires: with(configMap("a", "{}")).twoVariables().on("argo", ""), quiet: with(service("a", "")),
			object: "Deployment/app", field: "spec.template.spec.containers[0].env", says: `refuses it: duplicate entries for key [name="LEVEL"]`,
		},
		"duplicate-object": {
			fires: with(replaced(setting{template: sane}, "name: app}\nspec", "name: app, namespace: apps}\nspec").template), quiet: with(replaced(setting{template: sane}, "name: app}\nspec", "name: other}\nspec").template),
			object: "Deployment/app", says: "app/templates/all.yaml too",
		},
		"shared-object": {
			fires: with("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: istiod-istio-system}\n").whole(), quiet: with("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: app}\n"),
			object: "ClusterRole/istiod-istio-system", says: "release app makes the object too",
		},
		"foreign-namespace": {
			fires: with(replaced(setting{template: configMap("a", "{}")}, "name: a", "name: a, namespace: kube-system").template), quiet: with(configMap("a", "{}")),
			object: "ConfigMap/a", field: "metadata.namespace",
		},
		"argo-project": {
			fires:  both.with("apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\n"),
			quiet:  both.with("apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\n").on("argo", "delivery: {argo: {clusterResources: [{group: scheduling.k8s.io, kind: PriorityClass}]}}"),
			object: "PriorityClass/high", at: "spec.delivery.argo.clusterResources", says: "kind PriorityClass",
		},
	}
}

func lockCases() map[string]pair {
	locked := "{source: registry.company.com/app:1.0.0, digest: " + lockedDigest
	digested := replaced(with(""), "app:1.0.0", "app:1.0.0{{ with .Values.image.digest }}@{{ . }}{{ end }}")
	digested.values = "image: {digest: ''}\n"
	return map[string]pair{
		"not-locked": {
			fires: with("").pinned(""), quiet: with("").pinned(locked + "}"),
			object: "Deployment/app", field: "spec.template.spec.containers[0].image", says: "the lock lacks image registry.company.com/app:1.0.0",
		},
		"not-pinned": {
			fires:  with("").pinned(locked + "}"),
			quiet:  digested.pinned(locked + ", pins: [{release: app, digest: image.digest}]}"),
			object: "Deployment/app", field: "spec.template.spec.containers[0].image", says: "image registry.company.com/app:1.0.0 is pulled by its tag, and the lock has " + lockedDigest,
		},
		"other-digest": {
			fires: with("").on("argo", "").pinned(locked + "}").charted("sha256:" + strings.Repeat("b", 64)), quiet: with("").on("argo", "").pinned(locked + "}"),
			at: "spec.releases[0]", says: "the chart has the digest sha256:" + strings.Repeat("b", 64) + ", and the lock has " + lockedDigest,
		},
	}
}

func environmentCases() map[string]pair {
	return map[string]pair{
		"chart-fails": {
			fires: with(`{{ fail "say the size" }}`), quiet: with(""), at: "spec.releases[0].values", says: "say the size",
		},
		"refused-release": {
			fires: with(sane), quiet: with(sane).on("argo", ""),
			at: "spec.releases[0].values", says: "Flux refuses the release: error while running post render on files: may not add resource with an already registered id: Deployment.v1.apps/app.[noNs]",
		},
		"chart-kube-version": {
			fires: setting{template: sane, metadata: "kubeVersion: '>=1.34.0-0'\n"}, quiet: setting{template: sane, metadata: "kubeVersion: '>=1.33.0-0'\n"},
			at: "spec.cluster.kubeVersion", says: "wants Kubernetes >=1.34.0-0, and the cluster has v1.33",
		},
		"environment-warning": {
			fires: setting{spec: `versions: {prefectIstiod: 1.4.900, prefectCloud: 1.4.900}` + "\nvalues: {prefect-cloud: {services: {}}}"}, quiet: setting{},
			at: "spec.versions.prefectCloud", says: "no line of the catalog covers 1.4.900",
		},
		"plaintext-secret": {
			fires: cloud("{gateway: {peerSecret: etcd-peer}}"), quiet: cloud("{gateway: {tlsSecret: etcd-peer}}"),
			at: "spec.values.prefect-cloud.gateway.peerSecret", says: "this may be a secret",
		},
		"unused-ignore": {
			fires: with("").on("", "checks: {ignore: [{check: load-balancer, release: app, reason: ours is quick}]}"),
			quiet: replaced(with("").on("", "checks: {ignore: [{check: unpinned-image, release: app, object: Deploy*/a*p, reason: we know}]}"), ":1.0.0", ""),
			at:    "spec.checks.ignore[0]", says: "load-balancer",
		},
	}
}
