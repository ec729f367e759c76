# make up | test | lint | bench. Each sets up what it needs first.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
PEERS := .venv-peers
PARTS := podway dns/podway_dns lb/podway_lb router/podway_router proxy/podway_proxy cluster/podway_cluster

.PHONY: help up test scan slow compose-test lint bench bench-dns venv compiled prerequisites lock clean

help:
	@echo 'make up     run the whole lab in this terminal (UP="--http-port 8000" adds options)'
	@echo 'make test   lint, types, import contracts, all tests (PYTEST="-k dns" adds options)'
	@echo 'make compose-test  the lab in containers, on the engine that answers or one of its own (root)'
	@echo 'make scan   sslyze looks at the router: is the TLS profile what it says?'
	@echo 'make slow   slowhttptest attacks the router: slow heads, bodies, readers'
	@echo 'make lint   lint, types and import contracts only'
	@echo 'make bench  measure beside HAProxy, nginx, Envoy, Traefik, Caddy (QUICK=1: in two minutes)'
	@echo 'make bench-table  measure what 100 to 50,000 Routes cost'
	@echo 'make bench-dns  measure podway-dns beside other name servers'

venv: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "podway needs Python 3.11 or newer; on Debian 12: sudo apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "podway needs Python's venv module; on Debian 12: sudo apt-get install python3-venv" >&2; exit 1; }
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

# Where Python may not write what it has compiled (PYTHONDONTWRITEBYTECODE, a read-only home), every
# process of the lab would compile everything anew: half a second on the way to the first answer.
compiled: venv
	@$(VENV)/bin/python -m compileall -q $(PARTS)

up: compiled
	@exec $(VENV)/bin/podway up $(UP)

# Whether imports are sorted hangs on which other files there are; ruff's cache does not see that.
lint: venv
	$(VENV)/bin/ruff check --no-cache .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

prerequisites:
	@$(PYTHON) tests/prerequisites.py

test: prerequisites lint compiled
	$(VENV)/bin/python -m pytest $(PYTEST)

# sslyze wants another cryptography than podway does.
scan: compiled .venv-sslyze/.installed
	$(VENV)/bin/python -m pytest tests/live/test_router_scan.py $(PYTEST)

.venv-sslyze/.installed:
	test -x .venv-sslyze/bin/python || $(PYTHON) -m venv .venv-sslyze
	.venv-sslyze/bin/python -m pip install --quiet --disable-pip-version-check 'sslyze>=6.3,<7'
	@touch $@

# Attacks that last a minute and more.
slow: prerequisites compiled
	$(VENV)/bin/python -m pytest tests/live -m slow $(PYTEST)

compose-test: venv
	$(VENV)/bin/python -m pytest tests/compose -m compose $(PYTEST)

bench: venv $(PEERS)/.installed
	@$(VENV)/bin/python -m bench $(if $(QUICK),--quick) $(BENCH)

bench-dns: venv
	@$(VENV)/bin/python bench/dns_bench.py $(BENCH)

bench-table: venv
	@$(VENV)/bin/python -m bench.table_bench $(BENCH)

# A peer that can't be had is left out of the comparison; the others are measured all the same.
$(PEERS)/.installed: bench/peers.txt
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@grep -v '^#' $< | while read -r peer; do \
	  $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check "$$peer" \
	    || echo "left out of the comparison: $$peer" >&2; done
	@touch $@

lock:
	$(VENV)/bin/pip-compile --quiet --strip-extras --extra dev --no-emit-find-links --no-emit-index-url --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) $(PEERS) .mypy_cache .ruff_cache .pytest_cache
