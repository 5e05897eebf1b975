package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// configured writes config.yaml and drop-ins and points K3S_CONFIG_FILE at them.
func configured(t *testing.T, main string, dropIns map[string]string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	write(t, file, main)
	for name, content := range dropIns {
		write(t, filepath.Join(file+".d", name), content)
	}
	t.Setenv("K3S_CONFIG_FILE", file)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFileArgs(t *testing.T) {
	for name, test := range map[string]struct {
		main    string
		dropIns map[string]string
		want    []string
	}{
		"scalars and lists": {
			"https-listen-port: 6444\ndisable-agent: true\nkubelet-arg: [a=1, b=2]\n", nil,
			[]string{"--disable-agent=true", "--https-listen-port=6444", "--kubelet-arg=a=1", "--kubelet-arg=b=2"},
		},
		"a later file replaces a list": {
			"kubelet-arg: [a=1]\n", map[string]string{"x.yaml": "kubelet-arg: [b=2]\n"},
			[]string{"--kubelet-arg=b=2"},
		},
		"plus appends": {
			"kubelet-arg: [a=1]\n", map[string]string{"x.yaml": "kubelet-arg+: [b=2]\n", "y.yml": "kubelet-arg+: c=3\n"},
			[]string{"--kubelet-arg=a=1", "--kubelet-arg=b=2", "--kubelet-arg=c=3"},
		},
		"other extensions are left alone": {
			"token: t\n", map[string]string{"x.txt": "token: u\n"},
			[]string{"--token=t"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			configured(t, test.main, test.dropIns)
			got, err := FileArgs(nil)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestFileArgsOfAMissingNamedFile(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	if _, err := FileArgs([]string{"--config", missing}); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

func TestParse(t *testing.T) {
	configured(t, "node-name: from-file\nbogus: 1\nkubelet-arg: [a=1]\ndisable: [traefik]\n", nil)
	t.Setenv("K3S_TOKEN", "from-env")
	options, err := Parse("server", []string{"-node-name=from-args", "--kubelet-arg", "b=2", "--disable=coredns, servicelb", "--disable-agent"})
	if err != nil {
		t.Fatal(err)
	}
	if options.NodeName != "from-args" || options.Token != "from-env" || !options.DisableAgent {
		t.Errorf("got name %q, token %q, disable-agent %v", options.NodeName, options.Token, options.DisableAgent)
	}
	if want := []string{"a=1", "b=2"}; !reflect.DeepEqual(options.KubeletArgs, want) {
		t.Errorf("kubelet-arg: got %v, want %v", options.KubeletArgs, want)
	}
	if want := map[string]bool{"traefik": true, "coredns": true, "servicelb": true}; !reflect.DeepEqual(options.Disable, want) {
		t.Errorf("disable: got %v, want %v", options.Disable, want)
	}
	if want := []string{"--bogus=1"}; !reflect.DeepEqual(options.Skipped, want) {
		t.Errorf("skipped: got %v, want %v", options.Skipped, want)
	}
	if options.ClusterDNS != "10.43.0.10" || options.DataDir != DefaultDataDir || options.APIServerPort != 6444 {
		t.Errorf("defaults: got DNS %s, data dir %s, API server port %d", options.ClusterDNS, options.DataDir, options.APIServerPort)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		command string
		file    string
		args    []string
		want    string
	}{
		"an unknown flag":                       {"server", "", []string{"--no-such-flag"}, "flag provided but not defined: -no-such-flag"},
		"an unknown key of an agent":            {"agent", "bogus: 1\n", nil, "flag provided but not defined: -bogus"},
		"a server's flag for an agent":          {"agent", "", []string{"--cluster-cidr=10.0.0.0/8"}, "flag provided but not defined: -cluster-cidr"},
		"a boolean that is none":                {"server", "", []string{"--disable-agent=maybe"}, "disable-agent"},
		"a service network that is none":        {"server", "", []string{"--service-cidr=10.43"}, "invalid service-cidr 10.43"},
		"an egress mode that is none":           {"server", "", []string{"--egress-selector-mode=x"}, "invalid egress-selector-mode x"},
		"configuration that is no YAML mapping": {"server", "- a\n", nil, "failed to parse configuration file"},
	} {
		t.Run(name, func(t *testing.T) {
			configured(t, test.file, nil)
			if _, err := Parse(test.command, test.args); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestDataDir(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		args []string
		want string
	}{
		"the default":             {"", []string{"server"}, DefaultDataDir},
		"a flag":                  {"data-dir: /b\n", []string{"server", "--data-dir", "/a"}, "/a"},
		"its short form":          {"", []string{"server", "-d=/a"}, "/a"},
		"the configuration":       {"data-dir: /b\n", []string{"server"}, "/b"},
		"beside an unknown flag":  {"", []string{"server", "--foo", "--data-dir=/a"}, "/a"},
		"a relative one resolved": {"", []string{"--data-dir=/a/../c"}, "/c"},
	} {
		t.Run(name, func(t *testing.T) {
			configured(t, test.file, nil)
			if got, err := DataDir(test.args); err != nil || got != test.want {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}
