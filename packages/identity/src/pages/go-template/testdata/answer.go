// Answers the cases of cases.json as Go's html/template does:
//
//	go run answer.go < cases.json > answers.json
package main

import (
	"bytes"
	"encoding/json"
	"html/template"
	"os"
	"strings"
)

type testCase struct {
	Template string `json:"template"`
	Output   string `json:"output,omitempty"`
	Refused  string `json:"refused,omitempty"`
}

type suite struct {
	Data  any         `json:"data"`
	Cases []*testCase `json:"cases"`
}

var functions = template.FuncMap{
	"lower":  strings.ToLower,
	"issuer": func() string { return "K & Co" },
	"logo":   func() string { return "theme/logo.png" },
	"url":    func(path, asset string) string { return "/dex/" + asset },
	"extra":  func(key string) string { return map[string]string{"notice": "<b>Staging</b>"}[key] },
}

func answer(one *testCase, data any) {
	parsed, err := template.New("page").Funcs(functions).Parse(one.Template)
	var page bytes.Buffer
	if err == nil {
		err = parsed.Execute(&page, data)
	}
	if err != nil {
		one.Refused = err.Error()
	} else {
		one.Output = page.String()
	}
}

// Whole numbers of JSON are Go's int, as they are in templates.
func whole(value any) any {
	switch typed := value.(type) {
	case float64:
		if typed == float64(int(typed)) {
			return int(typed)
		}
	case []any:
		for index := range typed {
			typed[index] = whole(typed[index])
		}
	case map[string]any:
		for key := range typed {
			typed[key] = whole(typed[key])
		}
	}
	return value
}

func main() {
	var given suite
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		panic(err)
	}
	data := whole(given.Data)
	for _, one := range given.Cases {
		answer(one, data)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(given); err != nil {
		panic(err)
	}
}
