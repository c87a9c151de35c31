/** Go program: a multi-document text on stdin (as a JSON string), the objects as sigs.k8s.io/yaml reads them on stdout. */
export const yamlOracle = `package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	var text string
	if err := json.NewDecoder(os.Stdin).Decode(&text); err != nil {
		panic(err)
	}
	objects := []any{}
	for _, part := range regexp.MustCompile("(?m)^---.*$").Split(text, -1) {
		if strings.TrimSpace(part) == "" {
			continue
		}
		var object any
		if err := yaml.Unmarshal([]byte(part), &object); err != nil {
			panic(err)
		}
		if object != nil {
			objects = append(objects, object)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(objects); err != nil {
		panic(err)
	}
}
`;
