package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"maps"
	"slices"

	"agent-fleet/toolchain/standins/internal/plugin"

	"golang.org/x/crypto/ssh"
)

var curves = map[string]elliptic.Curve{
	"P224": elliptic.P224(),
	"P256": elliptic.P256(),
	"P384": elliptic.P384(),
	"P521": elliptic.P521(),
}

const (
	defaultCurve = "P224"
	defaultBits  = 2048.0
)

// tls.PrivateKey: made once, kept in the state, replaced when its kind changes.
var privateKey = plugin.Resource{
	Inputs: []plugin.Field{
		{Name: "algorithm", Type: plugin.String, Required: true, Allowed: []string{"RSA", "ECDSA", "ED25519"}, Replaces: true},
		{Name: "ecdsaCurve", Type: plugin.String, Allowed: slices.Sorted(maps.Keys(curves)), Assumed: defaultCurve, Replaces: true},
		{Name: "rsaBits", Type: plugin.Number, Assumed: defaultBits, Replaces: true},
	},
	Outputs: []string{
		"privateKeyPem",
		"privateKeyPemPkcs8",
		"privateKeyOpenssh",
		"publicKeyPem",
		"publicKeyOpenssh",
		"publicKeyFingerprintMd5",
		"publicKeyFingerprintSha256",
	},
	Create: func(_ context.Context, inputs plugin.Properties, _ plugin.Call) (string, plugin.Properties, error) {
		own := plugin.Properties{"ecdsaCurve": defaultCurve, "rsaBits": defaultBits}
		maps.Copy(own, inputs)
		key, err := generate(own)
		if err != nil {
			return "", nil, err
		}
		if err := render(key, own); err != nil {
			return "", nil, err
		}
		id := sha1.Sum([]byte(own["publicKeyPem"].(string)))
		return hex.EncodeToString(id[:]), own, nil
	},
}

func generate(kind plugin.Properties) (crypto.Signer, error) {
	switch kind["algorithm"] {
	case "RSA":
		return rsa.GenerateKey(rand.Reader, int(kind["rsaBits"].(float64)))
	case "ECDSA":
		return ecdsa.GenerateKey(curves[kind["ecdsaCurve"].(string)], rand.Reader)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

// Adds the key in all its forms.
func render(key crypto.Signer, own plugin.Properties) error {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	traditional := &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		traditional = &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	case *ecdsa.PrivateKey:
		sec1, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			return err
		}
		traditional = &pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}
	}
	own["publicKeyPem"] = text("PUBLIC KEY", public)
	own["privateKeyPem"] = plugin.Secret(text(traditional.Type, traditional.Bytes))
	own["privateKeyPemPkcs8"] = plugin.Secret(text("PRIVATE KEY", pkcs8))
	return renderOpenSSH(key, own)
}

func renderOpenSSH(key crypto.Signer, own plugin.Properties) error {
	own["privateKeyOpenssh"] = plugin.Secret("")
	for _, name := range []string{"publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256"} {
		own[name] = ""
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		// There is no OpenSSH form of a P224 key.
		return nil
	}
	private, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return err
	}
	own["privateKeyOpenssh"] = plugin.Secret(text(private.Type, private.Bytes))
	own["publicKeyOpenssh"] = string(ssh.MarshalAuthorizedKey(public))
	own["publicKeyFingerprintMd5"] = ssh.FingerprintLegacyMD5(public)
	own["publicKeyFingerprintSha256"] = ssh.FingerprintSHA256(public)
	return nil
}

func text(label string, bytes []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: bytes}))
}
