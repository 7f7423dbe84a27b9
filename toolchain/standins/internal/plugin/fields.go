package plugin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Field is one input of a resource: its type, default, secrecy, and what a change does.
type Field struct {
	Name string
	Type Type
	// The fields of a nested object; Type is then Any.
	Fields   []Field
	Required bool
	// Filled in by the check when the input is absent; nil: stays absent.
	Default any
	// What an absent input stands for when old and new are compared; it is not filled in.
	Assumed any
	Allowed []string
	// Kept as a secret whatever the program says.
	Secret bool
	// A change replaces the resource instead of updating it.
	Replaces bool
}

// Type is a test of a value, and the end of the sentence where it fails.
type Type struct {
	fits   func(any) bool
	mustBe string
}

var (
	Any     = Type{func(any) bool { return true }, "is not valid"}
	String  = Type{is[string], "must be a string"}
	Number  = Type{is[float64], "must be a number"}
	Boolean = Type{is[bool], "must be a boolean"}
	List    = Type{is[[]any], "must be a list"}
	Strings = Type{func(value any) bool {
		list, isList := value.([]any)
		return isList && !slices.ContainsFunc(list, func(item any) bool { return !is[string](item) })
	}, "must be a list of strings"}
	Map = Type{func(value any) bool {
		object, isObject := value.(Properties)
		for _, item := range object {
			isObject = isObject && is[string](item)
		}
		return isObject
	}, "must be a map of strings"}
	Asset = Type{func(value any) bool { return SourceOf(value) != nil }, "must be an asset or an archive"}
)

func is[T any](value any) bool {
	_, fits := value.(T)
	return fits
}

// Failure says what is wrong with one property.
type Failure struct{ Property, Reason string }

// The inputs with defaults and secrecy applied, and all that is wrong with them.
func check(fields []Field, given Properties, resource string) (Properties, []Failure) {
	inputs, failures := filled(fields, given, resource, "")
	for _, field := range fields {
		if value, there := inputs[field.Name]; there && field.Secret {
			inputs[field.Name] = Secret(value)
		}
	}
	return inputs, failures
}

func filled(fields []Field, given Properties, resource, prefix string) (Properties, []Failure) {
	var failures []Failure
	fail := func(path, format string, more ...any) {
		failures = append(failures, Failure{path, fmt.Sprintf(format, more...)})
	}
	result := maps.Clone(given)
	for _, key := range slices.Sorted(maps.Keys(given)) {
		known := slices.ContainsFunc(fields, func(field Field) bool { return field.Name == key })
		if path := prefix + key; !known && !strings.HasPrefix(key, "__") {
			fail(path, "Unrecognized field '%s' on '%s'", path, resource)
		}
	}
	for _, field := range fields {
		path := prefix + field.Name
		wrapped := given[field.Name]
		if wrapped == nil {
			if field.Required {
				fail(path, "Missing required field '%s' on '%s'", path, resource)
			} else if field.Default != nil {
				result[field.Name] = field.Default
			}
			continue
		}
		value := unwrap(wrapped)
		if value == any(unknown) {
			continue
		}
		if problem := mismatch(field, value); problem != "" {
			fail(path, "Field '%s' on '%s' %s", path, resource, problem)
		} else if field.Fields != nil {
			inner, more := filled(field.Fields, value.(Properties), resource, path+".")
			failures = append(failures, more...)
			result[field.Name] = inner
			if hasSecret(wrapped) {
				result[field.Name] = Secret(inner)
			}
		}
	}
	return result, failures
}

func mismatch(field Field, value any) string {
	if field.Fields != nil {
		if is[Properties](value) {
			return ""
		}
		return "must be an object"
	}
	if field.Allowed != nil {
		if text, isText := value.(string); isText && slices.Contains(field.Allowed, text) {
			return ""
		}
		return "must be one of " + strings.Join(field.Allowed, ", ")
	}
	if field.Type.fits(value) || hasUnknown(value) {
		return ""
	}
	return field.Type.mustBe
}
