# Two commands matter: `make demo` and `make test`.
FUZZTIME ?= 10s
export CGO_ENABLED ?= $(shell command -v cc >/dev/null 2>&1 && echo 1 || echo 0)

.PHONY: help build demo test lint fuzz bench generate

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## the program, one static file: ./haidang
	CGO_ENABLED=0 go build -trimpath -o haidang ./cmd/haidang

demo: build ## a night at the SOC: real sockets, nine alerts, a server to explore
	./haidang demo

test: ## every test, with the race detector where there is a C compiler; PEERS=install installs real peers (apt)
	bash .ci/test.sh

lint: ## gofmt, vet, staticcheck, go.mod, generated files
	bash .ci/test.sh lint

fuzz: ## every fuzz target for FUZZTIME (10s); what was found is kept, so it resumes
	bash .ci/fuzz.sh $(FUZZTIME)

bench: build ## events a second on this machine
	./haidang bench

generate: ## the generated files
	go generate ./...
