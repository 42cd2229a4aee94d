// An origin as people write it with Go's net/http. Each request that the parser took is a line of JSON on standard
// output; what its body failed with stands beside it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
)

type record struct {
	Method string      `json:"method"`
	Target string      `json:"target"`
	Body   string      `json:"body"`
	Fields [][2]string `json:"fields"`
}

func main() {
	var one sync.Mutex
	say := func(what record) {
		one.Lock()
		defer one.Unlock()
		_ = json.NewEncoder(os.Stdout).Encode(what)
	}
	handler := func(response http.ResponseWriter, request *http.Request) {
		fields := [][2]string{{"Host", request.Host}}
		for name, values := range request.Header {
			for _, value := range values {
				fields = append(fields, [2]string{name, value})
			}
		}
		body, failure := io.ReadAll(request.Body)
		if failure != nil {
			fields = append(fields, [2]string{"error", failure.Error()})
		}
		for name, values := range request.Trailer {
			fields = append(fields, [2]string{"trailer " + name, values[0]})
		}
		say(record{request.Method, request.RequestURI, string(body), fields})
		fmt.Fprintf(response, "%s %s\n", request.Method, request.RequestURI)
	}
	if failure := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(handler)); failure != nil {
		fmt.Fprintln(os.Stderr, failure)
		os.Exit(1)
	}
}
