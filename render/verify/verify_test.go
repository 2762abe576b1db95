package verify_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/pm-gitops/pm-gitops/render/verify"
)

// Keys are read as sigstore's library reads them, however they are written.
func TestParseKey(t *testing.T) {
	ec := func(curve elliptic.Curve) any { return must(ecdsa.GenerateKey(curve, rand.Reader)).Public() }
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private := must(rsa.GenerateKey(rand.Reader, 2048))
	for _, public := range []any{ec(elliptic.P256()), ec(elliptic.P384()), ec(elliptic.P521()), edwards, private.Public()} {
		text := string(must(cryptoutils.MarshalPublicKeyToPEM(public)))
		want := must(cryptoutils.UnmarshalPEMToPublicKey([]byte(text)))
		for _, written := range []string{text, "# ours\n" + text + "\n\n", strings.ReplaceAll(text, "\n", "\r\n")} {
			key, err := verify.ParseKey("a", []byte(written))
			if err != nil || !reflect.DeepEqual(key.Public, want) || key.PEM != text || key.Name != "a" {
				t.Errorf("%T: %+v, %v", public, key, err)
			}
		}
	}
	old := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&private.PublicKey)})
	if key, err := verify.ParseKey("a", old); err != nil || !key.Public.(*rsa.PublicKey).Equal(&private.PublicKey) {
		t.Errorf("PKCS #1: %v, %v", key, err)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	private := must(rsa.GenerateKey(rand.Reader, 2048))
	public := string(must(cryptoutils.MarshalPublicKeyToPEM(private.Public())))
	short := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	small := must(cryptoutils.MarshalPublicKeyToPEM(&rsa.PublicKey{N: smallModulus(), E: 65537}))
	for want, text := range map[string]string{
		"a private key, which must not be in Git": string(must(cryptoutils.MarshalPrivateKeyToPEM(private))),
		"this is a private key":                   "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\ncanary\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
		"want a public key in PEM form":           "canary",
		"nothing behind it":                       public + public,
		"this is a certificate":                   "-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n",
		"this is something else":                  "-----BEGIN PGP PUBLIC KEY BLOCK-----\nY2FuYXJ5\n-----END PGP PUBLIC KEY BLOCK-----\n",
		"is damaged, or of an unknown kind":       "-----BEGIN PUBLIC KEY-----\nY2FuYXJ5\n-----END PUBLIC KEY-----\n",
		"want an ECDSA key on P-256":              string(must(cryptoutils.MarshalPublicKeyToPEM(short.Public()))),
		"want an RSA key of 2048 to 8192 bits":    string(small),
	} {
		_, err := verify.ParseKey("a", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Y2Fu") {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// smallModulus is a number of 1,024 bits, as a modulus.
func smallModulus() *big.Int { return new(big.Int).SetBit(big.NewInt(1), 1023, 1) }

func TestForms(t *testing.T) {
	for _, ok := range []interface{ Validate() error }{
		verify.Place("*"), verify.Place("ghcr.io"), verify.Place("registry.company.com:5000/a/b"), verify.Place("docker.io/library"),
		verify.KeySource("../keys/a.pub"), verify.Issuer("https://token.actions.githubusercontent.com"),
		verify.Subject(`^https://github\.com/company/.*$`), verify.Subject("^(a|b)$"), verify.Subject("^(?i)a$"),
	} {
		if err := ok.Validate(); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, wrong := range []interface{ Validate() error }{
		verify.Place(""), verify.Place("ghcr.io/*"), verify.Place("https://ghcr.io"), verify.Place("ghcr.io/a:1"), verify.Place("index.docker.io/a"), verify.Place("company"),
		verify.KeySource(""), verify.KeySource("/etc/key.pub"), verify.KeySource("gcpkms://canary"), verify.KeySource("canary\ncanary"), verify.KeySource("MC4CAQAwBQYDK2VwBCIEIcanary0123456789+/AAAAAAAA"), verify.KeySource("-----BEGIN PRIVATE KEY-----\ncanary"),
		verify.Issuer("token.actions.githubusercontent.com"), verify.Issuer("https://a@b.c"), verify.Issuer("^https://.*$"),
		verify.Subject("a"), verify.Subject("^a"), verify.Subject("a$"), verify.Subject("^a|b$"), verify.Subject("^a$|^b$"), verify.Subject("(?m)^a$"), verify.Subject("(?i)^a$"), verify.Subject(`^a\$`), verify.Subject(`\Aa$`), verify.Subject("^(a$"), verify.Subject("^$|x"), verify.Subject(""),
	} {
		if err := wrong.Validate(); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// The longest place counts, and whole parts of a path are compared.
func TestFor(t *testing.T) {
	var policies verify.Policies
	for _, place := range []verify.Place{"ghcr.io", "*", "ghcr.io/company/charts", "ghcr.io/company"} {
		policies = append(policies, verify.Policy{Match: place})
	}
	for name, want := range map[string]verify.Place{
		"ghcr.io/other/a": "ghcr.io", "ghcr.io/company/a": "ghcr.io/company", "ghcr.io/company": "ghcr.io/company", "ghcr.io/company2/a": "ghcr.io",
		"ghcr.io/company/charts/a": "ghcr.io/company/charts", "ghcr.io:5000/company/a": "*", "docker.io/library/a": "*", "a.ghcr.io/company": "*",
	} {
		if got, found := policies.For(name); !found || got.Match != want {
			t.Errorf("%s: %s, want %s", name, got.Match, want)
		}
	}
	if got, found := policies[2:].For("docker.io/library/a"); found {
		t.Errorf("docker.io/library/a: %s", got.Match)
	}
}

// A host in capitals, or with the port of HTTPS, is the same registry: what is there is not
// taken for something that no rule is for.
func TestForOtherSpellingsOfAHost(t *testing.T) {
	policies := verify.Policies{{Match: "*"}, {Match: "Quay.io:443"}, {Match: "quay.io/company"}, {Match: "registry.company.com:5000"}}
	for name, want := range map[string]verify.Place{
		"QUAY.io/company/a": "quay.io/company", "quay.io:443/company/a": "quay.io/company", "quay.io/other/a": "Quay.io:443", "quay.io:8443/company/a": "*",
		"Registry.company.com:5000/a": "registry.company.com:5000", "registry.company.com/a": "*", "quay.io:443x/a": "*",
	} {
		if got, found := policies.For(name); !found || got.Match != want {
			t.Errorf("%s: %s, want %s", name, got.Match, want)
		}
	}
	_, problems := verify.Read("spec.verify", []verify.Rule{{Match: "quay.io", Keyless: &verify.Keyless{}}, {Match: "QUAY.IO:443", Keyless: &verify.Keyless{}}}, nil)
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "a rule before this one") {
		t.Errorf("%v, want that the second rule is for the place of the first", problems)
	}
}

// The command is one that a shell takes apart into what cosign documents, and the
// expression for Flux matches the issuer alone.
func TestCommand(t *testing.T) {
	k := verify.Keyless{Issuer: "https://issuer.example.com/a(b)", Subject: `^it's \$(reboot) .*$`}
	out, err := exec.Command("sh", "-c", strings.Replace(k.Command("ghcr.io/a/b@sha256:1"), "cosign", "printf '%s\n'", 1)).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "verify\n--certificate-identity-regexp\n" + string(k.Subject) + "\n--certificate-oidc-issuer\n" + string(k.Issuer) + "\nghcr.io/a/b@sha256:1\n"
	if string(out) != want {
		t.Errorf("%s, want %s", out, want)
	}
	matches := regexp.MustCompile(k.IssuerExpression()).MatchString
	if !matches(string(k.Issuer)) || matches("x"+string(k.Issuer)) || matches(string(k.Issuer)+"x") || matches("https://issuerxexample.com/a(b)") {
		t.Errorf("issuer: %s", k.IssuerExpression())
	}
}

// FuzzParseKey holds that what is taken for a key is one that reads the same once more,
// and that no error repeats the text.
func FuzzParseKey(f *testing.F) {
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAEfh9kLA6WgYgoHiez88E3BXlhBokLRCAuUk39EwtDBw=\n-----END PUBLIC KEY-----\n"))
	f.Add([]byte("-----BEGIN RSA PUBLIC KEY-----\nMAA=\n-----END RSA PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := verify.ParseKey("a", text)
		if err != nil {
			return
		}
		if again, err := verify.ParseKey("a", []byte(key.PEM)); err != nil || !reflect.DeepEqual(again, key) {
			t.Errorf("%+v, %v, before %+v", again, err, key)
		}
	})
}
