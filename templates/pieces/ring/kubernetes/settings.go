package kubernetes

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// Settings is the section of the configuration that this package reads. In a
// pod, the service is all that has to be given. The pod's service account needs
// the verbs list and watch on endpointslices in the group discovery.k8s.io.
type Settings struct {
	Service   string        `yaml:"service" doc:"service whose ready endpoints are the nodes"`
	Namespace string        `yaml:"namespace" doc:"namespace of the service; empty: that of this pod"`
	Port      string        `yaml:"port" doc:"name of the port of the service; empty: the only or first one"`
	Server    string        `yaml:"server" doc:"URL of the API server; empty: that of the cluster of this pod"`
	TokenFile string        `yaml:"token_file" doc:"file with the token to identify with; it is read again for each request"`
	CAFile    string        `yaml:"ca_file" doc:"file with the certificates that vouch for the API server"`
	Timeout   time.Duration `yaml:"timeout" doc:"longest time that a request may take to be answered; a watch goes on after that"`
}

// account is where a pod finds what it needs to talk to its API server.
const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

// Defaults are the settings that a program begins with: those of a pod. The
// service is still to be given.
func Defaults() Settings {
	return Settings{
		TokenFile: account + "token",
		CAFile:    account + "ca.crt",
		Timeout:   10 * time.Second,
	}
}

// Validate checks every setting.
func (s Settings) Validate() error {
	var errs []error
	if s.Service == "" || strings.ContainsAny(s.Service, "/,=!() ") {
		errs = append(errs, errors.New("service: must be the name of a service"))
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
