# make, or make help: what there is.  Everything sets up what it needs in .venv by itself.

PYTHON ?= python3
VENV   ?= .venv
COURSE  = $(VENV)/bin/python

.PHONY: help demo test race serve bench-ftp bench-http readme clean packages

help:
	@echo "make demo          walk through the course, script by script; make demo DAY=07 for one day"
	@echo "make test          run the tests; make test ARGS='-k chat' for some of them"
	@echo "make race          all server models under the same load; make race ARGS='--svg race.svg' for a picture"
	@echo "make serve         the course's own pages on its HTTP server; make serve ARGS='8080 -w 2'"
	@echo "make bench-ftp     the FTP server beside vsftpd and pyftpdlib, where they are installed"
	@echo "make bench-http    the HTTP server beside nginx and others, where they and wrk are installed"
	@echo "make readme        run the commands that the READMEs show, and renew what they print"
	@echo "make clean         remove what these commands have made"
	@echo "PYTHON=python3.13  after any of them: use that Python (3.10 or newer)"

demo: packages
	@"$(COURSE)" tests/tour.py $(DAY)

test: packages
	@"$(COURSE)" tests/run.py $(ARGS)

race: packages
	@"$(COURSE)" day12/server_race.py $(ARGS)

serve: packages
	@"$(COURSE)" day12/http_server.py $(ARGS)

bench-ftp: packages
	@"$(COURSE)" tests/bench_ftp.py $(ARGS)

bench-http: packages
	@"$(COURSE)" tests/bench_http.py $(ARGS)

readme: packages
	@"$(COURSE)" tests/readme.py

clean:
	rm -rf .venv* .pytest_cache
	find day?? tests -name __pycache__ -prune -exec rm -rf {} +

packages:
	@"$(PYTHON)" tests/packages.py "$(VENV)"
