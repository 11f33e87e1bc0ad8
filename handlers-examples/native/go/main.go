// A greeting in Go. Built in this folder with
//
//	go build -buildmode=c-shared -o handler.so
package main

import (
	"context"

	"trine"
)

type event struct {
	Name string `json:"name"`
}

type greeting struct {
	Greeting string `json:"greeting"`
}

func init() {
	trine.Handle(func(ctx context.Context, event event) (greeting, error) {
		if event.Name == "" {
			return greeting{}, trine.Error{Type: "BadRequest", Message: "a name is missing"}
		}
		return greeting{"Hello, " + event.Name + "!"}, nil
	})
}

func main() {}
