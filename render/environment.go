package render

import (
	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/verify"
)

// This file is the environment file: the doc comments below are the
// descriptions in the JSON Schema, and a field without omitempty is required.

// Environment is one installation of Customer-Managed Prefect Cloud, as its
// file says it, with what the file extends laid under it.
type Environment struct {
	// pm-gitops/v1.
	APIVersion APIVersion `json:"apiVersion"`
	// Environment, or EnvironmentDefaults for a file that others extend.
	Kind EnvironmentKind `json:"kind"`
	// A file of kind EnvironmentDefaults in the same repository, relative to this one. Its mappings merge with this file's; lists and scalars here replace.
	Extends  string   `json:"extends,omitempty"`
	Metadata Metadata `json:"metadata"`
	Spec     Spec     `json:"spec"`

	source   *strictyaml.Value
	recorded *apis.Recorded  // what Spec.Cluster.Capabilities holds
	policies verify.Policies // Spec.Verify, with the keys of files
}

// Metadata names an environment.
type Metadata struct {
	// Names folders, branches and objects: a DNS label.
	Name Name `json:"name"`
}

// Spec says what an installation is.
type Spec struct {
	Instance Instance `json:"instance"`
	Versions Versions `json:"versions"`
	Registry Registry `json:"registry,omitzero"`
	// Who signs images and charts: mirror verifies the signatures, and Flux those of charts.
	Verify []verify.Rule `json:"verify,omitempty"`
	Auth   Auth          `json:"auth"`
	// The external PostgreSQL. Without it the chart runs an embedded database, which is never for production.
	Database *Database `json:"database,omitempty"`
	// The external Redis. Without it the chart runs an embedded one.
	Redis *Redis `json:"redis,omitempty"`
	// The Ingress that the chart makes. Without it you attach your own load balancer to prefect-istio-gateway.
	Ingress *Ingress `json:"ingress,omitempty"`
	Secrets Secrets  `json:"secrets,omitzero"`
	// Further chart values that are secret.
	SecretValues []SecretValue `json:"secretValues,omitempty"`
	Mesh         Mesh          `json:"mesh,omitzero"`
	Migrations   Migrations    `json:"migrations,omitzero"`
	Cluster      Cluster       `json:"cluster,omitzero"`
	Delivery     Delivery      `json:"delivery,omitzero"`
	// Further charts of the same installation, placed by what they need.
	Releases []ExtraRelease `json:"releases,omitempty"`
	// Further needs of the vendor's releases: release to the releases that must be ready before it.
	Needs map[string][]Name `json:"needs,omitempty"`
	// Helm release names and namespaces of the vendor's releases. The defaults follow the vendor's guide, so that an installation made by hand is adopted.
	Names   map[string]ReleaseNames `json:"names,omitempty"`
	Upgrade Upgrade                 `json:"upgrade,omitzero"`
	Checks  Checks                  `json:"checks,omitzero"`
	// A catalog file that adds release lines or corrects them, relative to this file.
	Catalog string `json:"catalog,omitempty"`
	// Chart values by release, merged last, for whatever has no field above.
	Values map[string]Values `json:"values,omitempty"`
}

// Instance is the product as its users see it.
type Instance struct {
	// The instance's name in the product.
	Name Name `json:"name"`
	// Where the UI is reached.
	FrontendURL URL `json:"frontendUrl"`
	// Where the API is reached.
	BackendURL URL `json:"backendUrl"`
	// The only user who can log in at first.
	OwnerEmail Email `json:"ownerEmail"`
}

// Versions is what runs. Always quote tags: YAML reads 2025.10 as the number 2025.1.
type Versions struct {
	// Chart version of prefect-istiod, with @sha256:… behind it to pin the digest. Required unless mesh says otherwise.
	PrefectIstiod ChartVersion `json:"prefectIstiod,omitempty"`
	// Chart version of prefect-cloud, with @sha256:… behind it to pin the digest.
	PrefectCloud ChartVersion `json:"prefectCloud"`
	// Image tag of the server.
	Server Tag `json:"server"`
	// Image tag of the UI.
	UI Tag `json:"ui"`
}

// Registry says where charts and images come from.
type Registry struct {
	// The vendor's registry; its charts lie below it in charts/.
	Source Repository `json:"source,omitempty"`
	// Pull everything from here instead: what follows source is kept, names of other hosts get the mirror as prefix.
	Mirror Repository `json:"mirror,omitempty"`
	// Other places than the mirror, for what is below a registry or a folder of one: docker.io: registry.company.com/docker. The longest place counts.
	Map map[string]Repository `json:"map,omitempty"`
	// A kubernetes.io/dockerconfigjson Secret in each namespace. Charts are pulled with it; whether pods use it is up to the chart's values.
	PullSecret SecretName `json:"pullSecret,omitempty"`
	// A Secret in each namespace whose ca.crt is the registry's own certificate authority.
	CASecret SecretName `json:"caSecret,omitempty"`
}

// Auth is the identity provider: exactly one.
type Auth struct {
	Okta  *Okta  `json:"okta,omitempty"`
	ADFS  *ADFS  `json:"adfs,omitempty"`
	Entra *Entra `json:"entra,omitempty"`
}

// Okta is the provider Okta.
type Okta struct {
	ClientID      Text      `json:"clientID"`
	ClientSecret  SecretRef `json:"clientSecret"`
	AuthServerURL URL       `json:"authServerURL"`
	// For management operations.
	APIKey *SecretRef `json:"apiKey,omitempty"`
}

// ADFS is the provider Active Directory Federation Services.
type ADFS struct {
	ClientID        Text      `json:"clientID"`
	ClientSecret    SecretRef `json:"clientSecret"`
	ClientAuthority Authority `json:"clientAuthority"`
	ClientVerifySSL *Switch   `json:"clientVerifySSL,omitempty"`
}

// Entra is the provider Microsoft Entra ID.
type Entra struct {
	ClientID        Text      `json:"clientID"`
	ClientSecret    SecretRef `json:"clientSecret"`
	TenantID        Text      `json:"tenantID"`
	ClientVerifySSL *Switch   `json:"clientVerifySSL,omitempty"`
	// Where users log in, where it is not the public cloud.
	LoginBaseURL URL `json:"loginBaseURL,omitempty"`
}

// Database is an external PostgreSQL.
type Database struct {
	// The address that takes writes.
	Primary Host `json:"primary"`
	// The address that takes reads.
	Replica Host `json:"replica,omitempty"`
	// The user that the services use; the setup makes it.
	ServiceUser DatabaseUser `json:"serviceUser"`
	// The user that makes schemas and roles; it must exist.
	SuperUser DatabaseUser `json:"superUser"`
}

// DatabaseUser is how a user logs in.
type DatabaseUser struct {
	Password SecretRef `json:"password"`
}

// Redis is external Redis instances by role.
type Redis struct {
	Cache   RedisInstance `json:"cache"`
	Work    RedisInstance `json:"work"`
	Streams RedisInstance `json:"streams"`
}

// RedisInstance is one Redis.
type RedisInstance struct {
	Host     Host       `json:"host"`
	Password *SecretRef `json:"password,omitempty"`
}

// Ingress is the Ingress that the chart makes.
type Ingress struct {
	ClassName ObjectName `json:"className,omitempty"`
	// The Ingress's own name. It changed between release lines: set it to keep the object.
	Name        ObjectName        `json:"name,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	TLS         *IngressTLS       `json:"tls,omitempty"`
}

// IngressTLS is the certificate of the Ingress.
type IngressTLS struct {
	// A kubernetes.io/tls Secret.
	Secret SecretName `json:"secret"`
}

// Secrets says who makes the Secrets and how the chart gets them.
type Secrets struct {
	// Who makes the Secrets; default existing.
	From SecretsFrom `json:"from,omitempty"`
	// How the chart gets them: as values (Flux only, its default) or from Secrets that it reads itself (chart, the default of Argo CD).
	Into            SecretsInto      `json:"into,omitempty"`
	ExternalSecrets *ExternalSecrets `json:"externalSecrets,omitempty"`
	SOPS            *SOPS            `json:"sops,omitempty"`
	SealedSecrets   *SealedSecrets   `json:"sealedSecrets,omitempty"`
}

// ExternalSecrets is the store that the External Secrets operator reads:
// secret is the remote key, key the property.
type ExternalSecrets struct {
	Store           ObjectName `json:"store"`
	StoreKind       StoreKind  `json:"storeKind,omitempty"`
	RefreshInterval Duration   `json:"refreshInterval,omitempty"`
	APIVersion      ESOVersion `json:"apiVersion,omitempty"`
}

// SOPS is whom secrets are encrypted for, and the file that holds them.
type SOPS struct {
	Age  []Text `json:"age,omitempty"`
	PGP  []Text `json:"pgp,omitempty"`
	File Path   `json:"file"`
}

// SealedSecrets is the certificate that secrets are sealed with.
type SealedSecrets struct {
	Certificate Path `json:"certificate"`
}

// SecretValue is a chart value that is secret.
type SecretValue struct {
	// The release whose value it is.
	Release Name `json:"release"`
	// The dotted chart value, such as smtp.password.
	Path ValuePath `json:"path"`
	// The Secret that holds it.
	Secret SecretName `json:"secret"`
	// The key in the Secret.
	Key SecretKey `json:"key"`
}

// Migrations says how the databases are migrated; the defaults come from the
// catalog's line.
type Migrations struct {
	// How long a migration may take.
	Timeout Duration `json:"timeout,omitempty"`
	// On a first install the migrations run after the services were created, and the services wait for them.
	AfterInstall *bool `json:"afterInstall,omitempty"`
}

// Cluster is where the installation runs.
type Cluster struct {
	// The folder clusters/NAME that the controller is pointed at; default: the environment's name.
	Name Name `json:"name,omitempty"`
	// The Kubernetes version, such as "1.33".
	KubeVersion KubeVersion `json:"kubeVersion,omitempty"`
	// Extra API versions that the cluster serves.
	APIVersions []Text `json:"apiVersions,omitempty"`
	// A file that pm-gitops capabilities recorded from the cluster, relative to this file: it counts in place of kubeVersion and apiVersions.
	Capabilities string `json:"capabilities,omitempty"`
}

// Delivery says how the manifests reach the cluster.
type Delivery struct {
	// The delivery system that reconciles the manifests, such as flux or argo; --target overrides it.
	Target Text `json:"target,omitempty"`
	// The folder below the repository root that bases and overlays are written to; default prefect.
	Path Path `json:"path,omitempty"`
	Git  *Git `json:"git,omitempty"`
	Flux Flux `json:"flux,omitzero"`
	Argo Argo `json:"argo,omitzero"`
}

// Git is the repository that the manifests are committed to.
type Git struct {
	URL GitURL `json:"url"`
	// Default main.
	Branch Text `json:"branch,omitempty"`
}

// Flux is the Flux that reconciles the manifests.
type Flux struct {
	// The oldest Flux that the output must work with; default 2.7.
	Version FluxVersion `json:"version,omitempty"`
	// Where Flux runs; default flux-system.
	Namespace Name `json:"namespace,omitempty"`
	// The GitRepository that holds this repository; default flux-system.
	Source ObjectName `json:"source,omitempty"`
}

// Argo is the Argo CD that reconciles the manifests.
type Argo struct {
	// The oldest Argo CD that the output must work with; default 2.14.
	Version ArgoVersion `json:"version,omitempty"`
	// Where Argo CD runs; default argocd.
	Namespace   Name            `json:"namespace,omitempty"`
	Destination ArgoDestination `json:"destination,omitzero"`
	// How charts are named: helm (the classic form, default) or oci (native, from Argo CD 3.1, which can pin digests).
	Charts ArgoCharts `json:"charts,omitempty"`
	// Further kinds of cluster-wide objects that releases of your own bring.
	ClusterResources []GroupKind `json:"clusterResources,omitempty"`
}

// GroupKind is a kind of objects.
type GroupKind struct {
	// The API group; empty for the core one.
	Group string `json:"group,omitempty"`
	Kind  Text   `json:"kind"`
}

// ArgoDestination is the cluster to deploy to, by server or by name; default
// the cluster that Argo CD runs in.
type ArgoDestination struct {
	Server URL  `json:"server,omitempty"`
	Name   Text `json:"name,omitempty"`
}

// ExtraRelease is a further chart of the installation.
type ExtraRelease struct {
	// Names the release, its objects and its files.
	Name Name `json:"name"`
	// The chart with its name, such as oci://registry.company.com/charts/prefect-worker.
	Chart     ChartURL     `json:"chart"`
	Version   ChartVersion `json:"version"`
	Namespace Name         `json:"namespace"`
	// Releases that must be ready before this one.
	Needs []Name `json:"needs,omitempty"`
	// Never uninstall it when its manifests go away; the vendor's releases always are protected.
	Protect bool   `json:"protect,omitempty"`
	Values  Values `json:"values,omitempty"`
}

// ReleaseNames is how Helm and Kubernetes know a release.
type ReleaseNames struct {
	// The Helm release name.
	Release ReleaseName `json:"release,omitempty"`
	// The namespace it is installed in.
	Namespace Name `json:"namespace,omitempty"`
}

// Upgrade says when upgrades are proposed and merged.
type Upgrade struct {
	// How old a version must be before it is proposed.
	MinimumAge Duration `json:"minimumAge,omitempty"`
	// Environments that must have run it before, and for how long.
	After []UpgradeAfter `json:"after,omitempty"`
	// When merging is allowed, such as "Sat 02:00-06:00 UTC".
	Window Window `json:"window,omitempty"`
	// Which pull requests merge themselves: never, or patch.
	AutoMerge AutoMerge `json:"autoMerge,omitempty"`
}

// UpgradeAfter is an environment that goes first.
type UpgradeAfter struct {
	Environment Name     `json:"environment"`
	Soak        Duration `json:"soak,omitempty"`
}

// Checks says which findings of `pm-gitops check`, and which values that look like secrets, are accepted.
type Checks struct {
	// Findings that are accepted; they are still listed, with the reason.
	Ignore []IgnoredCheck `json:"ignore,omitempty"`
}

// IgnoredCheck is findings of one check that are accepted, and why.
type IgnoredCheck struct {
	// The check, such as load-balancer: `pm-gitops check --list` lists them.
	Check CheckID `json:"check"`
	// Only findings in this release.
	Release Name `json:"release,omitempty"`
	// Only findings at this object: Kind/name, in which * stands for any characters.
	Object ObjectPattern `json:"object,omitempty"`
	// Only the finding at this field of the environment, as findings name it. For plaintext-secret it is required: validate and render accept the value too.
	Path FieldPath `json:"path,omitempty"`
	// Why they are accepted.
	Reason Reason `json:"reason"`
}
