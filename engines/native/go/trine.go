// Package trine makes a shared library of a Go function, which Trine loads and calls as a handler.
//
//	package main
//
//	import (
//		"context"
//		"trine"
//	)
//
//	type Event struct{ Name string }
//
//	func init() {
//		trine.Handle(func(ctx context.Context, event Event) (string, error) {
//			return "Hello, " + event.Name + "!", nil
//		})
//	}
//
//	func main() {}
//
// It is built with `go build -buildmode=c-shared -o app.so`, and called as app.handler. The forms of handlers are those of
// AWS's library for Go: any of
//
//	func()
//	func(TIn)
//	func() error
//	func(TIn) error
//	func() (TOut, error)
//	func(TIn) (TOut, error)
//
// each also with a context.Context before TIn. TIn and TOut are what encoding/json can read and write; []byte and
// json.RawMessage stand for the text itself. HandleHTTP takes an http.Handler for events of HTTP requests.
//
// A process has one Go runtime, which stays to its end: one library of Go in a function, whatever its number of handlers.
package trine

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Context is what Trine tells about an invocation; FromContext finds it.
type Context struct {
	AwsRequestID       string            `json:"awsRequestId"`
	InvokedFunctionArn string            `json:"invokedFunctionArn"`
	DeadlineMs         int64             `json:"deadlineMs"`
	FunctionName       string            `json:"functionName"`
	FunctionVersion    string            `json:"functionVersion"`
	MemoryLimitInMB    int               `json:"memoryLimitInMB"`
	LogGroupName       string            `json:"logGroupName"`
	LogStreamName      string            `json:"logStreamName"`
	TraceID            string            `json:"traceId"`
	TenantID           string            `json:"tenantId"`
	ClientContext      json.RawMessage   `json:"clientContext"`
	Identity           json.RawMessage   `json:"identity"`
	W3C                map[string]string `json:"w3c"`
	EventIsJSON        bool              `json:"eventIsJson"`
}

type contextKey struct{}

// FromContext returns what is known about the invocation whose handler got this context.
func FromContext(ctx context.Context) (*Context, bool) {
	found, ok := ctx.Value(contextKey{}).(*Context)
	return found, ok
}

// Error is an error with a type of its own, which callers see as errorType. Other errors have the name of their Go type.
type Error struct {
	Type    string
	Message string
}

func (e Error) Error() string { return e.Message }

type handler func(ctx context.Context, event []byte) ([]byte, error)

var (
	registered handler
	threads    uint32   = 1
	running    sync.Map // Request id to *deadline.
)

// Threads sets how many events may be handled at a time, each on a thread of its own. Otherwise it is one. Call it from init.
func Threads(number uint32) { threads = number }

// Handle registers the handler of this library. Call it from init. It panics if the function has no form of a handler.
func Handle(function interface{}) {
	if registered != nil {
		panic("trine: this library has a handler already")
	}
	registered = of(function)
}

var (
	typeOfContext = reflect.TypeOf((*context.Context)(nil)).Elem()
	typeOfError   = reflect.TypeOf((*error)(nil)).Elem()
	typeOfBytes   = reflect.TypeOf([]byte(nil))
)

func of(function interface{}) handler {
	value := reflect.ValueOf(function)
	if function == nil || value.Kind() != reflect.Func {
		panic(fmt.Sprintf("trine: a handler is a function, not %T", function))
	}
	kind := value.Type()
	takesContext := kind.NumIn() > 0 && kind.In(0) == typeOfContext
	inputs := kind.NumIn()
	if takesContext {
		inputs--
	}
	outputs := kind.NumOut()
	if inputs > 1 || outputs > 2 || kind.IsVariadic() ||
		(outputs > 0 && kind.Out(outputs-1) != typeOfError) {
		panic(fmt.Sprintf("trine: %s is no form of a handler: func([context.Context], [TIn]) ([TOut], error)", kind))
	}
	return func(ctx context.Context, event []byte) ([]byte, error) {
		var arguments []reflect.Value
		if takesContext {
			arguments = append(arguments, reflect.ValueOf(ctx))
		}
		if inputs == 1 {
			input := reflect.New(kind.In(kind.NumIn() - 1))
			if input.Type().Elem() == typeOfBytes {
				input.Elem().SetBytes(event)
			} else if err := json.Unmarshal(event, input.Interface()); err != nil {
				return nil, Error{"Runtime.UnmarshalError", "Unable to unmarshal input: " + err.Error()}
			}
			arguments = append(arguments, input.Elem())
		}
		results := value.Call(arguments)
		if outputs > 0 {
			if err, ok := results[outputs-1].Interface().(error); ok && err != nil {
				return nil, err
			}
		}
		if outputs < 2 {
			return nil, nil
		}
		if results[0].Type() == typeOfBytes {
			return results[0].Bytes(), nil
		}
		answer, err := json.Marshal(results[0].Interface())
		if err != nil {
			return nil, Error{"Runtime.MarshalError", "Unable to marshal response: " + err.Error()}
		}
		return answer, nil
	}
}

type document struct {
	Type    string  `json:"errorType"`
	Message string  `json:"errorMessage"`
	Stack   []frame `json:"stackTrace,omitempty"`
}

type frame struct {
	Path  string `json:"path"`
	Line  int    `json:"line"`
	Label string `json:"label"`
}

// call runs the handler; the second result says whether the first one is an answer.
func call(event, about []byte) (result []byte, ok bool) {
	defer func() {
		if panicked := recover(); panicked != nil {
			result, ok = written(document{"Panic", fmt.Sprint(panicked), frames()}), false
		}
	}()
	if registered == nil {
		return written(document{Type: "Error", Message: "the library has no handler: call trine.Handle from init"}), false
	}
	known := &Context{}
	if err := json.Unmarshal(about, known); err != nil {
		return written(document{Type: "Error", Message: "the context cannot be read: " + err.Error()}), false
	}
	ctx := newDeadline(time.UnixMilli(known.DeadlineMs))
	defer ctx.end(context.Canceled)
	running.Store(known.AwsRequestID, ctx)
	defer running.Delete(known.AwsRequestID)
	answer, err := registered(context.WithValue(ctx, contextKey{}, known), event)
	if err != nil {
		return written(document{Type: typeOf(err), Message: err.Error()}), false
	}
	return answer, true
}

func typeOf(err error) string {
	if own, ok := err.(Error); ok {
		return own.Type
	}
	name := fmt.Sprintf("%T", err)
	return strings.TrimPrefix(name[strings.LastIndex(name, ".")+1:], "*")
}

func written(document document) []byte {
	text, err := json.Marshal(document)
	if err != nil {
		return []byte(document.Message)
	}
	return text
}

// frames returns the frames of a panic, without those of the runtime and of this package.
func frames() []frame {
	places := make([]uintptr, 64)
	iterator := runtime.CallersFrames(places[:runtime.Callers(3, places)])
	var found []frame
	for {
		next, more := iterator.Next()
		ours := strings.HasPrefix(next.Function, "trine.") || strings.HasPrefix(next.Function, "reflect.")
		if !ours && !strings.HasPrefix(next.Function, "runtime.") && next.Function != "" {
			found = append(found, frame{next.File, next.Line, next.Function})
		}
		if !more {
			return found
		}
	}
}

// warned ends the context of an invocation whose time is nearly up.
func warned(id string) {
	if ctx, ok := running.Load(id); ok {
		ctx.(*deadline).end(context.DeadlineExceeded)
	}
}
