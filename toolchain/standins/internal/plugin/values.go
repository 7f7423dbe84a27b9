package plugin

import (
	"encoding/json"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
)

// Properties are values as they travel between the engine and a plugin: plain JSON in which an
// object with a signature stands for what JSON cannot say (a secret, an unknown, an asset).
type Properties = map[string]any

const (
	signature = "4dabf18193072939515e22adb298388d"
	isSecret  = "1b47061264138c4ac30d75fd1eb44270"
	isOutput  = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
	isAsset   = "c44067f5952c0a294b673a41bacd8c17"
	isArchive = "0def7320c3a5731c473e5ecbe6d01bc7"

	// Stands for a value that is known only after the update.
	unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
)

func decode(values *structpb.Struct) Properties {
	all := values.AsMap()
	for key, value := range all {
		if value == nil {
			delete(all, key)
		}
	}
	return all
}

func encode(values Properties) (*structpb.Struct, error) { return structpb.NewStruct(values) }

// Text is the value under the key, and whether it is a text at all.
func Text(values Properties, key string) (string, bool) {
	text, is := values[key].(string)
	return text, is
}

// Valid replaces what is no UTF-8, which the protocol does not carry.
func Valid(text []byte) string { return strings.ToValidUTF8(string(text), "\uFFFD") }

func signed(value any, as string) bool {
	object, is := value.(Properties)
	return is && object[signature] == as
}

// Secret wraps a value, once.
func Secret(value any) any {
	if signed(value, isSecret) {
		return value
	}
	return Properties{signature: isSecret, "value": value}
}

// The value without secret and output wrappers, at any depth; unknown stays unknown.
func unwrap(value any) any {
	switch value := value.(type) {
	case []any:
		all := make([]any, len(value))
		for i, item := range value {
			all[i] = unwrap(item)
		}
		return all
	case Properties:
		if signed(value, isSecret) || signed(value, isOutput) {
			inner, known := value["value"]
			if !known {
				// An output without a value is one that is not known yet.
				return unknown
			}
			return unwrap(inner)
		}
		all := make(Properties, len(value))
		for key, item := range value {
			all[key] = unwrap(item)
		}
		return all
	}
	return value
}

func unwrapAll(values Properties) Properties {
	all := make(Properties, len(values))
	for key, value := range values {
		all[key] = unwrap(value)
	}
	return all
}

// Plain gives properties as a program outside of the engine reads them.
func Plain(values *structpb.Struct) Properties { return unwrapAll(decode(values)) }

func hasSecret(value any) bool {
	return anyWithin(value, func(item any) bool { return signed(item, isSecret) })
}

func hasUnknown(value any) bool {
	return anyWithin(value, func(item any) bool { return item == any(unknown) })
}

func anyWithin(value any, test func(any) bool) bool {
	inside := func(item any) bool { return anyWithin(item, test) }
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, inside)
	case Properties:
		if test(value) {
			return true
		}
		for _, item := range value {
			if inside(item) {
				return true
			}
		}
		return false
	}
	return test(value)
}

// Source is what an asset or archive carries: a path, a text, or something that only the engine can read.
type Source struct {
	Archive bool
	// "" where there is none.
	Path string
	// nil where there is none.
	Text *string
	Hash string
}

// SourceOf reads an asset or an archive; nil for any other value.
func SourceOf(value any) *Source {
	if !signed(value, isAsset) && !signed(value, isArchive) {
		return nil
	}
	object := value.(Properties)
	source := &Source{Archive: signed(value, isArchive)}
	source.Path, _ = Text(object, "path")
	source.Hash, _ = Text(object, "hash")
	if text, given := Text(object, "text"); given {
		source.Text = &text
	}
	return source
}

// Whether two values are the same to the engine: wrappers do not count, an unknown differs from
// everything, and assets are compared by the hash of their content, wherever they lie.
func same(left, right any) bool {
	return !hasUnknown(left) && !hasUnknown(right) && canonical(left) == canonical(right)
}

func canonical(value any) string {
	// Keys of maps are written in order.
	text, _ := json.Marshal(comparable(unwrap(value)))
	return string(text)
}

func comparable(value any) any {
	switch value := value.(type) {
	case []any:
		all := make([]any, len(value))
		for i, item := range value {
			all[i] = comparable(item)
		}
		return all
	case Properties:
		if source := SourceOf(value); source != nil && source.Hash != "" {
			return Properties{"archive": source.Archive, "hash": source.Hash}
		}
		all := Properties{}
		for key, item := range value {
			if item != nil {
				all[key] = comparable(item)
			}
		}
		return all
	}
	return value
}
