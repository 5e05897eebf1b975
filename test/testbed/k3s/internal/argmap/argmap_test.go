package argmap

import (
	"reflect"
	"testing"
)

func TestMerge(t *testing.T) {
	for name, test := range map[string]struct {
		defaults map[string]string
		user     []string
		want     []string
	}{
		"defaults are sorted":               {map[string]string{"b": "2", "a": "1"}, nil, []string{"--a=1", "--b=2"}},
		"the user replaces":                 {map[string]string{"a": "1"}, []string{"a=2"}, []string{"--a=2"}},
		"a repeated user key repeats":       {map[string]string{"a": "1"}, []string{"a=2", "a=3"}, []string{"--a=2", "--a=3"}},
		"plus appends to the default":       {map[string]string{"a": "1"}, []string{"a+=2"}, []string{"--a=1", "--a=2"}},
		"minus goes before the default":     {map[string]string{"a": "1"}, []string{"a-=2"}, []string{"--a=2", "--a=1"}},
		"leading hyphens are taken":         {nil, []string{"--a=1"}, []string{"--a=1"}},
		"without a value it is true":        {nil, []string{"a"}, []string{"--a=true"}},
		"only the first equals sign splits": {nil, []string{"feature-gates=X=true"}, []string{"--feature-gates=X=true"}},
		"an empty value is kept":            {nil, []string{"enforce-node-allocatable="}, []string{"--enforce-node-allocatable="}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Merge(test.defaults, test.user); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
