package kubernetes

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// Settings is the section of the configuration that this package reads. In a
// pod, the name is all that has to be given. The pod's service account needs the
// verbs get, create, patch, list and watch on leases in the group
// coordination.k8s.io.
type Settings struct {
	Name      string        `yaml:"name" doc:"name of the Lease object; every instance has the same"`
	Namespace string        `yaml:"namespace" doc:"namespace of the object; empty: that of this pod"`
	Server    string        `yaml:"server" doc:"URL of the API server; empty: that of the cluster of this pod"`
	TokenFile string        `yaml:"token_file" doc:"file with the token to identify with; it is read again for each request"`
	CAFile    string        `yaml:"ca_file" doc:"file with the certificates that vouch for the API server"`
	Timeout   time.Duration `yaml:"timeout" doc:"longest time that a request may take to be answered; a watch goes on after that"`
}

// objectName is what Kubernetes takes for the name of an object.
var objectName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

// account is where a pod finds what it needs to talk to its API server.
const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

// Defaults are the settings that a program begins with: those of a pod.
func Defaults() Settings {
	return Settings{
		Name:      "leader",
		TokenFile: account + "token",
		CAFile:    account + "ca.crt",
		Timeout:   10 * time.Second,
	}
}

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	if !objectName.MatchString(s.Name) {
		errs = append(errs, errors.New("name: must be made of lower-case letters, digits, dots and hyphens"))
	}
	if strings.ContainsAny(s.Namespace, "/?# ") {
		errs = append(errs, errors.New("namespace: must be the name of a namespace"))
	}
	if s.Server != "" {
		if u, err := url.Parse(s.Server); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			errs = append(errs, errors.New("server: must be a URL like https://host:port"))
		}
	}
	if s.Timeout <= 0 {
		errs = append(errs, errors.New("timeout: must be over 0"))
	}
	return errors.Join(errs...)
}

// inPod fills in what a pod is told of its cluster.
func (s Settings) inPod() (Settings, error) {
	if s.Server == "" {
		host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
		if host == "" || port == "" {
			return s, errors.New("server: this is not a pod of a cluster, so it must be given")
		}
		s.Server = "https://" + net.JoinHostPort(host, port)
	}
	if s.Namespace == "" {
		text, err := os.ReadFile(account + "namespace")
		if err != nil {
			return s, fmt.Errorf("namespace: this is not a pod of a cluster, so it must be given: %w", err)
		}
		s.Namespace = strings.TrimSpace(string(text))
	}
	return s, nil
}
