package render

import (
	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/lock"
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
	lock     *lock.Lock      // what LockFile holds
	unpinned bool            // whatever Spec.Versions.Pin says
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
	// Pin charts and images by the digests in the environment's lock, which pm-gitops mirror --lock and images --lock write.
	Pin bool `json:"pin,omitempty"`
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
