package trine

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// The parts of an event of API Gateway's payload format 2.0 that make a request.
type httpEvent struct {
	RawPath        string            `json:"rawPath"`
	RawQueryString string            `json:"rawQueryString"`
	Cookies        []string          `json:"cookies"`
	Headers        map[string]string `json:"headers"`
	Body           string            `json:"body"`
	IsBase64       bool              `json:"isBase64Encoded"`
	RequestContext struct {
		HTTP struct {
			Method   string `json:"method"`
			Path     string `json:"path"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`
}

type httpAnswer struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Cookies    []string          `json:"cookies,omitempty"`
	Body       string            `json:"body"`
	IsBase64   bool              `json:"isBase64Encoded,omitempty"`
}

// HandleHTTP registers a handler of HTTP requests, which come as events of API Gateway's payload format 2.0.
func HandleHTTP(server http.Handler) {
	Handle(func(ctx context.Context, event httpEvent) (httpAnswer, error) {
		request, err := event.request(ctx)
		if err != nil {
			return httpAnswer{}, err
		}
		answer := &recorder{header: http.Header{}}
		server.ServeHTTP(answer, request)
		return answer.finish(), nil
	})
}

// HandleFunc registers a function that handles HTTP requests, as HandleHTTP does.
func HandleFunc(function func(http.ResponseWriter, *http.Request)) {
	HandleHTTP(http.HandlerFunc(function))
}

func (e httpEvent) request(ctx context.Context) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64 {
		decoded, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil {
			return nil, Error{"Runtime.UnmarshalError", "the body is no base64: " + err.Error()}
		}
		body = decoded
	}
	path := e.RawPath
	if path == "" {
		path = e.RequestContext.HTTP.Path
	}
	if path == "" {
		path = "/"
	}
	// A path that is no valid part of a URL is taken as it is.
	target := &url.URL{Path: path, RawQuery: e.RawQueryString}
	if decoded, err := url.PathUnescape(path); err == nil {
		target.Path, target.RawPath = decoded, path
	}
	method := e.RequestContext.HTTP.Method
	if method == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(ctx, method, "/", bytes.NewReader(body))
	if err != nil {
		return nil, Error{"Runtime.UnmarshalError", "the event is no request: " + err.Error()}
	}
	request.URL = target
	request.RequestURI = target.RequestURI()
	for name, value := range e.Headers {
		request.Header.Set(name, value)
	}
	if len(e.Cookies) > 0 {
		request.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	request.Host = request.Header.Get("Host")
	request.RemoteAddr = e.RequestContext.HTTP.SourceIP
	return request, nil
}

// recorder keeps what a handler writes.
type recorder struct {
	header http.Header
	sent   http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	// Answers that only inform (103) come before the one that counts.
	if r.status == 0 && status >= 200 {
		r.status, r.sent = status, r.header.Clone()
	}
}

func (r *recorder) Write(bytes []byte) (int, error) {
	if r.status == 0 {
		if r.header.Get("Content-Type") == "" {
			r.header.Set("Content-Type", http.DetectContentType(bytes))
		}
		r.WriteHeader(http.StatusOK)
	}
	return r.body.Write(bytes)
}

func (r *recorder) finish() httpAnswer {
	r.WriteHeader(http.StatusOK)
	answer := httpAnswer{StatusCode: r.status, Headers: map[string]string{}}
	for name, values := range r.sent {
		if name == "Set-Cookie" {
			answer.Cookies = values
			continue
		}
		answer.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if answer.Body = r.body.String(); !utf8.ValidString(answer.Body) {
		answer.Body, answer.IsBase64 = base64.StdEncoding.EncodeToString(r.body.Bytes()), true
	}
	return answer
}
